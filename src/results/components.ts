/** A stretch of one row that carries the label. */
interface Run {
  readonly row: number;
  readonly from: number;
  readonly to: number;
  readonly component: number;
}

/**
 * Keeps the largest components of one label on one plane and sets the others to 0, in place. Pixels touch over edges
 * and corners (8-connected). Of equally large ones, those further up stay.
 * @param labels columns · rows values, row by row
 * @param count how many components may stay
 */
export function keepLargestComponents(labels: Uint8Array, columns: number, label: number, count: number): void {
  const { runs, sizes } = componentsOf(labels, columns, label);
  const roots = [...sizes.entries()].sort(([a, sizeA], [b, sizeB]) => sizeB - sizeA || a - b);
  const dropped = new Set(roots.slice(count).map(([root]) => root));
  if (dropped.size === 0) return;
  for (const { row, from, to, component } of runs) {
    if (dropped.has(component)) labels.fill(0, row * columns + from, row * columns + to + 1);
  }
}

/** The runs of a label with the component of each, and the number of pixels of every component. */
function componentsOf(labels: Uint8Array, columns: number, label: number): { runs: Run[]; sizes: Map<number, number> } {
  const rows = labels.length / columns;
  const found: { row: number; from: number; to: number }[] = [];
  const parent: number[] = [];
  let above = 0;
  let aboveEnd = 0;
  for (let row = 0; row < rows; row++) {
    const start = found.length;
    for (let x = 0; x < columns; x++) {
      if (labels[row * columns + x] !== label) continue;
      const from = x;
      while (x + 1 < columns && labels[row * columns + x + 1] === label) x++;
      parent.push(found.length);
      found.push({ row, from, to: x });
    }
    let a = above;
    for (let b = start; b < found.length; b++) {
      // The runs of the row above that reach this one, corners included; both rows are walked once.
      while (a < aboveEnd && found[a]!.to < found[b]!.from - 1) a++;
      for (let t = a; t < aboveEnd && found[t]!.from <= found[b]!.to + 1; t++) join(parent, t, b);
    }
    above = start;
    aboveEnd = found.length;
  }
  const sizes = new Map<number, number>();
  const runs = found.map((run, i) => {
    const component = rootOf(parent, i);
    sizes.set(component, (sizes.get(component) ?? 0) + run.to - run.from + 1);
    return { ...run, component };
  });
  return { runs, sizes };
}

function rootOf(parent: number[], i: number): number {
  while (parent[i] !== i) {
    parent[i] = parent[parent[i]!]!;
    i = parent[i]!;
  }
  return i;
}

function join(parent: number[], a: number, b: number): void {
  const rootA = rootOf(parent, a);
  const rootB = rootOf(parent, b);
  if (rootA < rootB) parent[rootB] = rootA;
  else parent[rootA] = rootB;
}
