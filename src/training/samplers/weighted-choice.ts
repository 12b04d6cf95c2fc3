/** Draws indices in proportion to weights that change; a draw and a change each take log₂ of their number of steps (Fenwick 1994). */
export class WeightedChoice {
  readonly #sums: Float64Array;
  readonly #weights: Float64Array;

  constructor(readonly size: number, weight: number) {
    this.#sums = new Float64Array(size + 1);
    this.#weights = new Float64Array(size);
    for (let i = 0; i < size; i++) this.set(i, weight);
  }

  get total(): number {
    let sum = 0;
    for (let i = this.size; i > 0; i -= i & -i) sum += this.#sums[i]!;
    return sum;
  }

  weight(index: number): number {
    return this.#weights[index]!;
  }

  set(index: number, weight: number): void {
    const change = weight - this.#weights[index]!;
    this.#weights[index] = weight;
    for (let i = index + 1; i <= this.size; i += i & -i) this.#sums[i]! += change;
  }

  /** @param at uniform in [0, 1) */
  draw(at: number): number {
    let rest = at * this.total;
    let index = 0;
    for (let step = 1 << Math.floor(Math.log2(this.size)); step > 0; step >>= 1) {
      const next = index + step;
      if (next > this.size || this.#sums[next]! > rest) continue;
      rest -= this.#sums[next]!;
      index = next;
    }
    // Sums of many changes are off in their last digits: never beyond the end, nor on what has no weight.
    index = Math.min(index, this.size - 1);
    while (index > 0 && this.#weights[index] === 0) index--;
    return index;
  }
}
