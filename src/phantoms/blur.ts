/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { exp, max, min, round } = Math;

/**
 * About a Gaussian of the given standard deviation in pixels: three box filters, edges held. Constant time a pixel.
 */
export function boxBlur(values: Float32Array, columns: number, rows: number, sigma: number): Float32Array {
  if (sigma < 0.8) return smallKernel(values, columns, rows, sigma);
  let source = values;
  const radius = max(1, round(sigma * 0.92));
  const across = new Float32Array(values.length);
  for (let pass = 0; pass < 3; pass++) {
    const down = new Float32Array(values.length);
    blurLines(source, across, rows, columns, columns, 1, radius);
    blurLines(across, down, columns, rows, 1, columns, radius);
    source = down;
  }
  return source;
}

function blurLines(
  from: Float32Array, to: Float32Array, lines: number, length: number, lineStep: number, step: number, radius: number,
): void {
  const scale = 1 / (2 * radius + 1);
  for (let line = 0; line < lines; line++) {
    const base = line * lineStep;
    const last = base + (length - 1) * step;
    let sum = from[base]! * (radius + 1);
    for (let k = 1; k <= radius; k++) sum += from[min(base + k * step, last)]!;
    for (let k = 0; k < length; k++) {
      to[base + k * step] = sum * scale;
      sum += from[min(base + (k + radius + 1) * step, last)]! - from[max(base + (k - radius) * step, base)]!;
    }
  }
}

/** Three taps each way: for blurs below a pixel. */
function smallKernel(values: Float32Array, columns: number, rows: number, sigma: number): Float32Array {
  const side = exp(-0.5 / (sigma * sigma));
  const scale = 1 / (1 + 2 * side);
  const across = new Float32Array(values.length);
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const column = i % columns;
    const left = column > 0 ? values[i - 1]! : values[i]!;
    const right = column < columns - 1 ? values[i + 1]! : values[i]!;
    across[i] = (values[i]! + side * (left + right)) * scale;
  }
  for (let i = 0; i < values.length; i++) {
    const up = i >= columns ? across[i - columns]! : across[i]!;
    const down = i + columns < rows * columns ? across[i + columns]! : across[i]!;
    out[i] = (across[i]! + side * (up + down)) * scale;
  }
  return out;
}
