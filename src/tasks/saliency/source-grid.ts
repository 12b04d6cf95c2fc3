import { axisSamples, sampleRow } from '../../results/source-samples.ts';
import type { Placement } from '../task.ts';

/**
 * A map over the network's input, of any size, brought to the source's grid as segmentations are: bilinear at the
 * centres of the source's pixels. Pixels that the network did not see are 0.
 */
export function toSourceGrid(values: Float32Array, rows: number, columns: number, { scale, offset, sourceSize, inputSize }: Placement): Float32Array {
  const across = axisSamples({ scale: scale[0], offset: offset[0], sourceSize: sourceSize[0], inputSize: inputSize[0] }, columns);
  const down = axisSamples({ scale: scale[1], offset: offset[1], sourceSize: sourceSize[1], inputSize: inputSize[1] }, rows);
  const out = new Float32Array(sourceSize[0] * sourceSize[1]);
  for (let y = down.begin; y < down.end; y++) {
    const start = y * sourceSize[0];
    sampleRow(values, columns, 1, across, down, y - down.begin, out.subarray(start + across.begin, start + across.end));
  }
  return out;
}
