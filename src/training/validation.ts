import { tensor, tidy } from '@tensorflow/tfjs-core';
import type { ModelManifest } from '../manifest.ts';
import { auc } from '../metrics/auc.ts';
import { outputChannels, type Example } from './examples.ts';
import type { Session } from './session.ts';

/** Pictures with no target at all have no Dice; a network that finds nothing there is right. */
const NOTHING = 1;

/**
 * How well the network does on pictures that it does not learn from, the higher the better: of masks the mean over pictures
 * of the Dice at the operating points, of scores the mean over labels of the area under the curve. A quick measure, to steer
 * by: of a picture that is larger than the network's input, its middle; the report at the end is made by `overread eval`.
 */
export async function validate(session: Session, examples: readonly Example[], manifest: ModelManifest): Promise<number> {
  return manifest.task === 'segment' ? meanDice(session, examples, manifest) : meanAuc(session, examples, manifest);
}

async function meanDice(session: Session, examples: readonly Example[], manifest: ModelManifest): Promise<number> {
  const { output: { targets, activation, instances } } = manifest;
  const channels = outputChannels(manifest);
  const softmax = activation === 'softmax';
  const thresholds = targets.map(({ operatingPoint: p = 0.5 }) => Math.log(p / (1 - p)));
  const judged = targets.map(({ label }, t) => ({ label, t })).filter(({ label }) => label !== instances?.edge).map(({ t }) => t);
  let sum = 0;
  for (const example of examples) {
    const { picture, truth, rows, columns } = middle(example, manifest);
    const values = await logitsOf(session, picture, [rows, columns, example.channels]);
    let dice = 0;
    for (const t of judged) {
      const channel = t + Number(softmax);
      let [both, either] = [0, 0];
      for (let i = 0; i < rows * columns; i++) {
        const found = softmax ? largestAt(values, i * channels, channels) === channel : values[i * channels + channel]! >= thresholds[t]!;
        const real = truth[i * channels + channel]! > 0;
        both += Number(found && real);
        either += Number(found) + Number(real);
      }
      dice += either === 0 ? NOTHING : (2 * both) / either;
    }
    sum += dice / judged.length;
  }
  return sum / examples.length;
}

async function meanAuc(session: Session, examples: readonly Example[], { output: { targets } }: ModelManifest): Promise<number> {
  const scores: Float32Array[] = [];
  for (const { picture, rows, columns, channels } of examples) scores.push(await logitsOf(session, picture, [rows, columns, channels]));
  const areas = targets.flatMap((_, t) => {
    const known = examples.map((_, i) => i).filter(i => !Number.isNaN(examples[i]!.labels![t]!));
    const area = auc(known.map(i => scores[i]![t]!), known.map(i => examples[i]!.labels![t]! === 1));
    return area === undefined ? [] : [area];
  });
  return areas.length === 0 ? 0.5 : areas.reduce((a, b) => a + b, 0) / areas.length;
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
