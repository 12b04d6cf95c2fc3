import { seededRandom } from '../../phantoms/random.ts';
import { checkPictures, type LabelledPicture, type Patch, type Sampler } from './sampler.ts';

/** Every pixel of all pictures is as likely a centre as every other: a rare class is as rare in the patches. */
export class UniformSampler implements Sampler {
  #random;
  /** Pixels before and with each picture. */
  readonly #ends: readonly number[];

  /** @throws OverreadError `config/invalid` */
  constructor(private readonly pictures: readonly LabelledPicture[], seed: number) {
    checkPictures(pictures);
    this.#random = seededRandom(seed);
    let sum = 0;
    this.#ends = pictures.map(({ columns, rows }) => (sum += columns * rows));
  }

  reseed(seed: number): void {
    this.#random = seededRandom(seed);
  }

  next(): Patch {
    const pixel = this.#random.integer(this.#ends.at(-1)!);
    const picture = this.#ends.findIndex(end => pixel < end);
    const { columns, labels } = this.pictures[picture]!;
    const at = pixel - (this.#ends[picture - 1] ?? 0);
    return { picture, column: at % columns, row: Math.floor(at / columns), label: labels[at]! };
  }
}
