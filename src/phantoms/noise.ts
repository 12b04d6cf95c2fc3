/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { floor, imul } = Math;

const fade = (t: number): number => t * t * t * (t * (t * 6 - 15) + 10);

function lattice(seed: number, ix: number, iy: number, iz: number): number {
  let h = imul(ix, 0x27d4eb2d) ^ imul(iy, 0x165667b1) ^ imul(iz, 0x9e3779b1) ^ seed;
  h = imul(h ^ (h >>> 15), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2147483648 - 1;
}

/** Value noise in −1..1, smooth, with a feature about every unit of length. */
export function valueNoise2(seed: number, x: number, y: number): number {
  const ix = floor(x);
  const iy = floor(y);
  const fx = fade(x - ix);
  const fy = fade(y - iy);
  return plane(seed, ix, iy, 0, fx, fy);
}

/** Value noise in −1..1 over three dimensions. */
export function valueNoise3(seed: number, x: number, y: number, z: number): number {
  const iz = floor(z);
  const f = fade(z - iz);
  const ix = floor(x);
  const iy = floor(y);
  const fx = fade(x - ix);
  const fy = fade(y - iy);
  const near = plane(seed, ix, iy, iz, fx, fy);
  return near + (plane(seed, ix, iy, iz + 1, fx, fy) - near) * f;
}

function plane(seed: number, ix: number, iy: number, iz: number, fx: number, fy: number): number {
  const a = lattice(seed, ix, iy, iz);
  const b = lattice(seed, ix + 1, iy, iz);
  const c = lattice(seed, ix, iy + 1, iz);
  const d = lattice(seed, ix + 1, iy + 1, iz);
  return a + (b - a) * fx + (c - a + (a - b - c + d) * fx) * fy;
}

/** Sum of octaves of value noise, each twice as fine and half as strong; about −1..1. */
export function fractalNoise2(seed: number, x: number, y: number, octaves: number): number {
  let sum = 0;
  let amplitude = 0.5;
  let scale = 1;
  for (let octave = 0; octave < octaves; octave++) {
    sum += amplitude * valueNoise2(seed + octave * 7919, x * scale, y * scale);
    amplitude /= 2;
    scale *= 2;
  }
  return sum;
}

/** As {@link fractalNoise2}, over three dimensions. */
export function fractalNoise3(seed: number, x: number, y: number, z: number, octaves: number): number {
  let sum = 0;
  let amplitude = 0.5;
  let scale = 1;
  for (let octave = 0; octave < octaves; octave++) {
    sum += amplitude * valueNoise3(seed + octave * 7919, x * scale, y * scale, z * scale);
    amplitude /= 2;
    scale *= 2;
  }
  return sum;
}
