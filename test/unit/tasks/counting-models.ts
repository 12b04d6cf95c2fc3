import { memory, tensor4d, type Tensor } from '@tensorflow/tfjs-core';
import { layers as tfl, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import type { Image } from '../../../src/image/image.ts';
import type { Counting, ModelManifest } from '../../../src/manifest.ts';
import { seededRandom } from '../../../src/phantoms/random.ts';
import { receptiveField } from '../../../src/runtime/receptive-field.ts';
import type { LoadedModel } from '../../../src/runtime/types.ts';
import { picture, tinyManifest } from '../runtime/tiny.ts';

/** Networks whose count is known: a picture is cells already, each a small hill, or a box of a redundant map by its sum. */
export const TILE = 48;
export const FIELD = 8;
const tiling = { overlap: 'receptive-field', padding: 'edge' } as const;

export interface Cell {
  readonly x: number;
  readonly y: number;
  readonly kind?: number;
}

/** A picture in which each cell sums to one; of two kinds, in red and green. */
export function cellsPicture(columns: number, rows: number, cells: readonly Cell[], { sigma = 1.2, channels = 1, changes = {} }: { sigma?: number; channels?: 1 | 3; changes?: Partial<Image> } = {}): Image {
  const pixels = new Float32Array(columns * rows * channels);
  for (const { x, y, kind = 0 } of cells) {
    for (let dy = -6; dy <= 6; dy++) {
      for (let dx = -6; dx <= 6; dx++) {
        const [px, py] = [Math.round(x) + dx, Math.round(y) + dy];
        if (px < 0 || py < 0 || px >= columns || py >= rows) continue;
        pixels[(py * columns + px) * channels + (channels === 1 ? 0 : kind)]! += Math.exp(-((px - x) ** 2 + (py - y) ** 2) / (2 * sigma * sigma)) / (2 * Math.PI * sigma * sigma);
      }
    }
  }
  return { ...picture(columns, rows, () => 0, changes), channels, pixels, representableRange: [0, 1], ...changes };
}

/** Cells at least so far apart, and away from the border by as much. */
export function scatter(seed: number, columns: number, rows: number, wanted: number, apart = 7): Cell[] {
  const random = seededRandom(seed);
  const cells: Cell[] = [];
  for (let tries = 0; cells.length < wanted && tries < 100 * wanted; tries++) {
    const cell = { x: random.uniform(apart, columns - apart), y: random.uniform(apart, rows - apart), kind: random.integer(2) };
    if (cells.every(other => Math.hypot(other.x - cell.x, other.y - cell.y) >= apart)) cells.push(cell);
  }
  return cells;
}

export function countingManifest(counting: Partial<Counting> = {}, { input = {}, output = {} }: { input?: object; output?: object } = {}): ModelManifest {
  const kind = counting.kind ?? 'density';
  return tinyManifest('tiny-bright', m => ({
    ...m, task: 'count',
    input: { ...m.input, shape: [TILE, TILE, 1], normalisation: { kind: 'representable' }, valueRange: [0, 1], tiling, ...input },
    output: {
      activation: 'none', gives: 'density', targets: [{ ...m.output.targets[0]!, label: 'Cell' }],
      counting: { kind, unitSum: kind === 'redundant' ? FIELD ** 2 : 100, minimumDistancePixels: 3, minimumPeak: 0.3, ...(kind === 'redundant' && { field: FIELD }), ...counting },
      ...output,
    },
  }) as unknown as ModelManifest);
}

/** Two kinds of cells, in the red and the green of a picture. */
export const twoKinds = (counting: Partial<Counting> = {}) => countingManifest(counting, {
  input: { shape: [TILE, TILE, 3], channels: ['red', 'green', 'blue'], modality: ['OT'] },
  output: { targets: ['Red', 'Green'].map(label => ({ label, concept: { codeValue: label, codingSchemeDesignator: '99TEST', codeMeaning: label } })) },
});

/** @param scale of its last layer: what one cell sums to */
export function densityNetwork(channels: 1 | 3 = 1, scale = 100): LayersModel {
  const classes = channels === 1 ? 1 : 2;
  const blur = [1, 4, 6, 4, 1];
  const kernel = new Float32Array(25 * channels * classes);
  for (let y = 0; y < 5; y++) for (let x = 0; x < 5; x++) for (let c = 0; c < classes; c++) kernel[((y * 5 + x) * channels + c) * classes + c] = (scale * blur[y]! * blur[x]!) / 256;
  return single(tfl.conv2d({ kernelSize: 5, filters: classes, padding: 'same', useBias: false, inputShape: [TILE, TILE, channels] }), [5, 5, channels, classes], kernel);
}

export function redundantNetwork(channels: 1 | 3 = 1): LayersModel {
  const classes = channels === 1 ? 1 : 2;
  const kernel = new Float32Array(FIELD * FIELD * channels * classes);
  for (let i = 0; i < FIELD * FIELD; i++) for (let c = 0; c < classes; c++) kernel[(i * channels + c) * classes + c] = 1;
  const network = sequential({ layers: [
    tfl.zeroPadding2d({ padding: [[FIELD - 1, FIELD - 1], [FIELD - 1, FIELD - 1]], inputShape: [TILE, TILE, channels] }),
    tfl.conv2d({ kernelSize: FIELD, filters: classes, padding: 'valid', useBias: false }),
  ] });
  network.setWeights([tensor4d(kernel, [FIELD, FIELD, channels, classes])]);
  return network;
}

function single(layer: ReturnType<typeof tfl.conv2d>, shape: [number, number, number, number], kernel: Float32Array): LayersModel {
  const network = sequential({ layers: [layer] });
  network.setWeights([tensor4d(kernel, shape)]);
  return network;
}

/** A network in place of a loaded one. */
export function loaded(network: LayersModel, manifest: ModelManifest) {
  const calls: number[] = [];
  const predict = async (inputs: readonly Tensor[]) => {
    calls.push(memory().numTensors);
    return [network.predict(inputs[0]!) as Tensor];
  };
  const field = receptiveField(network);
  return { model: { manifest, predict, receptiveField: async () => field, identity: { sha256: '0' } } as unknown as LoadedModel, field, calls };
}
