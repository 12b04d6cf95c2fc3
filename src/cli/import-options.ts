import type { ModelManifest } from '../manifest.ts';
import { usage } from './import-folder.ts';

/** What only the person who imports a tfjs or ONNX model can know, as it is typed. */
export interface TypedOptions {
  readonly task?: string;
  readonly activation?: string;
  readonly gives?: string;
  readonly range?: string;
  readonly normalisation?: string;
  readonly fit?: string;
}

/** The same, checked. */
export interface StatedOptions {
  readonly task: 'classify' | 'segment';
  readonly activation: ModelManifest['output']['activation'];
  readonly gives: ModelManifest['output']['gives'];
  readonly valueRange: readonly [min: number, max: number];
  readonly normalisation: ModelManifest['input']['normalisation'];
  readonly fit: ModelManifest['input']['fit'];
}

export const TYPED = ['task', 'activation', 'gives', 'range', 'normalisation', 'fit'] as const;

/**
 * Checks what was typed. Task, activation, output and value range have no default: a wrong one gives wrong results
 * without a word.
 * @throws OverreadError `cli/usage`
 */
export function statedOptions(typed: TypedOptions): StatedOptions {
  return {
    task: oneOf('--task', typed.task, ['classify', 'segment']),
    activation: oneOf('--activation', typed.activation, ['sigmoid', 'softmax', 'none']),
    gives: oneOf('--gives', typed.gives, ['logits', 'probability']),
    valueRange: pair('--range', typed.range ?? ''),
    normalisation: normalisationOf(typed.normalisation ?? 'representable'),
    fit: oneOf('--fit', typed.fit ?? 'crop', ['crop', 'letterbox', 'stretch']),
  };
}

function oneOf<T extends string>(option: string, given: string | undefined, allowed: readonly T[]): T {
  const found = allowed.find(each => each === given);
  if (found === undefined) throw usage(`${option} ${allowed.join(' or ')}`, given ?? 'none', 'Say it as the model was trained: it is not guessed from values');
  return found;
}

function normalisationOf(text: string): StatedOptions['normalisation'] {
  const [kind, numbers = ''] = text.split(':');
  switch (kind) {
    case 'representable':
    case 'zscore':
      return { kind };
    case 'percentile': {
      const [low, high] = pair('--normalisation percentile:LOW,HIGH', numbers);
      return { kind, low, high };
    }
    case 'window': {
      const [min, max] = pair('--normalisation window:MIN,MAX', numbers);
      return { kind, min, max };
    }
    default:
      throw usage('--normalisation representable, zscore, percentile:LOW,HIGH or window:MIN,MAX', text, 'Say it as the model was trained');
  }
}

function pair(option: string, text: string): [number, number] {
  const numbers = text.split(',').map(part => (part.trim() === '' ? NaN : Number(part)));
  const [low, high] = numbers;
  if (numbers.length !== 2 || !numbers.every(Number.isFinite) || low! >= high!) throw usage(`${option.includes(':') ? option : `${option} MIN,MAX`} with two numbers, the smaller first`, text || 'none', 'Say it as the model was trained: it is not guessed from values');
  return [low!, high!];
}
