import { readBy, type Window } from './layer-windows.ts';

/** [slices, rows, columns, channels] */
export type VolumeShape = readonly [slices: number, rows: number, columns: number, channels: number];

/** A layer, as far as the order of slices knows it. */
export interface StageOrder {
  /** Of the axis of slices. */
  readonly window: Window;
  /** Index into the volumes: 0 is the network's input. */
  readonly inputs: readonly number[];
  /** Index into the volumes. */
  readonly output: number;
}

/** Slices of a layer that are to be made next. */
export interface Making<T> {
  readonly stage: number;
  /** Of each of the stage's inputs, the slices that are there. */
  readonly given: readonly ReadonlyMap<number, T>[];
  /** The first of them. */
  readonly slice: number;
  readonly count: number;
}

/** What is done with a slice: it is computed, or only counted. */
export interface SliceWork<T> {
  /** A slice of the network's input. */
  read(slice: number): T;
  make(what: Making<T>): T;
  free(of: T): void;
}

/**
 * In which order a network's slices are made and how long each is kept: a layer's as soon as those are there that its kernel meets, and
 * until no layer needs it any more. The one that runs the network and the one that predicts its memory go by it alike.
 */
export class SliceSchedule<T> {
  /** Of each volume: the slices that are there. */
  readonly #slices: Map<number, T>[];
  /** Of each volume: how many slices were made so far. */
  readonly #done: number[];
  #given = 0;
  #mostBytes = 0;

  constructor(
    private readonly shapes: readonly VolumeShape[],
    private readonly stages: readonly StageOrder[],
    private readonly work: Omit<SliceWork<T>, 'make'> & Partial<SliceWork<T>>,
    /** Slices that are made at once, where they are. */
    private readonly group = 1,
  ) {
    this.#slices = shapes.map(() => new Map());
    this.#done = shapes.map(() => 0);
  }

  /** The most that slices of all layers together held at once, in bytes of float32; their making needs a little more. */
  get mostBytes(): number {
    return this.#mostBytes;
  }

  /** How much of all layers' slices is made, 0..1. */
  get fraction(): number {
    const sum = (of: (stage: StageOrder) => number) => this.stages.reduce((total, stage) => total + of(stage), 0);
    return sum(({ output }) => this.#done[output]!) / sum(({ output }) => this.shapes[output]![0]);
  }

  /**
   * Goes on until the next slice of the output is there, which is then the caller's to free.
   * @param pause asked after each slice of a layer; where it says so, the next call goes on from there
   * @returns undefined after the last slice
   */
  next(pause?: () => boolean): T | 'paused' | undefined {
    const steps = this.steps(pause);
    for (let step = steps.next(); ; step = steps.next([this.work.make!(step.value)])) if (step.done) return step.value;
  }

  /** As {@link next}, for who makes slices otherwise: those that are asked for are to be handed back made. */
  *steps(pause: () => boolean = () => false): Generator<Making<T>, T | 'paused' | undefined, readonly T[]> {
    const last = this.shapes.length - 1;
    if (this.#given === this.shapes[last]![0]) return undefined;
    if (this.#slices[last]!.has(this.#given)) return this.#handedOut();
    const wanted = this.shapes.map(() => -1);
    wanted[last] = Math.min(this.#given + this.group, this.shapes[last]![0]) - 1;
    for (const { window, inputs, output } of [...this.stages].reverse()) {
      if (wanted[output]! < 0) continue;
      const upTo = readBy(window, [0, wanted[output]!])[1];
      for (const input of inputs) wanted[input] = Math.max(wanted[input]!, Math.min(upTo, this.shapes[input]![0] - 1));
    }
    for (let slice = this.#done[0]!; slice <= wanted[0]!; slice++) {
      this.#slices[0]!.set(slice, this.work.read(slice));
      this.#done[0] = slice + 1;
    }
    for (const [index, { output }] of this.stages.entries()) if (!(yield* this.#make(index, wanted[output]!, pause))) return 'paused';
    return this.#handedOut();
  }

  #handedOut(): T {
    const last = this.#slices.at(-1)!;
    const slice = last.get(this.#given)!;
    last.delete(this.#given++);
    return slice;
  }

  dispose(): void {
    for (const slices of this.#slices) {
      for (const slice of slices.values()) this.work.free(slice);
      slices.clear();
    }
  }

  /** @returns false where it paused */
  *#make(index: number, upTo: number, pause: () => boolean): Generator<Making<T>, boolean, readonly T[]> {
    const { inputs, output } = this.stages[index]!;
    for (let slice = this.#done[output]!, count = 0; slice <= upTo; slice += count) {
      count = Math.min(this.group, upTo - slice + 1);
      const made = yield { stage: index, given: inputs.map(input => this.#slices[input]!), slice, count };
      made.forEach((of, i) => this.#slices[output]!.set(slice + i, of));
      this.#done[output] = slice + count;
      this.#count();
      this.#free(inputs);
      if (slice + count <= upTo && pause()) return false;
    }
    return true;
  }

  /** What no layer will read again. */
  #free(volumes: readonly number[]): void {
    for (const volume of volumes) {
      const readers = this.stages.filter(({ inputs }) => inputs.includes(volume));
      const needed = Math.min(...readers.map(({ window, output }) => (this.#done[output]! === this.shapes[output]![0] ? Infinity : readBy(window, [this.#done[output]!, this.#done[output]!])[0])));
      for (const [slice, held] of this.#slices[volume]!) {
        if (slice >= needed) continue;
        this.work.free(held);
        this.#slices[volume]!.delete(slice);
      }
    }
  }

  #count(): void {
    let bytes = 0;
    this.#slices.forEach((slices, i) => (bytes += slices.size * sliceBytes(this.shapes[i]!)));
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
  }
}

/** Of float32. */
export function sliceBytes([, rows, columns, channels]: VolumeShape): number {
  return 4 * rows * columns * channels;
}

/** The most that slices of all layers hold at once, without computing any. */
export function predictedBytes(shapes: readonly VolumeShape[], stages: readonly StageOrder[]): number {
  const schedule = new SliceSchedule<true>(shapes, stages, { read: () => true, make: () => true, free: () => {} });
  while (schedule.next() !== undefined);
  return schedule.mostBytes;
}
