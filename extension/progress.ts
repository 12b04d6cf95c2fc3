import type { Progress } from '../src/runtime/types.ts';

const WORDS: { readonly [S in Progress['stage']]: string } = {
  download: 'Downloading the model',
  verify: 'Checking the model',
  compile: 'Preparing the model for this device',
  'read pixels': 'Reading the image',
  gate: 'Checking the picture',
  encode: 'Preparing the image',
  infer: 'Running the model',
  decode: 'Drawing the result',
};

/** Where each stage lies on the bar. Widths are what a first run takes on an ordinary line; they promise nothing. */
const STAGES: readonly (readonly [stage: Progress['stage'], from: number, to: number])[] = [
  ['read pixels', 0, 0.08],
  ['download', 0.08, 0.45],
  ['verify', 0.45, 0.5],
  ['compile', 0.5, 0.62],
  ['gate', 0.62, 0.64],
  ['encode', 0.64, 0.66],
  ['infer', 0.66, 0.95],
  ['decode', 0.95, 1],
];

export interface ProgressView {
  /** What is going on, for a person: 'Downloading the model'. */
  readonly text: string;
  /** Numbers that change often: 'tile 12 of 400'. */
  readonly detail?: string;
  /** How much of this stage is done, where that is known. */
  readonly percent?: number;
  /** 0..1, how far the bar is. */
  readonly fraction: number;
}

/** A stage in words, and its place on the bar. */
export function describeProgress({ stage, fraction }: Progress): ProgressView {
  const [, from, to] = STAGES.find(([name]) => name === stage) ?? [stage, 0, 0];
  const within = fraction === undefined || Number.isNaN(fraction) ? 0 : Math.min(1, Math.max(0, fraction));
  return {
    text: WORDS[stage],
    ...(fraction !== undefined && { percent: Math.round(within * 100) }),
    fraction: from + (to - from) * within,
  };
}
