import type { LabelledPicture, Patch } from './sampler.ts';

/** Pixels of one class in all pictures: how many, and the one of any rank, in the memory of a number a row. */
export class ClassIndex {
  /** Of each class that occurs, by label. */
  readonly counts: ReadonlyMap<number, number>;
  /** Of each class and picture, how many of its pixels stand before each row; one more than rows. */
  readonly #before = new Map<number, (Float64Array | undefined)[]>();

  constructor(private readonly pictures: readonly LabelledPicture[]) {
    const counts = new Map<number, number>();
    for (const [p, { columns, rows, labels }] of pictures.entries()) {
      for (let row = 0, i = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, i++) {
          const label = labels[i]!;
          let before = this.#before.get(label);
          if (!before) this.#before.set(label, (before = pictures.map(() => undefined)));
          const rowsOf = (before[p] ??= new Float64Array(rows + 1));
          rowsOf[row + 1]!++;
          counts.set(label, (counts.get(label) ?? 0) + 1);
        }
      }
      for (const before of this.#before.values()) for (let row = 0, sums = before[p]; sums && row < rows; row++) sums[row + 1]! += sums[row]!;
    }
    this.counts = new Map([...counts].sort(([a], [b]) => a - b));
  }

  /** @param rank from 0, below the class's count: by picture, row and column */
  patch(label: number, rank: number): Patch {
    let rest = rank;
    const pictures = this.#before.get(label)!;
    const picture = pictures.findIndex(sums => {
      if (!sums) return false;
      if (rest < sums.at(-1)!) return true;
      rest -= sums.at(-1)!;
      return false;
    });
    const sums = pictures[picture]!;
    let [low, high] = [0, sums.length - 2];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle + 1]! > rest) high = middle;
      else low = middle + 1;
    }
    rest -= sums[low]!;
    const { columns, labels } = this.pictures[picture]!;
    let column = 0;
    for (; labels[low * columns + column] !== label || rest-- > 0; column++);
    return { picture, column, row: low, label };
  }
}
