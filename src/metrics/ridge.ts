import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { mulberry32 } from './mulberry32.ts';

/** What a fold's pictures are told by the others: scores = weights · labels of the others. */
export interface RidgeFold {
  readonly test: readonly number[];
  readonly train: readonly number[];
  /** test · train, row by row */
  readonly weights: Float64Array;
}

/** Items by fold, whole patients in an order of their own. */
export function patientFolds(patients: readonly string[], folds: number, seed: number): number[][] {
  const names = [...new Set(patients)];
  const random = mulberry32(seed ^ 0x5f0_1d5);
  for (let i = names.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [names[i], names[j]] = [names[j]!, names[i]!];
  }
  const foldOfPatient = new Map(names.map((name, i) => [name, i % folds]));
  return Array.from({ length: Math.min(folds, names.length) }, (_, fold) => patients.flatMap((patient, i) => (foldOfPatient.get(patient) === fold ? [i] : [])));
}

/**
 * Products of items with each other, divided by the number of features.
 * @param standardise every feature to deviation 1: of numbers of different kinds. Of pixels it would hide the few that differ much among the many that do not.
 */
export function ridgeKernel(features: readonly Float32Array[], { standardise }: { readonly standardise: boolean }): Float64Array {
  const [n, size] = [features.length, features[0]!.length];
  const standard = features.map(() => new Float64Array(size));
  for (let f = 0; f < size; f++) {
    let [sum, squares] = [0, 0];
    for (const item of features) sum += item[f]!;
    for (const item of features) squares += (item[f]! - sum / n) ** 2;
    const deviation = standardise ? Math.sqrt(squares / n) : 1;
    if (deviation > 1e-9) features.forEach((item, i) => (standard[i]![f] = (item[f]! - sum / n) / deviation));
  }
  const kernel = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      const [a, b] = [standard[i]!, standard[j]!];
      for (let f = 0; f < size; f++) sum += a[f]! * b[f]!;
      kernel[i * n + j] = kernel[j * n + i] = sum / size;
    }
  }
  return kernel;
}

/** Of the mean of the centred kernel's diagonal. */
const PENALTY = 0.1;

export function ridgeFold(test: readonly number[], kernel: Float64Array): RidgeFold {
  const n = Math.sqrt(kernel.length);
  const held = new Set(test);
  const train = Array.from({ length: n }, (_, i) => i).filter(i => !held.has(i));
  const k = (i: number, j: number) => kernel[i * n + j]!;
  // Centred by what is known of the training only.
  const means = Float64Array.from({ length: n }, (_, i) => train.reduce((sum, j) => sum + k(i, j), 0) / train.length);
  const all = train.reduce((sum, j) => sum + means[j]!, 0) / train.length;
  const centred = (of: readonly number[]) => new Matrix(of.map(i => train.map(j => k(i, j) - (means[i]! + means[j]!) + all)));
  const own = centred(train);
  const penalty = (PENALTY * own.trace()) / train.length || 1;
  for (let i = 0; i < train.length; i++) own.set(i, i, own.get(i, i) + penalty);
  const weights = new CholeskyDecomposition(own).solve(centred(test).transpose()).transpose();
  return { test, train, weights: Float64Array.from(weights.to1DArray()) };
}

export function ridgeScores({ test, train, weights }: RidgeFold, labels: ArrayLike<number>, group: number): Float64Array {
  const truths = Float64Array.from(train, i => Number(labels[i] === group));
  const mean = truths.reduce((sum, t) => sum + t, 0) / truths.length;
  const scores = new Float64Array(test.length);
  for (let i = 0; i < test.length; i++) {
    let sum = 0;
    for (let j = 0; j < truths.length; j++) sum += weights[i * truths.length + j]! * (truths[j]! - mean);
    scores[i] = sum;
  }
  return scores;
}
