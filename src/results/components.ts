/**
 * Keeps the largest components of one label on a plane or in a volume and sets the others to 0, in place. Pixels touch
 * over edges and corners (8-connected on a plane, 26-connected in a volume). Of equally large ones, those that begin
 * first stay.
 * @param labels columns · rows · slices values, row by row
 * @param count how many components may stay
 * @param rows of a slice; one plane when left out
 */
export function keepLargestComponents(labels: Uint8Array, columns: number, label: number, count: number, rows = labels.length / columns): void {
  const runs = runsOf(labels, columns, label);
  const parent = joinedRuns(runs, labels.length / columns, columns, true, rows);
  const sizes = new Int32Array(parent.length);
  const roots: number[] = [];
  for (let i = 0; i < parent.length; i++) {
    // A root stands before all runs of its component.
    const root = rootOf(parent, i);
    if (root === i) roots.push(i);
    sizes[root]! += runs.end[i]! - runs.start[i]!;
  }
  if (roots.length <= count) return;
  const kept = new Set(roots.sort((a, b) => sizes[b]! - sizes[a]! || a - b).slice(0, count));
  for (let i = 0; i < parent.length; i++) {
    if (!kept.has(parent[i]!)) labels.fill(0, runs.start[i], runs.end[i]);
  }
}

/**
 * Numbers the components of a mask on a plane or in a volume: 0 is background, from 1 in the order of their first pixels, row by row.
 * @param mask columns · rows · slices values; every value but 0 is of the mask
 * @param corners whether pixels also touch over corners (8-connected on a plane, 26-connected in a volume), not over edges or faces alone
 * @param rows of a slice; one plane when left out
 */
export function numberComponents(mask: Uint8Array, columns: number, corners: boolean, rows = mask.length / columns): Int32Array {
  const runs = runsOf(mask.map(value => (value ? 1 : 0)), columns, 1);
  const parent = joinedRuns(runs, mask.length / columns, columns, corners, rows);
  const numbers = new Int32Array(mask.length);
  const numberOf = new Map<number, number>();
  for (let i = 0; i < parent.length; i++) {
    const root = rootOf(parent, i);
    let number = numberOf.get(root);
    if (number === undefined) numberOf.set(root, (number = numberOf.size + 1));
    numbers.fill(number, runs.start[i], runs.end[i]);
  }
  return numbers;
}

/** Stretches of one row that carry the label: indices into the plane, the end not included. */
interface Runs {
  readonly start: Int32Array;
  readonly end: Int32Array;
}

function runsOf(labels: Uint8Array, columns: number, label: number): Runs {
  const begins = (i: number) => labels[i] === label && (i % columns === 0 || labels[i - 1] !== label);
  let runs = 0;
  for (let i = 0; i < labels.length; i++) if (begins(i)) runs++;
  const start = new Int32Array(runs);
  const end = new Int32Array(runs);
  for (let i = 0, run = 0; i < labels.length; i++) {
    if (!begins(i)) continue;
    start[run] = i;
    const rowEnd = i - (i % columns) + columns;
    while (i + 1 < rowEnd && labels[i + 1] === label) i++;
    end[run++] = i + 1;
  }
  return { start, end };
}

/** Union-find over the runs: each row's runs are joined with those that they touch of the row above, and of three rows of the slice before. */
function joinedRuns({ start, end }: Runs, lines: number, columns: number, corners = true, rows = lines): Int32Array {
  const parent = Int32Array.from(start, (_, i) => i);
  const reach = corners ? 1 : 0;
  // The first run of each line, and the end.
  const firsts = new Int32Array(lines + 1);
  for (let line = 0, run = 0; line < lines; line++) {
    firsts[line] = run;
    while (run < start.length && start[run]! < (line + 1) * columns) run++;
    firsts[line + 1] = run;
  }
  // Both lines are walked once; a corner reaches one column further on either side.
  const joinLines = (above: number, line: number) => {
    const shift = (line - above) * columns;
    let a = firsts[above]!;
    for (let b = firsts[line]!; b < firsts[line + 1]!; b++) {
      const from = start[b]! - shift - reach;
      const to = end[b]! - shift - 1 + reach;
      while (a < firsts[above + 1]! && end[a]! - 1 < from) a++;
      for (let t = a; t < firsts[above + 1]! && start[t]! <= to; t++) join(parent, t, b);
    }
  };
  for (let line = 0; line < lines; line++) {
    const row = line % rows;
    if (line >= rows) for (let r = Math.max(0, row - reach); r <= Math.min(rows - 1, row + reach); r++) joinLines(line - row - rows + r, line);
    if (row > 0) joinLines(line - 1, line);
  }
  return parent;
}

function rootOf(parent: Int32Array, i: number): number {
  let root = i;
  while (parent[root] !== root) root = parent[root]!;
  while (parent[i] !== root) {
    const next = parent[i]!;
    parent[i] = root;
    i = next;
  }
  return root;
}

function join(parent: Int32Array, a: number, b: number): void {
  const rootA = rootOf(parent, a);
  const rootB = rootOf(parent, b);
  if (rootA < rootB) parent[rootB] = rootA;
  else parent[rootA] = rootB;
}
