import type { Result } from '../../src/results/result.ts';
import type { TiledRun } from '../../src/results/tiled-result.ts';
import { areaMm2, type KeptSlide } from './slide-results.ts';

/** What `overreadState` says of a slide's mask: plain data. */
export interface SlideSummary {
  readonly key: string;
  readonly kind: 'slide';
  readonly model: { readonly id: string; readonly version: string; readonly sha256: string };
  readonly backend: Result['device']['backend'];
  readonly studyInstanceUID: string;
  readonly source: TiledRun['source']['sources'];
  /** Of the level that was read. */
  readonly columns: number;
  readonly rows: number;
  readonly level: TiledRun['level'] | null;
  readonly status: KeptSlide['status'];
  /** `glass`: those of nothing but glass, which are not read. */
  readonly tiles: { readonly all: number; readonly read: number; readonly unread: number; readonly glass: number };
  readonly segments: readonly { readonly label: string; readonly segmentNumber: number; readonly pixels: number; readonly areaMm2: number | null }[];
  /** Null until they are counted, after a run; null for a model that tells none apart. */
  readonly objects: { readonly count: number; readonly atBorder: number; readonly medianPixels: number | null } | null;
  readonly ms: number;
  readonly visible: boolean;
  /** Of a study that is open now. */
  readonly open: boolean;
}

export function slideSummary(slide: KeptSlide, openStudies: ReadonlySet<string>): SlideSummary {
  const { key, model, device, studyInstanceUID, source, level, status, mask, targets, objects, ms, visible } = slide;
  return {
    key, kind: 'slide', studyInstanceUID, status, ms, visible,
    model: { id: model.id, version: model.version, sha256: model.sha256 },
    backend: device.backend,
    source: source.sources,
    columns: mask.plane.columns,
    rows: mask.plane.rows,
    level: level ?? null,
    tiles: { all: mask.plane.tiles, read: mask.parts.size, unread: mask.unread.size, glass: mask.glass?.indices.length ?? 0 },
    segments: targets.map(({ label }, i) => ({ label, segmentNumber: i + 1, pixels: mask.pixelsOf(i + 1), areaMm2: areaMm2(slide, i + 1) ?? null })),
    objects: objects ? { count: objects.count, atBorder: objects.atBorder, medianPixels: objects.sizes?.median ?? null } : null,
    open: openStudies.has(studyInstanceUID),
  };
}
