import * as tf from '@tensorflow/tfjs-core';
import { setBackend, tidy, type Tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { Affine, Image } from '../../../src/image/image.ts';
import type { MrModality } from '../../../src/image/modality.ts';
import type { ModelManifest } from '../../../src/manifest.ts';
import type { LoadedModel } from '../../../src/runtime/types.ts';
import { knownSeries } from '../../../src/tasks/modalities.ts';
import { segmentModalities } from '../../../src/tasks/modalities-segment.ts';
import { tinyManifest } from '../runtime/tiny.ts';

beforeAll(() => setBackend('cpu'));

const MODALITIES = ['T1', 'T1c', 'T2', 'FLAIR'] as const;
const [ROWS, COLUMNS] = [48, 40];
const manifest: ModelManifest = tinyManifest('tiny-bright', m => ({
  ...m,
  input: {
    ...m.input, modality: ['MR', 'OT'], viewPosition: undefined, shape: [ROWS, COLUMNS, 1], valueRange: [-5, 5],
    normalisation: { kind: 'zscore', over: 'above-mean' }, modalities: [...MODALITIES],
  },
}));

/** A network in place of a loaded one: the mean of the present inputs, above 1 where bright; with what it was fed. */
function model(changed: Partial<ModelManifest['input']> = {}) {
  const fed: number[][] = [];
  const predict = async (inputs: readonly Tensor[]) => {
    const present = inputs.at(-1)!;
    fed.push([...(await present.data()).slice(0, MODALITIES.length)]);
    return [tidy(() => {
      const images = inputs.slice(0, -1).map((x, i) => tf.mul(x, tf.reshape(tf.slice(present, [0, i], [-1, 1]), [-1, 1, 1, 1])));
      return tf.mul(10, tf.sub(tf.div(tf.addN(images), tf.reshape(tf.sum(present, 1), [-1, 1, 1, 1])), 1));
    })];
  };
  return { loaded: { manifest: { ...manifest, input: { ...manifest.input, ...changed } }, predict } as unknown as LoadedModel, fed };
}

const [SX, SY, SZ] = [5, 4, 6];
const BALL = { at: [-20, 14, 30], radius: 22 } as const;
const HEAD = 70;

const { cos, hypot, sin } = Math;

/** A grey head with a bright ball, by where it lies in the patient. */
function valueAt(x: number, y: number, z: number): number {
  if (hypot(x, y, z) > HEAD) return 0;
  const wave = 60 + 8 * sin(x / 9) * cos(y / 7);
  return hypot(x - BALL.at[0], y - BALL.at[1], z - BALL.at[2]) < BALL.radius ? 150 : wave;
}

interface Grid {
  readonly shape: readonly [number, number, number];
  readonly indexToPatient: Affine;
}

const AXIAL: Grid = { shape: [34, 42, 27], indexToPatient: [SX, 0, 0, -82, 0, SY, 0, -82, 0, 0, SZ, -78, 0, 0, 0, 1] };
/** Columns to the back, rows to the feet, slices to the right. */
const SAGITTAL: Grid = { shape: [42, 30, 34], indexToPatient: [0, 0, -SX, 83, SY, 0, 0, -82, 0, -SZ, 0, 84, 0, 0, 0, 1] };

function series(modality: MrModality, grid: Grid = AXIAL, changes: Partial<Image> = {}): Image {
  const [columns, rows, slices] = grid.shape;
  const m = grid.indexToPatient;
  const pixels = new Float32Array(columns * rows * slices);
  for (let k = 0, i = 0; k < slices; k++) for (let j = 0; j < rows; j++) for (let c = 0; c < columns; c++, i++) {
    pixels[i] = valueAt(...([0, 1, 2].map(r => m[4 * r]! * c + m[4 * r + 1]! * j + m[4 * r + 2]! * k + m[4 * r + 3]!) as [number, number, number]));
  }
  const length = (axis: number) => Math.hypot(m[axis]!, m[4 + axis]!, m[8 + axis]!);
  return {
    sources: Array.from({ length: slices }, (_, s) => ({ studyInstanceUID: '1.2', seriesInstanceUID: `1.2.${MODALITIES.indexOf(modality)}`, sopInstanceUID: `1.2.${modality.length}.${s}`, frame: 1 })),
    frameOfReferenceUID: '1.9', modality: 'MR', channels: 1, representableRange: [0, 4095], pixels, ...grid,
    spacingMm: [length(0), length(1)], sliceSpacingMm: length(2), attributes: { patientID: 'P', seriesDescription: `${modality} ax`, mrModality: modality }, ...changes,
  };
}

/** Of the labels, against the ball as it is. */
function dice(labels: Uint8Array, grid: Grid): number {
  const truth = series('T1', grid).pixels;
  let [both, either] = [0, 0];
  truth.forEach((v, i) => {
    both += Number(v === 150) * labels[i]!;
    either += Number(v === 150) + labels[i]!;
  });
  return (2 * both) / either;
}

describe('a volume of several modalities', () => {
  test('is segmented on the grid of the first, from any that are there', async () => {
    const { loaded, fed } = model();
    const result = await segmentModalities(loaded, [series('FLAIR'), series('T1')]);
    expect(fed[0]).toEqual([1, 0, 0, 1]);
    expect(result.source.shape).toEqual(AXIAL.shape);
    expect(dice(result.labels, AXIAL)).toBeGreaterThan(0.93);
    expect(result.modalities!.used.map(({ modality, placement }) => [modality, placement.kind])).toEqual([['T1', 'same grid'], ['FLAIR', 'reference']]);
    expect(result.modalities!.missing).toEqual(['T1c', 'T2']);
    const [segment] = result.segments;
    expect(segment!.volumeMm3).toBeCloseTo(segment!.pixels * SX * SY * SZ, 3);
    // A probability for each voxel, so that the threshold can be moved.
    expect(result.probabilities!.values).toHaveLength(result.labels.length);
    expect(result.labels.every((label, i) => result.probabilities!.values[i]! >= 100 === (label === 1))).toBe(true);
  });

  test('of a sagittal reference goes through the network in axial slices, and back', async () => {
    const { loaded } = model();
    const result = await segmentModalities(loaded, [series('T2', SAGITTAL)]);
    expect(result.source.shape).toEqual(SAGITTAL.shape);
    expect(dice(result.labels, SAGITTAL)).toBeGreaterThan(0.93);
  });

  test('is brought together by geometry where the grids differ', async () => {
    const { loaded } = model();
    const result = await segmentModalities(loaded, [series('T1'), series('FLAIR', SAGITTAL)]);
    expect(dice(result.labels, AXIAL)).toBeGreaterThan(0.9);
    expect(result.modalities!.used[1]!.placement).toMatchObject({ kind: 'resampled' });
  });

  test('with pixels that are not square is read as it lies in the patient', async () => {
    const grid: Grid = { shape: [34, 84, 27], indexToPatient: AXIAL.indexToPatient.map((v, i) => (i === 5 ? 2 : v)) };
    const { loaded } = model();
    const seen: number[] = [];
    const predict = async (inputs: readonly Tensor[]) => {
      const [, rows, columns] = inputs[0]!.shape as [number, number, number];
      const values = await inputs[0]!.data();
      for (let s = 0; s < inputs[0]!.shape[0]!; s++) {
        const plane = values.slice(s * rows * columns, (s + 1) * rows * columns);
        const inside = [...plane.keys()].filter(i => plane[i]! > -1);
        if (inside.length > seen[0]! || seen.length === 0) {
          const across = inside.map(i => i % columns);
          const down = inside.map(i => Math.floor(i / columns));
          seen.splice(0, 3, inside.length, Math.max(...across) - Math.min(...across) + 1, Math.max(...down) - Math.min(...down) + 1);
        }
      }
      return loaded.predict(inputs);
    };
    const result = await segmentModalities({ ...loaded, predict } as LoadedModel, [series('T1', grid)]);
    expect(dice(result.labels, grid)).toBeGreaterThan(0.9);
    // The round head is round for the network.
    expect(Math.abs(seen[1]! - seen[2]!)).toBeLessThanOrEqual(2);
  });

  test('is registered where the frames of reference differ, and says how well', async () => {
    const shifted: Grid = { ...AXIAL, indexToPatient: AXIAL.indexToPatient.map((v, i) => (i === 3 ? v + 15 : i === 11 ? v - 8 : v)) };
    const elsewhere = { ...series('FLAIR'), indexToPatient: shifted.indexToPatient, frameOfReferenceUID: '1.10' };
    const { loaded } = model();
    const result = await segmentModalities(loaded, [series('T1'), elsewhere]);
    const { placement } = result.modalities!.used[1]!;
    if (placement.kind !== 'registered') throw new Error(placement.kind);
    expect(placement.registration.movedMm).toBeGreaterThan(14);
    expect(placement.registration.movedMm).toBeLessThan(20);
    expect(placement.registration.repeatabilityMm).toBeLessThan(2);
    expect(dice(result.labels, AXIAL)).toBeGreaterThan(0.85);
  }, 60_000);

  test('stops between slices when it is cancelled', async () => {
    const { loaded, fed } = model();
    const cancel = new AbortController();
    const run = segmentModalities(loaded, [series('T1')], { signal: cancel.signal, onProgress: ({ fraction }) => fraction && cancel.abort() });
    await expect(run).rejects.toMatchObject({ code: 'job/cancelled' });
    expect(fed.length).toBeLessThan(4);
  });
});

describe('refuses by name', () => {
  const refusal = async (images: readonly Image[]) => segmentModalities(model().loaded, images).then(() => undefined, (error: unknown) => error as { code: string; message: string });
  const far: Grid = { ...AXIAL, indexToPatient: AXIAL.indexToPatient.map((v, i) => (i === 11 ? v + 400 : v)) };
  const uid = (studyInstanceUID: string) => ({ sources: [{ studyInstanceUID, seriesInstanceUID: '5', sopInstanceUID: '6', frame: 1 }] });
  const unknown = { attributes: { patientID: 'P', seriesDescription: 'ax brain' } };

  test.each<[string, readonly Image[], string, RegExp]>([
    ['no series', [], 'input/modalities', /at least one of T1, T1c, T2, FLAIR, got none/],
    ['another modality', [series('T1', AXIAL, { modality: 'CT' })], 'input/refused', /reads series of modality MR or OT, but this series is modality CT/],
    ['no spacing', [series('T1', AXIAL, { indexToPatient: undefined, spacingMm: undefined })], 'input/refused', /without position, orientation or pixel spacing/],
    ['colour', [series('T1', AXIAL, { channels: 3 })], 'input/refused', /reads grey values/],
    ['1 × 1', [series('T1', { shape: [1, 1, 3], indexToPatient: AXIAL.indexToPatient })], 'input/refused', /at least 16 × 16 voxels, but this series is 1 × 1/],
    ['one it cannot tell', [series('T1', AXIAL, unknown)], 'input/modalities', /cannot be told which of T1, T1c, T2, FLAIR the series 'ax brain' is/],
    ['two of one', [series('T1'), series('T1', SAGITTAL)], 'input/modalities', /each modality once, got 2 series that are T1/],
    ['two studies', [series('T1'), series('T2', AXIAL, uid('7.7'))], 'input/modalities', /one study \(StudyInstanceUID\) together, got 1.2 and 7.7/],
    ['two patients', [series('T1'), series('T2', AXIAL, { attributes: { patientID: 'Q', mrModality: 'T2' } })], 'input/modalities', /one patient \(PatientID\) together, got P and Q/],
    ['files that name no study', [series('T1', AXIAL, { sources: [{ file: 'a' }] }), series('T2', AXIAL, { sources: [{ file: 'b' }] })], 'input/modalities', /cannot be shown to be of the same one/],
    ['another part of the body', [series('T1'), series('T2', far)], 'input/modalities', /covers 0 % of T1/],
    ['NaN', [series('T1'), { ...series('T2'), pixels: series('T2').pixels.fill(NaN, 5, 6) }], 'input/unsupported-pixels', /got NaN at pixel 5/],
    ['infinity', [{ ...series('T2'), pixels: series('T2').pixels.fill(Infinity, 7, 8) }], 'input/unsupported-pixels', /got Infinity at pixel 7/],
  ])('%s', async (_, images, code, message) => {
    const error = await refusal(images);
    expect(error).toMatchObject({ code });
    expect(error!.message).toMatch(message);
  });

  test('another frame of reference where no registration is found', async () => {
    let seed = 1;
    const noise = series('FLAIR', AXIAL, { frameOfReferenceUID: '1.10' });
    const error = await refusal([series('T1'), { ...noise, pixels: noise.pixels.map(() => (seed = (seed * 48271) % 2147483647)) }]);
    expect(error!.message).toMatch(/FLAIR \('FLAIR ax'\) cannot be laid on T1\. Its frame of reference \(1\.10\) is not that of T1 \(1\.9\)\. No rigid registration was found/);
  }, 60_000);

  test('a modality that the model does not read', () => {
    const { loaded } = model({ modalities: ['T1', 'FLAIR'] });
    expect(() => knownSeries([series('T2')], loaded.manifest)).toThrow(/reads T1, FLAIR, got T2/);
  });
});
