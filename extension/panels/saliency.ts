import { heatmapRgba, type ColourTableName } from '../../src/results/heatmap-colours.ts';
import type { HeatmapResult } from '../../src/results/result.ts';
import type { Completeness, RandomisationCheck, SaliencyDetails, SaliencyMethodId } from '../../src/results/saliency.ts';
import type { HeatmapStyle } from '../overlays/heatmap-raster.ts';

/** The quickest first. */
export const METHODS: { readonly [M in SaliencyMethodId]: { readonly name: string; readonly meaning: string } } = {
  'grad-cam': { name: 'Grad-CAM', meaning: 'Where the network\'s last feature map raises the score. Coarse, and quick.' },
  'input-gradient': { name: 'Input gradient', meaning: 'How much the score answers to a small change of each pixel.' },
  'smooth-grad': { name: 'SmoothGrad', meaning: 'The input gradient as a mean over noisy copies of the picture.' },
  'integrated-gradients': { name: 'Integrated gradients', meaning: 'How the score is shared out among the pixels, compared with an empty picture.' },
  occlusion: { name: 'Occlusion', meaning: 'How far the score falls when a square of the picture is covered. Slow, but runs on every device.' },
};

/** 'Grad-CAM'; of a method that is not known here its own id. */
export function methodName(id: string): string {
  return Object.entries(METHODS).find(([of]) => of === id)?.[1].name ?? id;
}

export const TABLES: { readonly [T in ColourTableName]: string } = { inferno: 'Inferno', viridis: 'Viridis', coolwarm: 'Blue to red' };

export const NO_PROOF = 'A map shows what changes the score most. It is no proof of a finding.';

/** The numbers at both ends of the colours, '0' and '2.31'. */
export function rangeEnds({ range }: Pick<HeatmapResult, 'range'>): readonly [low: string, high: string] {
  return [formatValue(range[0]), formatValue(range[1])];
}

/** Three digits that count: maps have ranges from 1e-6 to hundreds. */
function formatValue(value: number): string {
  if (value === 0) return '0';
  return (Math.abs(value) >= 0.001 && Math.abs(value) < 10_000 ? Number(value.toPrecision(3)).toString() : value.toExponential(2)).replaceAll('-', '−');
}

/** What the colours of a map look like over a picture, from the lowest value to the highest: a CSS image. */
export function colourGradient({ range: [low, high] }: Pick<HeatmapResult, 'range'>, table: ColourTableName, { threshold, opacity }: HeatmapStyle): string {
  const last = 64;
  const values = Float32Array.from({ length: last + 1 }, (_, i) => low + (i / last) * (high - low));
  const rgba = heatmapRgba(values, { table, range: [low, high], threshold, opacity, fade: true });
  const stops = Array.from(values, (_, i) => {
    const [red, green, blue, alpha] = rgba.subarray(4 * i);
    return `rgb(${red} ${green} ${blue} / ${(alpha! / 255).toFixed(3)})`;
  });
  return `linear-gradient(to right, ${stops.join(', ')})`;
}

/** 'The map adds up to 1.24; the score differs from an empty picture's by 1.25 (0.8 % off).' */
export function completenessText({ sum, difference, error }: Completeness, scoreIs: SaliencyDetails['scoreIs']): string {
  return `The map adds up to ${formatValue(sum)}; the ${scoreIs} differs from an empty picture's by ${formatValue(difference)} (${(100 * error).toFixed(1)} % off).`;
}

/** Undefined where the check found nothing, or could not be made. */
export function suspicionText(check: RandomisationCheck): string | undefined {
  if ('unavailable' in check || !check.suspicious) return undefined;
  return `This map hardly changes when the model's last layer is random (similarity ${check.similarity.toFixed(2)}): it may show the picture's edges rather than what the model learnt.`;
}
