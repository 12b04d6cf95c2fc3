import type { MarkerSurface } from '../../../../extension/overlays/points.ts';
import { referenceOf } from '../../../../src/image/image.ts';
import { dotsOn } from '../../../../src/results/dots.ts';
import type { PointsResult } from '../../../../src/results/points.ts';
import { image, source } from '../made.ts';

/** A model's count of three cells of two classes on an image of 100 × 80 pixels. */
export function points(change: Partial<PointsResult> = {}, sop = 'a'): PointsResult {
  const from = { ...referenceOf(image(source(sop, 1, '1', '1.2'), [100, 80])), modality: 'SM' };
  const { editedAt: _, ...dots } = dotsOn(from, '2026-03-01T08:00:00.000Z', {
    coordinates: Float32Array.of(10, 20, 50, 40, 90, 70), classOf: Uint8Array.of(0, 1, 0), labels: ['Live', 'Dead'],
  });
  return { ...dots, model: { ...dots.model, id: 'cell-count', name: 'Cell count', sha256: 'c' }, ...change };
}

/** The viewport of a page, 200 × 160, that shows the image at twice its size from its corner (30, 10) on. */
export function surface(shown: readonly { key: string; result: PointsResult }[], change: Partial<MarkerSurface> = {}): MarkerSurface {
  const parentElement = { contains: (target: unknown) => target === 'image' };
  const element = { parentElement, getBoundingClientRect: () => ({ left: 30, top: 10, width: 200, height: 160 }) } as unknown as HTMLElement;
  return {
    viewportId: 'v', element, imageId: 'image:a', toPage: [2, 0, 0, 2, 0, 0],
    worldToPage: ([x, y]) => [2 * x, 2 * y], shown: shown.map(of => ({ ...of, scale: [1, 1] as const })), ...change,
  };
}
