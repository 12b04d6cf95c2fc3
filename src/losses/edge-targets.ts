export interface EdgeOptions {
  /** How far from a change of label a pixel may lie to count, in pixels along rows, columns and diagonals; 1 is the pixels on either side. */
  readonly width?: number;
  /** Only between two objects, not between an object and the background. */
  readonly betweenObjects?: boolean;
}

/**
 * The edges of objects as a class of their own, which a network with an edge head learns beside the objects and by which
 * those that touch are split.
 *
 * A. Polzounov, A. Ablavatski, S. Escalera, S. Lu, J. Cai, "WordFence: text detection in natural images with border
 * awareness", ICIP 2017.
 * @param instances columns · rows, 0 is background, one number an object
 * @returns columns · rows, 1 on edges
 */
export function edgeTargets(instances: ArrayLike<number>, columns: number, rows: number, { width = 1, betweenObjects = false }: EdgeOptions = {}): Uint8Array {
  const edges = new Uint8Array(columns * rows);
  const differ = (a: number, b: number) => a !== b && (!betweenObjects || (a !== 0 && b !== 0));
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const own = instances[y * columns + x]!;
      // A pixel is within `width` of a change where a pixel at most `width` away has another label.
      search: for (let v = Math.max(0, y - width); v <= Math.min(rows - 1, y + width); v++) {
        for (let u = Math.max(0, x - width); u <= Math.min(columns - 1, x + width); u++) {
          if (!differ(own, instances[v * columns + u]!)) continue;
          edges[y * columns + x] = 1;
          break search;
        }
      }
    }
  }
  return edges;
}

/** Weights for a loss, so that few edge pixels count against many others: `weight` on edges (10 when left out), elsewhere 1. */
export function edgeWeights(edges: Uint8Array, weight = 10): Float32Array {
  return Float32Array.from(edges, edge => (edge ? weight : 1));
}
