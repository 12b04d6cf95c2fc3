/** Gaussian smoothing of a plane, cut at four standard deviations and mirrored at the borders, as SciPy's `gaussian_filter`. */
export function smoothed(values: Float32Array, columns: number, rows: number, sigma: number): Float32Array {
  if (sigma <= 0) return values;
  const reach = Math.floor(4 * sigma + 0.5);
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const sum = kernel.reduce((total, value) => total + value, 0);
  const between = new Float64Array(values.length);
  const out = new Float32Array(values.length);
  const across = mirrors(columns, reach);
  for (let y = 0; y < rows; y++) {
    const line = y * columns;
    for (let x = 0; x < columns; x++) {
      let value = 0;
      for (let k = 0; k < kernel.length; k++) value += kernel[k]! * values[line + across[x + k]!]!;
      between[line + x] = value / sum;
    }
  }
  const down = mirrors(rows, reach);
  const column = new Float64Array(columns);
  for (let y = 0; y < rows; y++) {
    column.fill(0);
    for (let k = 0; k < kernel.length; k++) {
      const [line, weight] = [down[y + k]! * columns, kernel[k]! / sum];
      for (let x = 0; x < columns; x++) column[x]! += weight * between[line + x]!;
    }
    out.set(column, y * columns);
  }
  return out;
}

/** Where position i − reach lies inside: … 1 0 | 0 1 … size − 1 | size − 1 … */
function mirrors(size: number, reach: number): Int32Array {
  return Int32Array.from({ length: size + 2 * reach }, (_, i) => {
    const at = (((i - reach) % (2 * size)) + 2 * size) % (2 * size);
    return at < size ? at : 2 * size - 1 - at;
  });
}
