/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { cos, floor, imul, log, sin, sqrt, PI } = Math;

/** A seeded source of numbers: the same seed gives the same sequence on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Normal with mean 0 and standard deviation 1. */
  gaussian(): number;
  /** An integer in 0..count−1. */
  integer(count: number): number;
  chance(probability: number): boolean;
}

/** 32 mixed bits of some integers: seeds for tiles and parts that must not depend on drawing order. */
export function hashIntegers(...parts: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    let k = imul(part | 0, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= imul(k, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= hash >>> 16;
  hash = imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Tommy Ettinger's mulberry32: 32 bits of state, plenty for pictures; not for statistics or secrets. */
export function seededRandom(seed: number): Random {
  let state = hashIntegers(seed);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = imul(state ^ (state >>> 15), 1 | state);
    t = (t + imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  let spare: number | undefined;
  const gaussian = (): number => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = sqrt(-2 * log(1 - next()));
    const angle = 2 * PI * next();
    spare = radius * sin(angle);
    return radius * cos(angle);
  };
  return {
    next,
    gaussian,
    uniform: (low, high) => low + (high - low) * next(),
    integer: (count) => floor(next() * count),
    chance: (probability) => next() < probability,
  };
}
