import { OverreadError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import type { Target } from '../../manifest.ts';
import { countedPoints } from '../../results/counted.ts';
import type { PointsResult } from '../../results/points.ts';
import { sha256 } from '../../runtime/sha256.ts';
import { pictureRemarks } from '../count-remarks.ts';
import { cellChannel } from './channel.ts';
import { otsuThreshold } from './otsu.ts';
import { watershedParameters, type WatershedParameters } from './parameters.ts';
import { smoothed } from './smooth.ts';
import { splitMask } from './split.ts';

const VERSION = '1.0.0';
const CELL: Target = { label: 'Cell', concept: { codeValue: '4421005', codingSchemeDesignator: 'SCT', codeMeaning: 'Cell' } };

/**
 * Counts cells as laboratories do without learning: a channel or a stain, smoothed, a threshold, and the mask parted by a marker watershed
 * of the distances to its background. The count is of markers: it has no density, no interval, and every confidence is 1. The result's
 * model is the method, its SHA-256 that of the parameters.
 * @param parameters any of {@link WatershedParameters}; the others have their defaults
 * @throws OverreadError `config/invalid` for other parameters; `input/refused` for a volume, and for a stain of a grey picture
 */
export async function countWatershed(image: Image, parameters: Partial<WatershedParameters> = {}): Promise<PointsResult> {
  const knobs = watershedParameters(parameters);
  const start = performance.now();
  const [columns, rows, slices] = image.shape;
  if (slices !== 1) throw new OverreadError('input/refused', `Expected one plane to count cells in, got ${slices}. Choose one.`, { expected: 1, got: slices });
  const { channel, values } = cellChannel(image, knobs.channel);
  const looked = smoothed(values, columns, rows, knobs.smoothing);
  const threshold = knobs.threshold === 'otsu' ? otsuThreshold(looked) : knobs.threshold;
  const mask = Uint8Array.from(looked, value => Number(threshold !== undefined && value > threshold));
  const { cells, tooSmall, tooLarge } = splitMask(mask, columns, knobs);
  const finding = countedPoints(image, {
    targets: [CELL],
    sums: [cells.length],
    candidates: { coordinates: Float32Array.from(cells.flatMap(({ x, y }) => [x, y])), classOf: new Uint8Array(cells.length), weights: new Float32Array(cells.length).fill(1) },
    remarks: [
      ...pictureRemarks(image),
      `channel ${channel}, ${threshold === undefined ? 'no threshold: one value throughout' : `threshold ${threshold.toPrecision(3)}`}`,
      ...(tooSmall ? [`${tooSmall} too small`] : []),
      ...(tooLarge ? [`${tooLarge} too large`] : []),
    ],
  });
  return {
    ...finding,
    model: await identityOf(knobs),
    device: { backend: 'cpu', adapter: 'JavaScript', software: true, reason: 'a classic method that uses no device' },
    timingMs: { load: 0, encode: 0, predict: performance.now() - start, decode: 0 },
    createdAt: new Date().toISOString(),
  };
}

export async function identityOf(parameters: WatershedParameters): Promise<PointsResult['model']> {
  return {
    id: 'count-watershed',
    version: VERSION,
    name: 'Classic count (watershed)',
    sha256: await sha256(new TextEncoder().encode(JSON.stringify([VERSION, parameters]))),
    notice: 'A classic count: as good as its parameters. Research use only. Not for diagnosis.',
  };
}
