import type { HeatmapResult } from '../results/result.ts';

/** How a map was made, as `name=value` of the written object. */
export function mapParameters({ target, view, range, saliency }: HeatmapResult): Readonly<Record<string, string | number | undefined>> {
  const [low, high] = range;
  return {
    target: target.label, view, low, high,
    ...(saliency && {
      method: saliency.method, score: saliency.score, scoreIs: saliency.scoreIs, signed: String(saliency.signed),
      ...Object.fromEntries(Object.entries(saliency.parameters).map(([name, value]) => [`parameter.${name}`, value])),
      ...('similarity' in saliency.randomisation && { randomisation: saliency.randomisation.similarity }),
      ...(saliency.completeness && { completeness: saliency.completeness.error }),
    }),
  };
}
