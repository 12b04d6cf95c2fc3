/**
 * Watershed of a flat relief from markers: they grow over the mask at one speed, over edges, until they meet; no line is
 * left between. A pixel has the marker that is nearest to it within the mask; of equally near ones that of the lowest
 * number. Equal to scikit-image's `watershed` of zeros but for such ties.
 *
 * L. Vincent and P. Soille, "Watersheds in digital spaces", IEEE PAMI 13(6), 1991; of a flat relief, its flooding by a
 * queue is all that is left.
 * @param markers columns · rows numbers, 0 where there is none; becomes the result, in place
 * @param mask of the same length; where it is 0, nothing grows
 */
export function growMarkers(markers: Int32Array, mask: Uint8Array, columns: number): void {
  const queue = new Int32Array(mask.length);
  let end = 0;
  for (let i = 0; i < markers.length; i++) if (markers[i] !== 0) queue[end++] = i;
  for (let begin = 0; begin < end; ) {
    // One step of all fronts: what is reached, whose it becomes (below zero as long as others look), and then it is.
    const reached = end;
    for (let next = begin; next < reached; next++) {
      forEachNeighbour(queue[next]!, columns, markers.length, j => {
        if (markers[j] !== 0 || mask[j] === 0) return;
        markers[j] = NOBODY;
        queue[end++] = j;
      });
    }
    for (let next = reached; next < end; next++) {
      let nearest = -NOBODY;
      forEachNeighbour(queue[next]!, columns, markers.length, j => {
        if (markers[j]! > 0 && markers[j]! < nearest) nearest = markers[j]!;
      });
      markers[queue[next]!] = -nearest;
    }
    for (let next = reached; next < end; next++) markers[queue[next]!] = -markers[queue[next]!]!;
    begin = reached;
  }
}

/** A pixel that is reached and not yet given. */
const NOBODY = -(2 ** 31 - 1);

/** The pixels that share an edge with one: above, left, right, below. */
export function forEachNeighbour(i: number, columns: number, pixels: number, visit: (j: number) => void): void {
  const x = i % columns;
  if (i >= columns) visit(i - columns);
  if (x > 0) visit(i - 1);
  if (x < columns - 1) visit(i + 1);
  if (i + columns < pixels) visit(i + columns);
}
