/**
 * Writes text to the clipboard; by the older way where the viewer is served over plain HTTP and has no other.
 * @throws when the browser refuses
 */
export async function copyText(text: string): Promise<void> {
  // Absent where the viewer is served over plain HTTP.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard) return clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.style.cssText = 'position: fixed; opacity: 0;';
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  if (!done) throw new Error('execCommand refused to copy');
}
