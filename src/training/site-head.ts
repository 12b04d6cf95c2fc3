import { add, dispose, mean, matMul, relu, tensor2d, variable, zeros, type Scalar, type Tensor, type Tensor2D, type Variable } from '@tensorflow/tfjs-core';
import { categoricalCrossEntropy } from '../losses/categorical-cross-entropy.ts';
import { reverseGradient } from '../losses/reverse-gradient.ts';
import { hashIntegers, seededRandom } from '../phantoms/random.ts';

const HIDDEN = 16;

/**
 * A head of two layers that learns to tell from a picture's representation where it was taken, behind a derivative that is
 * turned round. It learns beside the network and is no part of the model that comes of it.
 */
export class SiteHead {
  /** [features, hidden], [hidden], [hidden, sites], [sites] */
  readonly variables: readonly Variable[];

  constructor(features: number, sites: number, seed: number) {
    const random = seededRandom(hashIntegers(seed, 11));
    // He et al. 2015, for the ReLU between.
    const drawn = (from: number, to: number) => own(tensor2d(Float32Array.from({ length: from * to }, () => random.gaussian() * Math.sqrt(2 / from)), [from, to]));
    this.variables = [drawn(features, HIDDEN), own(zeros([HIDDEN])), drawn(HIDDEN, sites), own(zeros([sites]))];
  }

  /**
   * Its cross-entropy. Runs under tfjs's tape.
   * @param representation [n, features], or a feature map [n, rows, columns, features], of which the mean is taken
   * @param sites [n, sites], one-hot
   * @param reversal how much of the derivative the network gets, turned round
   */
  loss(representation: Tensor, sites: Tensor, reversal: number): Scalar {
    const [w1, b1, w2, b2] = this.variables as [Variable, Variable, Variable, Variable];
    const vector = representation.rank === 4 ? mean(representation, [1, 2]) : representation;
    const hidden = relu(add(matMul(reverseGradient(vector, reversal) as Tensor2D, w1 as Tensor as Tensor2D), b1));
    return categoricalCrossEntropy(sites, add(matMul(hidden as Tensor2D, w2 as Tensor as Tensor2D), b2));
  }

  dispose(): void {
    dispose([...this.variables]);
  }
}

function own(initial: Tensor): Variable {
  const made = variable(initial);
  initial.dispose();
  return made;
}
