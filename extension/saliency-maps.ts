import type { SaliencyMethodId } from '../src/results/saliency.ts';
import type { SaliencyResult } from '../src/tasks/saliency/index.ts';

/** Which score is asked of, and how. */
export interface Asked {
  /** Of the kept result that the score is of. */
  readonly key: string;
  /** The score's target. */
  readonly label: string;
  readonly method: SaliencyMethodId;
}

/** A map is as large as its picture: some 30 MB for a chest X-ray. */
const MAX_BYTES = 256 * 2 ** 20;

/** Maps that were asked for, so that going back to one costs nothing. Past a number of bytes, the longest unused go. */
export class SaliencyMaps {
  readonly #byKey = new Map<string, readonly SaliencyResult[]>();
  readonly #maxBytes: number;

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Keeps the maps of one answer.
   * @returns what is kept
   */
  keep(asked: Asked, maps: readonly SaliencyResult[]): readonly SaliencyResult[] {
    this.#byKey.delete(keyOf(asked));
    this.#byKey.set(keyOf(asked), maps);
    let bytes = [...this.#byKey.values()].reduce((sum, of) => sum + bytesOf(of), 0);
    for (const [key, of] of this.#byKey) {
      if (bytes <= this.#maxBytes || of === maps) break;
      this.#byKey.delete(key);
      bytes -= bytesOf(of);
    }
    return maps;
  }

  /** The maps, which then count as the last ones used. */
  get(asked: Asked): readonly SaliencyResult[] | undefined {
    const key = keyOf(asked);
    const maps = this.#byKey.get(key);
    if (maps) {
      this.#byKey.delete(key);
      this.#byKey.set(key, maps);
    }
    return maps;
  }
}

export function sameAsked(a: Asked, b: Asked): boolean {
  return keyOf(a) === keyOf(b);
}

function keyOf({ key, label, method }: Asked): string {
  return JSON.stringify([key, label, method]);
}

function bytesOf(maps: readonly SaliencyResult[]): number {
  return maps.reduce((sum, { values }) => sum + values.byteLength, 0);
}
