import type { ImageAttributes } from './image.ts';

/** A chest view as models name it: 'PA' is any frontal, AP too; 'L' either lateral. */
export type View = 'PA' | 'L';

/**
 * The view of a ViewPosition (0018,5101) as devices and data sets spell it ('PA', 'AP Supine', 'LL', 'LATERAL');
 * undefined for what is neither plainly frontal nor plainly lateral, such as obliques and decubitus views.
 */
export function viewOf(viewPosition: string | undefined): View | undefined {
  const text = viewPosition?.trim().toUpperCase() ?? '';
  if (/^(PA|AP|FRONTAL)([ _-]|$)/.test(text)) return 'PA';
  return /^(L|LL|RL|LAT|LATERAL|LEFT LATERAL|RIGHT LATERAL)$/.test(text) ? 'L' : undefined;
}

/**
 * How the view of a picture is known: from ViewPosition or the ViewCodeSequence that stands for it, from the series'
 * description, guessed by a view classifier, or assumed because the model reads no other.
 */
export type ViewSource = 'ViewPosition' | 'SeriesDescription' | 'classifier' | 'assumed';

/** What the attributes of a picture say of its view; undefined where they say nothing that is known for sure. */
export function statedView({ viewPosition, seriesDescription }: Pick<ImageAttributes, 'viewPosition' | 'seriesDescription'>): { view: View; from: ViewSource } | undefined {
  // A ViewPosition that is neither (an oblique, a decubitus) must not be overruled by a loose description.
  if (viewPosition?.trim()) {
    const view = viewOf(viewPosition);
    return view && { view, from: 'ViewPosition' };
  }
  const words = (seriesDescription ?? '').toUpperCase().split(/[^A-Z]+/);
  const found = new Set(words.flatMap(word => {
    if (/^(PA|AP|FRONTAL)$/.test(word)) return ['PA' as const];
    return /^(LL|RL|LAT|LATERAL)$/.test(word) ? ['L' as const] : [];
  }));
  // 'PA and lateral' names the examination, not this picture.
  const [view] = found;
  return view && found.size === 1 ? { view, from: 'SeriesDescription' } : undefined;
}
