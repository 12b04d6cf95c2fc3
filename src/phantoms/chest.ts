import { chestAnatomy } from './chest-anatomy.ts';
import { CHEST_FINDINGS, placeFinding, plantedFinding, type ChestFindingKind, type PlantedFinding } from './chest-findings.ts';
import { projectChest } from './chest-projection.ts';
import { chestTubes } from './chest-tubes.ts';
import { exposeFilm } from './chest-exposure.ts';
import type { FilmGeometry } from './film-geometry.ts';
import { hashIntegers, seededRandom } from './random.ts';

export type ChestView = 'PA' | 'AP' | 'LL';

export interface ChestPhantomOptions {
  /** One patient a seed: PA and LL of one seed show the same chest. */
  readonly seed: number;
  readonly view: ChestView;
  /** Rows and columns; 1024 when left out. */
  readonly size?: number;
  /** Spread of anatomy, pose, exposure: 0 the average chest, 1 (default) the usual spread, 1.5 wide. */
  readonly variation?: number;
  /**
   * Findings to plant, at most one of a kind; none when left out. The same kinds with the same seed lie in the same place
   * of the same chest in every view but AP, where the patient lies down.
   */
  readonly findings?: readonly ChestFindingKind[];
}

export interface ChestPhantom {
  readonly columns: number;
  readonly rows: number;
  /** 12 bits, 0..4095; bright is dense (MONOCHROME2). Row-major. */
  readonly pixels: Uint16Array;
  /**
   * 1 over both lungs as readers outline them: from the edge of the spine to the inside of the ribs, from the apex
   * to the silhouette of the diaphragm, and behind the heart. On LL: the union of both lungs.
   */
  readonly lungMask: Uint8Array;
  /** Of the film; the same both ways. */
  readonly spacingMm: number;
  /** One for each planted finding, with its truth in this view. */
  readonly findings: readonly PlantedFinding[];
}

/**
 * A chest radiograph with its lungs known: line integrals through an analytic chest, exposure, scatter, noise and
 * the curve of a film processor.
 */
export function chestPhantom(options: ChestPhantomOptions): ChestPhantom {
  const { seed, view, size = 1024, variation = 1, findings = [] } = options;
  const supine = view === 'AP';
  const raisedArms = view === 'LL';
  const patient = seededRandom(hashIntegers(seed, 1));
  const anatomy = chestAnatomy(patient, { supine, raisedArms, variation });
  const tubes = chestTubes(patient, anatomy, { supine, variation });
  const film = filmGeometry(seed, view, size, variation, anatomy.cavity.heightMm);
  const axis = view === 'LL' ? 'lateral' : 'frontal';
  const shapes = CHEST_FINDINGS.flatMap((kind, i) =>
    findings.includes(kind) ? [placeFinding(kind, seededRandom(hashIntegers(seed, 5, i)), anatomy)] : []);
  const projection = projectChest({ ...anatomy, tubes }, film, axis, shapes);
  const pixels = exposeFilm(projection.path, film, {
    random: seededRandom(hashIntegers(seed, 3, view.charCodeAt(0))),
    seed: hashIntegers(seed, 4, view.charCodeAt(0)),
    view,
    variation,
    lungMask: projection.lungMask,
  });
  return {
    columns: size, rows: size, pixels, lungMask: projection.lungMask, spacingMm: film.spacingMm,
    findings: shapes.map(({ kind }, i) => plantedFinding(kind, axis, projection.filledMm[i]!, size)),
  };
}

function filmGeometry(seed: number, view: ChestView, size: number, variation: number, heightMm: number): FilmGeometry {
  const random = seededRandom(hashIntegers(seed, 2, view.charCodeAt(0)));
  const spread = (mean: number, deviation: number): number =>
    mean + variation * deviation * Math.max(-2, Math.min(2, random.gaussian()));
  const fieldMm = spread(view === 'LL' ? 322 : view === 'AP' ? 356 : 368, 17);
  return {
    columns: size,
    rows: size,
    spacingMm: Math.round((fieldMm / size) * 1e6) / 1e6,
    centreU: view === 'LL' ? spread(-2, 7) : spread(0, 8),
    centreV: spread(heightMm * (view === 'LL' ? 0.62 : 0.64), 11),
    rotation: spread(0, view === 'AP' ? 0.035 : 0.014),
  };
}
