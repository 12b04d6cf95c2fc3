import { OverreadError } from '../errors.ts';
import { apply, invert, multiply } from '../image/affine.ts';
import { isInstanceReference, type ImageReference } from '../image/image.ts';
import { sameGrid, type Placed } from '../image/resample.ts';

export interface Regridded {
  /** On the grid that was asked for, slice by slice. */
  readonly labels: Uint8Array;
  /** Whether they were brought there by geometry. */
  readonly how: 'same' | 'resampled';
  /** The share of the grid that the other image covers; what lies outside of it has no label. */
  readonly covered: number;
}

/**
 * A labelmap on the grid of another image: as it is where both lie on the same frames or the same voxels; by geometry, each voxel taking
 * the label of the nearest one, where both state one frame of reference.
 * @param labels one a voxel of `source`
 * @throws OverreadError `input/inconsistent` where nothing says how the two lie to each other, or they do not overlap
 */
export function regridLabels(
  { labels, source, name }: { readonly labels: Uint8Array; readonly source: ImageReference; readonly name: string },
  grid: ImageReference, gridName: string,
): Regridded {
  const { shape } = source;
  const sameShape = shape.join() === grid.shape.join();
  if (sameShape && keys(source) === keys(grid)) return { labels, how: 'same', covered: 1 };
  const refused = (why: string) => otherImages({ name: gridName, source: grid }, { name, source }, why);
  if (!placed(source) || !placed(grid)) throw refused('which state no geometry');
  if (source.frameOfReferenceUID === undefined || source.frameOfReferenceUID !== grid.frameOfReferenceUID) throw refused('which state no common frame of reference');
  if (sameGrid(source, grid)) return { labels, how: 'same', covered: 1 };
  const voxel = multiply(invert(source.indexToPatient), grid.indexToPatient);
  const [columns, rows, slices] = grid.shape;
  const out = new Uint8Array(columns * rows * slices);
  let inside = 0;
  for (let slice = 0, o = 0; slice < slices; slice++) {
    for (let row = 0; row < rows; row++) {
      let [x, y, z] = apply(voxel, [0, row, slice]);
      for (let column = 0; column < columns; column++, o++, x += voxel[0]!, y += voxel[4]!, z += voxel[8]!) {
        const [i, j, k] = [Math.round(x), Math.round(y), Math.round(z)];
        if (i < 0 || j < 0 || k < 0 || i >= shape[0] || j >= shape[1] || k >= shape[2]) continue;
        out[o] = labels[(k * shape[1] + j) * shape[0] + i]!;
        inside++;
      }
    }
  }
  if (inside === 0) throw refused('which do not overlap');
  return { labels: out, how: 'resampled', covered: inside / out.length };
}

interface Named {
  readonly name: string;
  readonly source: ImageReference;
}

/** Of two results that cannot be set against each other; `why` follows the names of both. */
export function otherImages(one: Named, other: Named, why: string): OverreadError {
  return new OverreadError(
    'input/inconsistent',
    `Expected two results on the same images, got ${one.name} on ${describeGrid(one.source)} and ${other.name} on ${describeGrid(other.source)}, ${why}. Compare results of one image or of one series.`,
    { expected: one.source.shape, got: other.source.shape },
  );
}

/** 'CR PA Chest, 1024 × 1024' */
export function describeGrid({ modality, attributes: { viewPosition, seriesDescription }, shape: [columns, rows, slices] }: ImageReference): string {
  const what = [modality, viewPosition, seriesDescription].filter(Boolean).join(' ');
  return `${what}, ${columns} × ${rows}${slices > 1 ? ` × ${slices}` : ''}`;
}

/** Whether two results lie on the same frames, in the same order. */
export function sameFrames(a: ImageReference, b: ImageReference): boolean {
  return a.shape.join() === b.shape.join() && keys(a) === keys(b);
}

function keys({ sources }: ImageReference): string {
  return sources.map(of => (isInstanceReference(of) ? `${of.sopInstanceUID}#${of.frame}` : of.file)).join();
}

function placed(source: ImageReference): source is Placed {
  return source.indexToPatient !== undefined;
}
