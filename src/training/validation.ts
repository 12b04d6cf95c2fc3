import { tensor, tidy } from '@tensorflow/tfjs-core';
import type { ModelManifest } from '../manifest.ts';
import { auc } from '../metrics/auc.ts';
import { outputChannels, type Example } from './examples.ts';
import type { Session } from './session.ts';

/** Pictures with no target at all have no Dice; a network that finds nothing there is right. */
const NOTHING = 1;

/** What the network makes of the pictures that are held back, to be looked at while it learns. */
export type Predictions =
  | { readonly kind: 'masks'; readonly pictures: readonly PredictedMask[] }
  /** Of every held-back picture and each label that is known of it; logits. */
  | { readonly kind: 'scores'; readonly scores: readonly { readonly label: string; readonly logit: number; readonly truth: boolean }[] };

/** Of one picture, small: columns · rows each. */
export interface PredictedMask {
  readonly id: string;
  readonly columns: number;
  readonly rows: number;
  /** Grey values, the picture's darkest 0 and its brightest 255. */
  readonly grey: Uint8Array;
  /** 1 where any target is, and where any was found. */
  readonly truth: Uint8Array;
  readonly found: Uint8Array;
}

export interface Validated {
  /** The higher the better. */
  readonly metric: number;
  readonly predictions: Predictions;
}

/** So many masks are shown as they change, of so many pixels at the longer side. */
const SHOWN = 3;
const SHOWN_SIDE = 96;

/**
 * How well the network does on pictures that it does not learn from: of masks the mean over pictures
 * of the Dice at the operating points, of scores the mean over labels of the area under the curve. A quick measure, to steer
 * by: of a picture that is larger than the network's input, its middle; the report at the end is made by `overread eval`.
 */
export async function validate(session: Session, examples: readonly Example[], manifest: ModelManifest): Promise<Validated> {
  return manifest.task === 'segment' ? meanDice(session, examples, manifest) : meanAuc(session, examples, manifest);
}

async function meanDice(session: Session, examples: readonly Example[], manifest: ModelManifest): Promise<Validated> {
  const { output: { targets, activation, instances } } = manifest;
  const channels = outputChannels(manifest);
  const softmax = activation === 'softmax';
  const thresholds = targets.map(({ operatingPoint: p = 0.5 }) => Math.log(p / (1 - p)));
  const judged = targets.map(({ label }, t) => ({ label, t })).filter(({ label }) => label !== instances?.edge).map(({ t }) => t);
  let sum = 0;
  const pictures: PredictedMask[] = [];
  for (const example of examples) {
    const { picture, truth, rows, columns } = middle(example, manifest);
    const [anywhere, seen] = [new Uint8Array(rows * columns), new Uint8Array(rows * columns)];
    const values = await logitsOf(session, picture, [rows, columns, example.channels]);
    let dice = 0;
    for (const t of judged) {
      const channel = t + Number(softmax);
      let [both, either] = [0, 0];
      for (let i = 0; i < rows * columns; i++) {
        const found = softmax ? largestAt(values, i * channels, channels) === channel : values[i * channels + channel]! >= thresholds[t]!;
        const real = truth[i * channels + channel]! > 0;
        both += Number(found && real);
        anywhere[i]! |= Number(real);
        seen[i]! |= Number(found);
        either += Number(found) + Number(real);
      }
      dice += either === 0 ? NOTHING : (2 * both) / either;
    }
    sum += dice / judged.length;
    if (pictures.length < SHOWN) pictures.push(small({ id: example.id, picture, channels: example.channels, truth: anywhere, found: seen, rows, columns }));
  }
  return { metric: sum / examples.length, predictions: { kind: 'masks', pictures } };
}

/** Every so many pixels of a picture and its masks. */
function small({ id, picture, channels, truth, found, rows, columns }: { readonly id: string; readonly picture: Float32Array; readonly channels: number; readonly truth: Uint8Array; readonly found: Uint8Array; readonly rows: number; readonly columns: number }): PredictedMask {
  const each = Math.max(1, Math.ceil(Math.max(rows, columns) / SHOWN_SIDE));
  const [width, height] = [Math.ceil(columns / each), Math.ceil(rows / each)];
  const at = Array.from({ length: width * height }, (_, i) => Math.floor(i / width) * each * columns + (i % width) * each);
  const values = at.map(i => picture.subarray(i * channels, (i + 1) * channels).reduce((a, b) => a + b, 0) / channels);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return {
    id, columns: width, rows: height, truth: Uint8Array.from(at, i => truth[i]!), found: Uint8Array.from(at, i => found[i]!),
    grey: Uint8Array.from(values, v => (high > low ? Math.round((255 * (v - low)) / (high - low)) : 0)),
  };
}

async function meanAuc(session: Session, examples: readonly Example[], { output: { targets } }: ModelManifest): Promise<Validated> {
  const scores: Float32Array[] = [];
  for (const { picture, rows, columns, channels } of examples) scores.push(await logitsOf(session, picture, [rows, columns, channels]));
  const known: { label: string; logit: number; truth: boolean }[] = [];
  const areas = targets.flatMap(({ label }, t) => {
    const of = examples.flatMap(({ labels }, i) => (Number.isNaN(labels![t]!) ? [] : [{ label, logit: scores[i]![t]!, truth: labels![t]! === 1 }]));
    known.push(...of);
    const area = auc(of.map(({ logit }) => logit), of.map(({ truth }) => truth));
    return area === undefined ? [] : [area];
  });
  return { metric: areas.length === 0 ? 0.5 : areas.reduce((a, b) => a + b, 0) / areas.length, predictions: { kind: 'scores', scores: known } };
}

async function logitsOf(session: Session, picture: Float32Array, shape: readonly [number, number, number]): Promise<Float32Array> {
  const logits = tidy(() => session.logits(tensor(picture, [1, ...shape])));
  try {
    return ((await logits.data()) as Float32Array).slice();
  } finally {
    logits.dispose();
  }
}

function largestAt(values: Float32Array, at: number, channels: number): number {
  let best = 0;
  for (let c = 1; c < channels; c++) if (values[at + c]! > values[at + best]!) best = c;
  return best;
}

/** The middle of a picture, at most as large as the network's input and of sides that it can halve. */
function middle({ picture, truth, rows, columns, channels }: Example, manifest: ModelManifest): { picture: Float32Array; truth: Uint8Array; rows: number; columns: number } {
  const outputs = outputChannels(manifest);
  const [inputRows, inputColumns] = manifest.input.shape as unknown as [number, number, number];
  const side = (own: number, input: number) => (own >= input ? input : Math.max(STEP, Math.floor(own / STEP) * STEP));
  const [height, width] = [side(rows, inputRows), side(columns, inputColumns)];
  if (height === rows && width === columns) return { picture, truth: truth!, rows, columns };
  const [top, left] = [Math.max(0, rows - height) >> 1, Math.max(0, columns - width) >> 1];
  const cut = <T extends Float32Array | Uint8Array>(from: T, into: T, each: number) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (Math.min(rows - 1, top + y) * columns + Math.min(columns - 1, left + x)) * each;
        for (let c = 0; c < each; c++) into[(y * width + x) * each + c] = from[at + c]!;
      }
    }
    return into;
  };
  return { picture: cut(picture, new Float32Array(height * width * channels), channels), truth: cut(truth!, new Uint8Array(height * width * outputs), outputs), rows: height, columns: width };
}

/** Networks of ours halve five times at most. */
const STEP = 32;
