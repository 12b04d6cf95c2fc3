import { OverreadError } from '../src/errors.ts';
import { burnIn, hasRoomForBurntIn } from '../src/image/burnt-in.ts';

/**
 * What a viewport shows, the image and what the models drew on it, as PNG with "not for diagnosis" burnt in. The viewer's
 * texts are no part of it: they name the patient. Neither are its annotations.
 * @param element of the viewport
 * @throws OverreadError `input/no-pixels` where nothing is shown, or too small for the line
 */
export async function viewportPicture(element: HTMLElement): Promise<Blob> {
  const box = element.getBoundingClientRect();
  const canvases = [...element.querySelectorAll('canvas')].filter(canvas => canvas.width > 0 && canvas.checkVisibility());
  // As fine as the finest of them.
  const scale = Math.max(0, ...canvases.map(canvas => canvas.width / Math.max(1, canvas.getBoundingClientRect().width)));
  const [columns, rows] = [Math.round(box.width * scale), Math.round(box.height * scale)];
  if (canvases.length === 0 || !hasRoomForBurntIn(columns, rows)) {
    throw new OverreadError('input/no-pixels', 'Expected a viewport with an image, wide enough for the line that it is not for diagnosis. No picture was taken.', { got: [columns, rows] });
  }
  const out = element.ownerDocument.createElement('canvas');
  [out.width, out.height] = [columns, rows];
  const context = out.getContext('2d')!;
  context.fillRect(0, 0, columns, rows);
  for (const canvas of canvases) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    context.globalAlpha = Number(getComputedStyle(canvas).opacity);
    context.drawImage(canvas, (left - box.left) * scale, (top - box.top) * scale, width * scale, height * scale);
  }
  const image = context.getImageData(0, 0, columns, rows);
  const rgb = Uint8Array.from({ length: 3 * columns * rows }, (_, i) => image.data[4 * Math.floor(i / 3) + (i % 3)]!);
  burnIn(rgb, columns, rows);
  rgb.forEach((value, i) => (image.data[4 * Math.floor(i / 3) + (i % 3)] = value));
  context.putImageData(image, 0, 0);
  return new Promise((resolve, reject) => out.toBlob(blob => (blob ? resolve(blob) : reject(new OverreadError('internal', 'The browser made no PNG of the viewport.'))), 'image/png'));
}
