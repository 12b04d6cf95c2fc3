import { OverreadError } from '../../errors.ts';
import { seededRandom } from '../../phantoms/random.ts';
import { checkPictures, type LabelledPicture, type Patch, type Sampler } from './sampler.ts';
import { WeightedChoice } from './weighted-choice.ts';

export interface CasedOptions {
  /** Side of the square cells that the pictures are cut into, pixels: one probability is kept a cell. */
  readonly cell?: number;
  /** Share of the patches that come from a class other than the background, at first; it falls towards their share of the cells. */
  readonly first?: number;
  /** After so many patches half of the way from `first` is gone. */
  readonly halfAfter?: number;
  /** What a cell counts that the model gets wholly right, against 1 of one that it gets wholly wrong: none is forgotten. */
  readonly least?: number;
}

export interface CasedState {
  readonly drawn: number;
  /** Of each cell, by class. */
  readonly weights: readonly (readonly number[])[];
}

interface Cell {
  readonly picture: number;
  readonly column: number;
  readonly row: number;
}

/** Cells of one class, with how much each counts. */
interface Stratum {
  readonly cells: readonly Cell[];
  readonly choice: WeightedChoice;
}

/**
 * Curriculum adaptive sampling: first the rare classes with their surroundings, then more and more of the whole picture,
 * and there what the model still gets wrong. A probability is kept for each patch, the inverse of how well the model does
 * there, and patches are drawn by class first (stratified), then by that probability. A patch is a cell of a grid over the
 * pictures; its class is the rarest one in it.
 *
 * A. Jesson, N. Guizard, S. H. Ghalehjegh, D. Goblot, F. Soudan, N. Chapados, "CASED: curriculum adaptive sampling for
 * extreme data imbalance", MICCAI 2017.
 */
export class CasedSampler implements Sampler {
  #random;
  readonly #strata = new Map<number, Stratum>();
  readonly #options: Required<CasedOptions>;
  readonly #of: Map<string, { readonly label: number; readonly index: number }> = new Map();
  #drawn = 0;

  /** @throws OverreadError `config/invalid` */
  constructor(private readonly pictures: readonly LabelledPicture[], seed: number, { cell = 16, first = 1, halfAfter = 1000, least = 0.05 }: CasedOptions = {}) {
    checkPictures(pictures);
    if (!(Number.isInteger(cell) && cell >= 1 && first > 0 && first <= 1 && halfAfter > 0 && least > 0 && least <= 1)) {
      throw new OverreadError('config/invalid', `Expected a cell of whole pixels, first and least above 0 and up to 1, halfAfter above 0, got ${cell}, ${first}, ${least}, ${halfAfter}. Mend the sampler's options.`, { got: { cell, first, halfAfter, least } });
    }
    this.#random = seededRandom(seed);
    this.#options = { cell, first, halfAfter, least };
    const counts = new Map<number, number>();
    for (const { labels } of pictures) for (let i = 0; i < labels.length; i++) counts.set(labels[i]!, (counts.get(labels[i]!) ?? 0) + 1);
    const cells = new Map<number, Cell[]>();
    for (const [picture, { columns, rows }] of pictures.entries()) {
      for (let row = 0; row < rows; row += cell) {
        for (let column = 0; column < columns; column += cell) {
          const at = { picture, column, row };
          const label = this.#rarest(at, counts);
          const others = cells.get(label);
          if (others) others.push(at);
          else cells.set(label, [at]);
        }
      }
    }
    for (const [label, of] of [...cells].sort(([a], [b]) => a - b)) {
      this.#strata.set(label, { cells: of, choice: new WeightedChoice(of.length, 1) });
      of.forEach((each, index) => this.#of.set(keyOf(each), { label, index }));
    }
  }

  reseed(seed: number): void {
    this.#random = seededRandom(seed);
  }

  next(): Patch {
    const { label, stratum } = this.#class();
    this.#drawn++;
    const cell = stratum.cells[stratum.choice.draw(this.#random.next())]!;
    return this.#centre(cell, label);
  }

  /**
   * Says how well the model did on a patch that was drawn.
   * @param score 0, all wrong, to 1, all right: the Dice of the patch, or the probability of what is true
   * @throws OverreadError `config/invalid` for a score that is none
   */
  report({ picture, column, row }: Patch, score: number): void {
    if (!(score >= 0 && score <= 1)) throw new OverreadError('config/invalid', `Expected a score of 0 to 1 for a patch, got ${score}. Give the Dice of the patch.`, { expected: [0, 1], got: score });
    const { cell, least } = this.#options;
    const found = this.#of.get(keyOf({ picture, column: column - (column % cell), row: row - (row % cell) }))!;
    this.#strata.get(found.label)!.choice.set(found.index, Math.max(least, 1 - score));
  }

  /** What it has learnt, to go on from. */
  state(): CasedState {
    return { drawn: this.#drawn, weights: [...this.#strata.values()].map(({ cells, choice }) => cells.map((_, i) => choice.weight(i))) };
  }

  restore({ drawn, weights }: CasedState): void {
    this.#drawn = drawn;
    [...this.#strata.values()].forEach(({ choice }, s) => weights[s]!.forEach((weight, i) => choice.set(i, weight)));
  }

  /** How likely the next patch is of each class. */
  shares(): ReadonlyMap<number, number> {
    const all = [...this.#strata.values()].reduce((sum, { cells }) => sum + cells.length, 0);
    const labels = [...this.#strata.keys()];
    const rare = labels.filter(label => label !== 0);
    const empirical = (label: number) => this.#strata.get(label)!.cells.length / all;
    const share = rare.reduce((sum, label) => sum + empirical(label), 0);
    const left = 0.5 ** (this.#drawn / this.#options.halfAfter);
    const now = rare.length === 0 ? 0 : rare.length === labels.length ? 1 : share + Math.max(0, this.#options.first - share) * left;
    // Classes that are not the background start alike and end as they are.
    return new Map(labels.map(label => [label, label === 0 ? 1 - now : now * (left / rare.length + ((1 - left) * empirical(label)) / share)]));
  }

  #class(): { readonly label: number; readonly stratum: Stratum } {
    let rest = this.#random.next();
    let last = 0;
    for (const [label, share] of this.shares()) {
      if (share <= 0) continue;
      last = label;
      if (rest < share) break;
      rest -= share;
    }
    return { label: last, stratum: this.#strata.get(last)! };
  }

  /** A pixel of the cell's class, so that the patch around it shows what it was drawn for. */
  #centre(cell: Cell, label: number): Patch {
    const pixels = [...this.#pixels(cell)].filter(at => at.label === label);
    return pixels[this.#random.integer(pixels.length)]!;
  }

  *#pixels({ picture, column, row }: Cell): Generator<Patch> {
    const { columns, rows, labels } = this.pictures[picture]!;
    const { cell } = this.#options;
    for (let y = row; y < Math.min(rows, row + cell); y++) {
      for (let x = column; x < Math.min(columns, column + cell); x++) yield { picture, column: x, row: y, label: labels[y * columns + x]! };
    }
  }

  /** Of the classes in a cell; the background only where there is no other. */
  #rarest(cell: Cell, counts: ReadonlyMap<number, number>): number {
    let rarest = 0;
    for (const { label } of this.#pixels(cell)) {
      if (label !== 0 && (rarest === 0 || counts.get(label)! < counts.get(rarest)!)) rarest = label;
    }
    return rarest;
  }
}

function keyOf({ picture, column, row }: Cell): string {
  return `${picture}/${column}/${row}`;
}
