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
  /** Of volumes. */
  readonly grid?: string;
  readonly modality?: string;
}

/** The same, checked. */
export interface StatedOptions {
  readonly task: 'classify' | 'segment';
  readonly activation: ModelManifest['output']['activation'];
  readonly gives: ModelManifest['output']['gives'];
  readonly valueRange: readonly [min: number, max: number];
  readonly normalisation: ModelManifest['input']['normalisation'];
  readonly fit: ModelManifest['input']['fit'];
  /** For volumes, which are conformed to it. */
  readonly grid?: NonNullable<ModelManifest['input']['grid']>;
  readonly modality?: readonly string[];
  /** Read at full resolution, in tiles. */
  readonly tiling?: boolean;
}

export const TYPED = ['task', 'activation', 'gives', 'range', 'normalisation', 'fit', 'grid', 'modality'] as const;

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
    ...placing(typed),
    ...(typed.modality !== undefined && { modality: modalities(typed.modality) }),
  };
}

/** Planes are fitted, volumes conformed. */
function placing({ fit, grid }: TypedOptions): Pick<StatedOptions, 'fit' | 'grid'> {
  if (grid === undefined) return { fit: oneOf('--fit', fit ?? 'crop', ['crop', 'letterbox', 'stretch']) };
  if (fit !== undefined) throw usage('no --fit with --grid', fit, 'A volume is conformed to its grid: leave --fit out');
  const [, axes, spacing] = /^([LRAPSI]{3}):([0-9.]+)$/.exec(grid) ?? [];
  if (axes === undefined || !(Number(spacing) > 0)) {
    throw usage('--grid AXES:MM, where the slices, rows and columns run to and how large a voxel is, such as LIA:1', grid, 'Say it as the model was trained');
  }
  return { fit: 'conform', grid: { axes, spacingMm: Number(spacing) } };
}

function modalities(text: string): string[] {
  const names = text.split(',').map(name => name.trim().toUpperCase());
  if (names.some(name => !/^[A-Z]{2,16}$/.test(name))) throw usage('--modality with DICOM modalities, such as MR or MR,OT', text, 'Say which images the model reads');
  return names;
}

function oneOf<T extends string>(option: string, given: string | undefined, allowed: readonly T[]): T {
  const found = allowed.find(each => each === given);
  if (found === undefined) throw usage(`${option} ${allowed.join(' or ')}`, given ?? 'none', 'Say it as the model was trained: it is not guessed from values');
  return found;
}

function normalisationOf(text: string): StatedOptions['normalisation'] {
  const [kind, numbers = '', how] = text.split(':');
  switch (kind) {
    case 'representable':
    case 'zscore':
      return { kind };
    case 'percentile': {
      const [low, high] = pair('--normalisation percentile:LOW,HIGH', numbers);
      if (how !== undefined && how !== 'unclipped') throw usage('--normalisation percentile:LOW,HIGH or percentile:LOW,HIGH:unclipped', text, 'Say it as the model was trained');
      return { kind, low, high, ...(how && { clip: false }) };
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
