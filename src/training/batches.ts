import { shuffledOutside } from '../losses/activation-difference.ts';
import type { ModelManifest } from '../manifest.ts';
import { hashIntegers, seededRandom, type Random } from '../phantoms/random.ts';
import { changeIntensity } from './augmentation/intensity.ts';
import { sampled, sampledNearest, samplingMap } from './augmentation/geometry.ts';
import { changeStain } from './augmentation/stain.ts';
import { labelledPicture, outputChannels, sitesOf, type Example } from './examples.ts';
import type { Recipe } from './recipe.ts';
import { CasedSampler, type CasedState } from './samplers/cased.ts';
import { ClassBalancedSampler } from './samplers/class-balanced.ts';
import type { Patch, Sampler } from './samplers/sampler.ts';
import { UniformSampler } from './samplers/uniform.ts';

/** What a step is fed, in plain arrays. */
export interface Batch {
  readonly ids: readonly string[];
  readonly size: number;
  readonly rows: number;
  readonly columns: number;
  readonly pictures: Float32Array;
  /** Of masks: size · rows · columns · outputs; of scores: size · outputs, 0 where not known. */
  readonly truth: Float32Array;
  /** Of masks with border weights: size · rows · columns; of scores: 1 where the label is known. */
  readonly weights?: Float32Array;
  /** Of guided scores: size · rows · columns, 1 where a pixel is no reason; 0 in pictures without a mask. */
  readonly outside?: Float32Array;
  /** Of ActivDiff: the pictures with what lies outside of their masks shuffled. */
  readonly masked?: Float32Array;
  /** Of gradient reversal: size · sites, 1 at a picture's own. */
  readonly sites?: Float32Array;
  /** Where each patch came from, for samplers that hear how it went. */
  readonly patches?: readonly Patch[];
}

/**
 * Batches of a recipe. What a step sees depends on the seed, the step and (with CASED) on what was reported, and on nothing
 * else: a run that goes on from a checkpoint sees what the first would have seen.
 */
export class Batches {
  readonly #sampler: Sampler | undefined;
  readonly rows: number;
  readonly columns: number;
  /** Of gradient reversal, else none. */
  readonly sites: readonly string[];

  constructor(private readonly examples: readonly Example[], private readonly manifest: ModelManifest, private readonly recipe: Recipe) {
    const { input, task } = manifest;
    const [rows, columns] = input.tiling && recipe.patch ? recipe.patch : (input.shape as unknown as [number, number, number]);
    [this.rows, this.columns] = [rows, columns];
    this.sites = recipe.guidance?.kind === 'reversal' ? sitesOf(examples) : [];
    if (task === 'segment' && input.tiling) this.#sampler = samplerOf(recipe, examples);
  }

