import { seededRandom } from '../../phantoms/random.ts';
import { ClassIndex } from './class-index.ts';
import { checkPictures, type LabelledPicture, type Patch, type Sampler } from './sampler.ts';

/** Every class that occurs is as likely at a centre as every other, and every pixel of a class as every other of it. */
export class ClassBalancedSampler implements Sampler {
  #random;
  readonly #index: ClassIndex;

  /** @throws OverreadError `config/invalid` */
  constructor(pictures: readonly LabelledPicture[], seed: number) {
    checkPictures(pictures);
    this.#random = seededRandom(seed);
    this.#index = new ClassIndex(pictures);
  }

  reseed(seed: number): void {
    this.#random = seededRandom(seed);
  }

  next(): Patch {
    const classes = [...this.#index.counts];
    const [label, count] = classes[this.#random.integer(classes.length)]!;
    return this.#index.patch(label, this.#random.integer(count));
  }
}
