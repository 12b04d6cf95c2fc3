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
