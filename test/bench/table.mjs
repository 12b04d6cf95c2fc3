/** Numbers of a network's runs, as JSON rows and as a table for a person. */

/** The first one that ran is what the others' outputs are compared with. */
export function summarise(contenders, made, ceilings) {
  const reference = contenders.find(c => !c.error)?.cold.output;
  return contenders.map(({ network, engine, backend, cold, warm, peakBytes, error }) => {
    if (error) return { network, engine, backend, error };
    const megapixels = made.stream > 1 ? made.stream * made.shape[0] * made.shape[1] / 1e6 : undefined;
    return {
      network, shape: made.shape, batch: made.batch, ...(megapixels && { megapixelsPerSecond: round(megapixels / median(warm) * 1e5) / 100 }),
      ...(ceilings && backend === 'webgpu' && { ofCeiling: made.multiplications / (median(warm) / 1000) / ceilings.multiplyAddsPerSecond }),
      engine, backend, coldMs: round(cold.ms),
      warmMs: { min: round(Math.min(...warm)), median: round(median(warm)), max: round(Math.max(...warm)) },
      peakBytes, maxAbsDiff: largestDifference(reference, cold.output),
      maxAbsOutput: largestDifference(new Array(cold.output.length).fill(0), cold.output), device: cold.device,
    };
  });
}

/** `ratio` is an engine's warm median against ours on the same backend: 2.00 takes twice our time. */
export function table(rows) {
  const lines = [['network', 'engine', 'backend', 'cold ms', 'warm min', 'median', 'max', 'ratio', 'ceiling', 'peak MiB', 'max diff', 'of', 'device']];
  for (const row of rows) {
    const { network, engine, backend, error } = row;
    if (error) {
      lines.push([network, engine, backend, `failed: ${error}`]);
      continue;
    }
    const ours = rows.find(r => r.network === network && r.backend === backend && r.engine === 'overread' && !r.error);
    const ratio = ours ? (row.warmMs.median / ours.warmMs.median).toFixed(2) : '';
    const { min, median: mid, max } = row.warmMs;
    lines.push([
      network, engine, backend, row.coldMs.toFixed(0), min.toFixed(1), mid.toFixed(1), max.toFixed(1), ratio, row.ofCeiling === undefined ? '' : `${(100 * row.ofCeiling).toFixed(1)} %`,
      (row.peakBytes / 2 ** 20).toFixed(0), row.maxAbsDiff.toExponential(1), row.maxAbsOutput.toPrecision(3), row.device,
    ]);
  }
  const widths = lines[0].map((_, i) => Math.max(...lines.filter(l => l.length > 4).map(l => l[i].length)));
  return lines.map(l => l.map((cell, i) => (i < 3 || l.length <= 4 || i === 12 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ').trimEnd());
}

export function describe({ version, adapter, software, rounds }) {
  return `Chromium ${version}, WebGPU adapter: ${adapter}${software ? ' (software: the WebGPU times say nothing of a GPU)' : ''}; ${rounds} warm rounds`;
}

function largestDifference(a, b) {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (Number.isNaN(difference)) return NaN;
    if (difference > largest) largest = difference;
  }
  return largest;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const round = ms => Math.round(ms * 100) / 100;
