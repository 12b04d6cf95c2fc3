import type { PointsResult } from '../../src/results/points.ts';
import { redundantMap } from '../../src/results/redundant-density.ts';
import type { HeatmapResult } from '../../src/results/result.ts';
import type { KeptResult, ResultsStore } from '../results-store.ts';
import { Observable } from '../state.ts';

/** Cells a pixel, or at each pixel the cells in the window around it, as Count-ception's outputs have them. */
export type DensityKind = 'density' | 'windows';

export interface DensityState {
  /** Of the kept count whose density is drawn; absent where none is. */
  readonly key?: string;
  readonly kind?: DensityKind;
}

/** Side of the windows, pixels: Count-ception's. */
export const WINDOW = 32;
const MAPS: { readonly [kind in DensityKind]: WeakMap<PointsResult, HeatmapResult> } = { density: new WeakMap(), windows: new WeakMap() };

const TARGETS: { readonly [kind in DensityKind]: HeatmapResult['target'] } = {
  density: { label: 'Cells a pixel', concept: { codeValue: 'cell-density', codingSchemeDesignator: '99OVERREAD', codeMeaning: 'Cells per pixel' } },
  windows: { label: `Cells in ${WINDOW} × ${WINDOW} pixels`, concept: { codeValue: 'cell-windows', codingSchemeDesignator: '99OVERREAD', codeMeaning: 'Cells in a window' } },
};

/** The density of a count, or its cells by windows, as a heat map over its image, on and off: of one count at a time. */
export class DensityMaps {
  readonly state = new Observable<DensityState>({});
  readonly #results: Pick<ResultsStore, 'get'>;

  constructor(results: Pick<ResultsStore, 'get'>) {
    this.#results = results;
  }

  toggle(key: string, kind: DensityKind): void {
    const shown = this.state.get();
    this.state.set(shown.key === key && shown.kind === kind ? { key: undefined, kind: undefined } : { key, kind });
  }

  end(): void {
    this.state.set({ key: undefined, kind: undefined });
  }

  /** What is to be drawn beside the results that are kept. */
  maps(): readonly KeptResult[] {
    const { key, kind = 'density' } = this.state.get();
    const kept = key === undefined ? undefined : this.#results.get(key);
    const counted = kept && withDensity(kept);
    return kept && counted ? [{ ...kept, key: `${kind} ${kept.key}`, result: mapOf(counted, kind), visible: kept.visible }] : [];
  }
}

/** The count that a density is of: after an edit, the model's own before it. */
export function withDensity({ result, unedited }: Pick<KeptResult, 'result' | 'unedited'>): PointsResult | undefined {
  return [result, unedited].find((of): of is PointsResult => of?.kind === 'points' && of.density !== undefined);
}

function mapOf(counted: PointsResult, kind: DensityKind): HeatmapResult {
  const known = MAPS[kind].get(counted);
  if (known) return known;
  const { model, device, source, timingMs, createdAt, density, classes } = counted;
  const pixels = source.shape[0] * source.shape[1];
  const cells = new Float32Array(pixels);
  for (let c = 0; c < classes.length; c++) for (let i = 0; i < pixels; i++) cells[i]! += density![c * pixels + i]!;
  const values = kind === 'windows' ? redundantMap(cells, { columns: source.shape[0], rows: source.shape[1], field: WINDOW }) : cells;
  let most = 0;
  for (const value of values) most = Math.max(most, value);
  const map: HeatmapResult = {
    kind: 'heatmap', model, device, source, timingMs, createdAt, values, range: [0, most || 1],
    target: TARGETS[kind],
  };
  MAPS[kind].set(counted, map);
  return map;
}