  at(step: number): Batch {
    const { recipe, manifest, rows, columns } = this;
    const seed = hashIntegers(recipe.seed, step);
    const random = seededRandom(seed);
    this.#sampler?.reseed(hashIntegers(seed, 1));
    const size = recipe.batch;
    const outputs = outputChannels(manifest);
    const ofMasks = manifest.task === 'segment';
    const channels = manifest.input.shape.at(-1)!;
    const area = rows * columns;
    const pictures = new Float32Array(size * area * channels);
    const truth = new Float32Array(size * outputs * (ofMasks ? area : 1));
    const weights = ofMasks ? (recipe.borderWeight === undefined ? undefined : new Float32Array(size * area).fill(1)) : new Float32Array(size * outputs);
    const outside = recipe.guidance && recipe.guidance.kind !== 'reversal' ? new Float32Array(size * area) : undefined;
    const masked = recipe.guidance?.kind === 'activdiff' ? new Float32Array(pictures.length) : undefined;
    const sites = this.sites.length > 0 ? new Float32Array(size * this.sites.length) : undefined;
    const ids: string[] = [];
    const patches: Patch[] = [];
    for (let i = 0; i < size; i++) {
      const patch = this.#sampler?.next();
      const example = this.examples[patch?.picture ?? this.#whole(step, i, random)]!;
      if (patch) patches.push(patch);
      ids.push(example.id);
      if (sites) sites[i * this.sites.length + this.sites.indexOf(example.site!)] = 1;
      const centre = patch ? ([patch.column, patch.row] as const) : ([(example.columns - 1) / 2, (example.rows - 1) / 2] as const);
      const map = samplingMap(centre, [rows, columns], recipe.augmentation, random);
      const { columns: width, rows: height } = example;
      const picture = pictures.subarray(i * area * channels, (i + 1) * area * channels);
      sampled({ values: example.picture, columns: width, rows: height, channels }, map, picture);
      this.#recolour(picture, channels, random);
      if (ofMasks) {
        sampledNearest({ values: example.truth!, columns: width, rows: height, channels: outputs }, map, truth.subarray(i * area * outputs, (i + 1) * area * outputs));
        if (weights && example.weights) sampledNearest({ values: example.weights, columns: width, rows: height, channels: 1 }, map, weights.subarray(i * area, (i + 1) * area));
        continue;
      }
      example.labels!.forEach((label, o) => {
        truth[i * outputs + o] = Number.isNaN(label) ? 0 : label;
        weights![i * outputs + o] = Number(!Number.isNaN(label));
      });
      if (!outside || !example.classes) {
        masked?.set(picture, i * area * channels);
        continue;
      }
      const inside = new Float32Array(area);
      sampledNearest({ values: example.classes, columns: width, rows: height, channels: 1 }, map, inside);
      inside.forEach((v, p) => (outside[i * area + p] = 1 - v));
      masked?.set(shuffledOutside(picture, inside, channels, () => random.next()), i * area * channels);
    }
    return { ids, size, rows, columns, pictures, truth, ...(weights && { weights }), ...(outside && { outside }), ...(masked && { masked }), ...(sites && { sites }), ...(patches.length > 0 && { patches }) };
  }

  /** Tells the sampler how well the patches of a batch went, 0 to 1 each. */
  report(batch: Batch, scores: readonly number[]): void {
    if (this.#sampler instanceof CasedSampler) for (const [i, patch] of (batch.patches ?? []).entries()) this.#sampler.report(patch, scores[i]!);
  }

  get hears(): boolean {
    return this.#sampler instanceof CasedSampler;
  }

  state(): CasedState | undefined {
    return this.#sampler instanceof CasedSampler ? this.#sampler.state() : undefined;
  }

  restore(state: CasedState | undefined): void {
    if (state && this.#sampler instanceof CasedSampler) this.#sampler.restore(state);
  }

  /** Of whole pictures: each once an epoch in an order of its own; balanced, a label at random and then with it or without. */
  #whole(step: number, i: number, random: Random): number {
    const { examples, recipe } = this;
    if (recipe.sampler !== 'uniform' && examples[0]!.labels) {
      const labels = examples[0]!.labels.length;
      const of = (t: number, value: number) => examples.flatMap(({ labels: known }, e) => (known![t] === value ? [e] : []));
      const usable = Array.from({ length: labels }, (_, t) => [of(t, 0), of(t, 1)] as const).filter(sides => sides.every(side => side.length > 0));
      const side = usable[random.integer(usable.length)]![random.integer(2)]!;
      return side[random.integer(side.length)]!;
    }
    const drawn = step * recipe.batch + i;
    return shuffled(examples.length, hashIntegers(recipe.seed, Math.floor(drawn / examples.length), 7))[drawn % examples.length]!;
  }

  #recolour(picture: Float32Array, channels: number, random: Random): void {
    const { augmentation: { stain, intensity } } = this.recipe;
    const range = this.manifest.input.valueRange;
    if (stain !== undefined && channels === 3) changeStain(picture, stain, range, random);
    if (intensity) changeIntensity(picture, intensity, range, random);
  }
}

function samplerOf({ sampler, seed }: Recipe, examples: readonly Example[]): Sampler {
  const pictures = examples.map(labelledPicture);
  switch (sampler) {
    case 'uniform':
      return new UniformSampler(pictures, seed);
    case 'balanced':
      return new ClassBalancedSampler(pictures, seed);
    case 'cased':
      return new CasedSampler(pictures, seed);
  }
}

function shuffled(count: number, seed: number): number[] {
  const random = seededRandom(seed);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
