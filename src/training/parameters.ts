import { concat, reshape, slice, tidy, zeros, type Tensor, type Tensor1D, type Variable } from '@tensorflow/tfjs-core';

/** Variables as one vector: an optimiser then takes as many operations for a thousand layers as for one. */
export class Parameters {
  readonly size: number;

  constructor(private readonly variables: readonly Variable[]) {
    this.size = variables.reduce((sum, { size }) => sum + size, 0);
  }

  gather(): Tensor1D {
    return tidy(() => this.#joined(this.variables));
  }

  /** @param grads by the variables' names, as `variableGrads` gives them; one that has none is 0 */
  gradient(grads: Readonly<Record<string, Tensor | null>>): Tensor1D {
    return tidy(() => this.#joined(this.variables.map(variable => grads[variable.name] ?? zeros(variable.shape))));
  }

  scatter(vector: Tensor1D): void {
    let at = 0;
    for (const variable of this.variables) {
      const part = tidy(() => reshape(slice(vector, [at], [variable.size]), variable.shape));
      variable.assign(part);
      part.dispose();
      at += variable.size;
    }
  }

  async read(): Promise<Float32Array> {
    const out = new Float32Array(this.size);
    let at = 0;
    for (const values of await Promise.all(this.variables.map(variable => variable.data()))) {
      out.set(values as Float32Array, at);
      at += values.length;
    }
    return out;
  }

  #joined(tensors: readonly Tensor[]): Tensor1D {
    if (tensors.length === 0) return zeros([0]) as Tensor1D;
    return concat(tensors.map(of => reshape(of, [-1]))) as Tensor1D;
  }
}
