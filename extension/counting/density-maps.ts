import type { HeatmapResult } from '../../src/results/result.ts';
import type { PointsResult } from '../../src/results/points.ts';
import type { KeptResult, ResultsStore } from '../results-store.ts';
import { Observable } from '../state.ts';

export interface DensityState {
  /** Of the kept count whose density is drawn; absent where none is. */
  readonly key?: string;
}

const MAPS = new WeakMap<PointsResult, HeatmapResult>();

/** The density of a count as a heat map over its image, on and off: of one count at a time. */
export class DensityMaps {
  readonly state = new Observable<DensityState>({});
  readonly #results: Pick<ResultsStore, 'get'>;

  constructor(results: Pick<ResultsStore, 'get'>) {
    this.#results = results;
  }

  toggle(key: string): void {
    this.state.set({ key: this.state.get().key === key ? undefined : key });
  }

  end(): void {
    this.state.set({ key: undefined });
  }

  /** What is to be drawn beside the results that are kept. */
  maps(): readonly KeptResult[] {
    const { key } = this.state.get();
    const kept = key === undefined ? undefined : this.#results.get(key);
    const counted = kept && withDensity(kept);
    return kept && counted ? [{ ...kept, key: `density ${kept.key}`, result: densityMap(counted), visible: kept.visible }] : [];
  }
}

/** The count that a density is of: after an edit, the model's own before it. */
export function withDensity({ result, unedited }: Pick<KeptResult, 'result' | 'unedited'>): PointsResult | undefined {
  return [result, unedited].find((of): of is PointsResult => of?.kind === 'points' && of.density !== undefined);
}

function densityMap(counted: PointsResult): HeatmapResult {
  const known = MAPS.get(counted);
  if (known) return known;
  const { model, device, source, timingMs, createdAt, density, classes } = counted;
  const pixels = source.shape[0] * source.shape[1];
  const values = new Float32Array(pixels);
  let most = 0;
  for (let c = 0; c < classes.length; c++) for (let i = 0; i < pixels; i++) values[i]! += density![c * pixels + i]!;
  for (const value of values) most = Math.max(most, value);
  const map: HeatmapResult = {
    kind: 'heatmap', model, device, source, timingMs, createdAt, values, range: [0, most || 1],
    target: { label: 'Cells a pixel', concept: { codeValue: 'cell-density', codingSchemeDesignator: '99OVERREAD', codeMeaning: 'Cells per pixel' } },
  };
  MAPS.set(counted, map);
  return map;
}
