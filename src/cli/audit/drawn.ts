import type { FactorAudit, GroupPicture } from '../../evaluation/site-audit/factor.ts';
import { colourTable } from '../../results/heatmap-colours.ts';
import { rgbPng } from '../io/png.ts';

const SHOWN = 192;

/** A group's mean picture. @param range what is drawn black and white, the same for all groups of a factor */
export function meanSvg({ mean }: Pick<GroupPicture, 'mean'>, side: number, [low, high]: readonly [number, number]): string {
  const grey = mean.map(value => Math.min(255, Math.max(0, Math.round((255 * (value - low)) / (high - low || 1)))));
  return svg(Uint8Array.from(grey.flatMap(value => [value, value, value])), side, '');
}

/** Its difference from all others, red where it is brighter, blue where darker; cells that differ by more than chance have an outline. */
export function differenceSvg({ difference, significant }: GroupPicture, side: number, largest: number): string {
  const table = colourTable('coolwarm');
  const rgb = difference.flatMap(value => {
    const at = 3 * Math.min(255, Math.max(0, Math.round(127.5 * (1 + value / (largest || 1)))));
    return [table[at]!, table[at + 1]!, table[at + 2]!];
  });
  const half = side / 2;
  const cells = significant.map(cell => `M${2 * (cell % half)} ${2 * Math.floor(cell / half)}h2v2h-2z`).join('');
  return svg(Uint8Array.from(rgb), side, cells && `<path d="${cells}" fill="none" stroke="#000" stroke-width=".3"/>`);
}

/** What pictures and differences of a factor are drawn with. */
export function rangesOf({ groups }: FactorAudit): { readonly grey: readonly [number, number]; readonly largest: number } {
  const extremes = groups.map(({ mean }) => [Math.min(...mean), Math.max(...mean)] as const);
  return {
    grey: [Math.min(...extremes.map(([low]) => low)), Math.max(...extremes.map(([, high]) => high))],
    largest: Math.max(0, ...groups.flatMap(({ difference }) => difference.map(Math.abs))),
  };
}

function svg(rgb: Uint8Array, side: number, over: string): string {
  const png = rgbPng(rgb, side, side).toString('base64');
  return `<svg viewBox="0 0 ${side} ${side}" width="${SHOWN}" height="${SHOWN}"><image width="${side}" height="${side}" style="image-rendering:pixelated" href="data:image/png;base64,${png}"/>${over}</svg>`;
}
