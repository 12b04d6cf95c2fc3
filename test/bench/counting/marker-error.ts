/**
 * How far the markers of the shipped `cell-count` stand from the true centres of generated nuclei (the recipe's validation
 * fields, which decided nothing), through the engine on WebAssembly:
 *
 *     node --import ./test/generators/typescript.mjs test/bench/counting/marker-error.ts [--fields 40]
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Image } from '../../../src/image/image.ts';
import { infer } from '../../../src/infer.ts';
import { matchPoints } from '../../../src/metrics/point-matching.ts';
import { cellField, type CellField } from '../../../src/phantoms/cells.ts';
import type { PointsResult } from '../../../src/results/points.ts';
import { diskFiles } from '../../../src/runtime/node-files.ts';
import { wasmFolder } from '../../../src/runtime/node-wasm.ts';
import { createRuntime } from '../../../src/runtime/runtime.ts';

const { values: options } = parseArgs({ options: { fields: { type: 'string', default: '40' } } });
/** Of the recipe's validation fields, see its fields.ts. */
const FIRST = 2_000_000;

const runtime = await createRuntime({ backend: 'wasm', wasmPath: wasmFolder(import.meta.url) });
const model = await runtime.load(diskFiles(path.resolve(import.meta.dirname, '../../../models/cell-count')));
const distances: number[] = [];
let [nuclei, markers] = [0, 0];
for (let i = 0; i < Number(options.fields); i++) {
  const field = cellField({ seed: FIRST + i });
  const found = (await infer(runtime, model, [imageOf(field)])) as PointsResult;
  const [truth, given] = [field.dots.flatMap(({ x, y }) => [x, y]), [...found.coordinates]];
  distances.push(...matchPoints(truth, given, medianDiameter(field) / 2).pairs.map(({ distance }) => distance));
  nuclei += field.dots.length;
  markers += found.classOf.length;
}
runtime.dispose();
distances.sort((a, b) => a - b);
const at = (q: number) => distances[Math.floor(q * (distances.length - 1))]!.toFixed(2);
console.log(`${nuclei} nuclei, ${markers} markers, ${distances.length} of them on a nucleus: median error ${at(0.5)} pixels, 90 % within ${at(0.9)}`);

function imageOf({ columns, rows, rgb }: CellField): Image {
  return { pixels: Float32Array.from(rgb), sources: [{ file: 'field' }], modality: 'SM', shape: [columns, rows, 1], channels: 3, representableRange: [0, 255], attributes: {} };
}

/** Of the nuclei as they are drawn, were each a disc. */
function medianDiameter({ instances, dots }: CellField): number {
  const areas = new Float64Array(dots.length);
  for (const number of instances) if (number > 0) areas[number - 1]!++;
  const diameters = [...areas].filter(area => area > 0).map(area => 2 * Math.sqrt(area / Math.PI)).sort((a, b) => a - b);
  return diameters[Math.floor(diameters.length / 2)]!;
}
