import type { InputSpec } from '../manifest.ts';
import type { Placement } from '../tasks/task.ts';
import type { Plane } from './resize.ts';

/** The part of the source that is read, its size after resizing, and where that lies in the input, in whole pixels. */
export interface Fit {
  readonly crop: { readonly x: number; readonly y: number; readonly columns: number; readonly rows: number };
  readonly size: { readonly columns: number; readonly rows: number };
  readonly at: { readonly x: number; readonly y: number };
  readonly placement: Placement;
}

/**
 * Lays a source plane of any size into the network's input, as the manifest's `fit` says.
 * Letterbox: scale = min(input / source) of both sides, each side floor(side · scale + 1/2) and at least 1, the rest
 * shared with the smaller half before. Crop: the largest centred part with the input's proportions.
 * @param source and input: [columns, rows]
 */
export function fitPlane(fit: Exclude<InputSpec['fit'], 'conform'>, source: readonly [number, number], input: readonly [number, number]): Fit {
  const [columns, rows] = source;
  const whole = { x: 0, y: 0, columns, rows };
  switch (fit) {
    case 'stretch':
      return fitted(whole, input, { columns: input[0], rows: input[1] });
    case 'letterbox': {
      const scale = Math.min(input[0] / columns, input[1] / rows);
      return fitted(whole, input, { columns: scaled(columns, scale), rows: scaled(rows, scale) });
    }
    case 'crop': {
      const scale = Math.max(input[0] / columns, input[1] / rows);
      const width = Math.min(columns, scaled(input[0], 1 / scale));
      const height = Math.min(rows, scaled(input[1], 1 / scale));
      const crop = { x: Math.floor(columns / 2) - Math.floor(width / 2), y: Math.floor(rows / 2) - Math.floor(height / 2), columns: width, rows: height };
      return fitted(crop, input, { columns: input[0], rows: input[1] });
    }
  }

  function fitted(crop: Fit['crop'], [inColumns, inRows]: readonly [number, number], size: Fit['size']): Fit {
    const at = { x: Math.floor((inColumns - size.columns) / 2), y: Math.floor((inRows - size.rows) / 2) };
    const scaleX = size.columns / crop.columns;
    const scaleY = size.rows / crop.rows;
    return {
      crop,
      size,
      at,
      placement: {
        scale: [scaleX, scaleY],
        offset: [at.x - crop.x * scaleX, at.y - crop.y * scaleY],
        inputSize: [inColumns, inRows],
        sourceSize: [columns, rows],
      },
    };
  }
}

function scaled(side: number, scale: number): number {
  return Math.max(1, Math.floor(side * scale + 0.5));
}

/** The crop of a plane; the plane itself when it is whole. */
export function cropPlane(plane: Plane, { x, y, columns, rows }: Fit['crop']): Plane {
  if (x === 0 && y === 0 && columns === plane.columns && rows === plane.rows) return plane;
  const { channels } = plane;
  const values = new Float32Array(columns * rows * channels);
  for (let row = 0; row < rows; row++) {
    const from = ((y + row) * plane.columns + x) * channels;
    values.set(plane.values.subarray(from, from + columns * channels), row * columns * channels);
  }
  return { values, columns, rows, channels };
}

/** The plane on a larger one that is `pad` everywhere else. */
export function padPlane(plane: Plane, [columns, rows]: readonly [number, number], at: Fit['at'], pad: number): Plane {
  if (plane.columns === columns && plane.rows === rows) return plane;
  const { channels } = plane;
  const values = new Float32Array(columns * rows * channels).fill(pad);
  for (let row = 0; row < plane.rows; row++) {
    const line = plane.values.subarray(row * plane.columns * channels, (row + 1) * plane.columns * channels);
    values.set(line, ((at.y + row) * columns + at.x) * channels);
  }
  return { values, columns, rows, channels };
}
