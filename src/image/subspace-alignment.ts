import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { OverreadError } from '../errors.ts';

/** Two sets of vectors brought to one description, and the way from the one into the other. */
export interface SubspaceAlignment {
  readonly dimensions: number;
  /** Source vectors as coordinates in the target's subspace, after the source's was aligned with it (the paper's S·X_S·X_Sᵀ·X_T). */
  readonly source: readonly Float64Array[];
  /** Target vectors as coordinates in their own subspace (T·X_T). A coordinate's sign is arbitrary, the same in both. */
  readonly target: readonly Float64Array[];
  /** A vector of the target as one of the source's subspace; what lies outside of the subspaces is lost. */
  toSource(vector: Float32Array): Float32Array;
  /** A vector of the source in its own subspace, for comparison with {@link toSource}: outside of it the two sets would still be told apart. */
  inSource(vector: Float32Array): Float32Array;
}

/**
 * Aligns the subspace of the first principal components of one set of vectors with that of another; no labels are used. Each set is
 * brought to mean 0 and deviation 1 in every dimension first, as in the paper. The paper moves the source, on which a classifier is then trained;
 * a model that is trained already stays, so {@link SubspaceAlignment.toSource} moves the target by the same product of bases, the parts exchanged.
 *
 * B. Fernando, A. Habrard, M. Sebban and T. Tuytelaars, "Unsupervised visual domain adaptation using subspace alignment", ICCV 2013.
 * @param source at least two vectors
 * @param target of the same length
 * @param dimensions of the subspaces; at most one less than there are vectors in the smaller set
 * @throws OverreadError `dataset/invalid` for too few vectors
 */
export function alignSubspaces(source: readonly Float32Array[], target: readonly Float32Array[], dimensions: number): SubspaceAlignment {
  const most = Math.min(source.length, target.length) - 1;
  if (most < 1 || dimensions < 1) throw new OverreadError('dataset/invalid', `Expected at least two pictures on both sides for a subspace, got ${source.length} and ${target.length}. Collect more.`, { got: [source.length, target.length] });
  const wanted = Math.min(dimensions, most);
  const [from, to] = [subspaceOf(source, wanted), subspaceOf(target, wanted)];
  const kept = Math.min(from.basis.length, to.basis.length);
  const [xs, xt] = [from.basis.slice(0, kept), to.basis.slice(0, kept)];
  // [i][j]: source component i on target component j.
  const product = xs.map(a => xt.map(b => dot(a, b)));
  const projected = (of: Float64Array, basis: readonly Float64Array[]) => Float64Array.from(basis, axis => dot(of, axis));
  return {
    dimensions: kept,
    source: source.map(vector => {
      const own = projected(from.normalised(vector), xs);
      return Float64Array.from(xt, (_, j) => product.reduce((sum, row, i) => sum + own[i]! * row[j]!, 0));
    }),
    target: target.map(vector => projected(to.normalised(vector), xt)),
    toSource(vector) {
      const own = projected(to.normalised(vector), xt);
      return inBasis(product.map(row => row.reduce((sum, value, j) => sum + value * own[j]!, 0)));
    },
    inSource: vector => inBasis(projected(from.normalised(vector), xs)),
  };

  function inBasis(coordinates: ArrayLike<number>): Float32Array {
    const sum = new Float64Array(from.mean.length);
    xs.forEach((axis, i) => { for (let k = 0; k < sum.length; k++) sum[k]! += coordinates[i]! * axis[k]!; });
    return Float32Array.from(sum, (value, k) => from.mean[k]! + from.deviation[k]! * value);
  }
}

interface Subspace {
  readonly mean: Float64Array;
  /** 1 where a dimension is the same in all. */
  readonly deviation: Float64Array;
  /** Orthonormal, the largest variance first; fewer than asked for where there is no more variance. */
  readonly basis: readonly Float64Array[];
  normalised(vector: Float32Array): Float64Array;
}

/** Principal components by the vectors' products with each other, of which there are fewer than of dimensions. */
function subspaceOf(vectors: readonly Float32Array[], dimensions: number): Subspace {
  const size = vectors[0]!.length;
  const mean = new Float64Array(size);
  for (const vector of vectors) for (let k = 0; k < size; k++) mean[k]! += vector[k]! / vectors.length;
  const deviation = Float64Array.from(mean, (m, k) => Math.sqrt(vectors.reduce((sum, vector) => sum + (vector[k]! - m) ** 2, 0) / vectors.length) || 1);
  const normalised = (vector: Float32Array) => Float64Array.from(vector, (value, k) => (value - mean[k]!) / deviation[k]!);
  const all = vectors.map(normalised);
  const products = new Matrix(all.map(a => all.map(b => dot(a, b))));
  const { realEigenvalues: values, eigenvectorMatrix } = new EigenvalueDecomposition(products, { assumeSymmetric: true });
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!).slice(0, dimensions).filter(i => values[i]! > 1e-9 * Math.max(...values));
  const basis = order.map(component => {
    const weights = eigenvectorMatrix.getColumn(component);
    const axis = new Float64Array(size);
    all.forEach((vector, i) => { for (let k = 0; k < size; k++) axis[k]! += (weights[i]! * vector[k]!) / Math.sqrt(values[component]!); });
    return axis;
  });
  return { mean, deviation, basis, normalised };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
