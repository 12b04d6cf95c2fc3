import type { Count, PointsResult } from '../src/results/points.ts';
import type { OutOfDistribution, Result, Score, ScoresResult, Segment } from '../src/results/result.ts';
import type { OverlayStyle } from './configuration.ts';
import type { CountedRoi } from './counting/roi-counts.ts';
import { sourcesOf } from './identity.ts';
import type { KeptResult } from './results-store.ts';
import type { RunOptions } from './run.ts';
import type { Session } from './session.ts';
import { slideSummary, type SlideSummary } from './slides/summary.ts';
import type { Training } from './training/index.ts';
import { patientsOf } from './training/label-item.ts';
import type { UnderWay } from './training/trainings.ts';

/** What `overreadState` answers: plain data, for integrators and tests. */
export interface StateSummary {
  readonly device: Result['device'] | null;
  readonly results: readonly ResultSummary[];
  /** Masks of slides, as far as they came. */
  readonly slides: readonly SlideSummary[];
  /** Words of what is going on, or null. */
  readonly running: { readonly jobId: string; readonly model: string; readonly progress: string; readonly fraction: number } | null;
  readonly lastError: { readonly code: string; readonly message: string } | null;
  readonly note: string | null;
  /** The quiet line of automatic runs. */
  readonly autoNote: string | null;
  /** Whether the run that was refused can be run anyway. */
  readonly refused: boolean;
  readonly explaining: { readonly key: string; readonly label: string } | null;
  readonly modelId: string | null;
  readonly models: readonly { readonly id: string; readonly version: string }[];
  /** Whose markers are being edited, with which class; null where none are. */
  readonly dotting: { readonly key: string; readonly classIndex: number; readonly erasing: boolean } | null;
  /** What lies in the regions that are on screen. */
  readonly rois: readonly CountedRoi[];
  readonly overlay: OverlayStyle & { readonly shown: boolean };
  readonly hasImage: boolean;
  readonly training: TrainingSummary;
}

/** Labels, the training and the versions of this browser, in numbers. */
export interface TrainingSummary {
  readonly labels: number;
  readonly patients: number;
  readonly bytes: number;
  /** What is under way, paused or at its end; null where nothing is. */
  readonly run: { readonly phase: UnderWay['phase'] | 'paused' | 'done'; readonly step: number; readonly of: number } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly versions: readonly { readonly id: string; readonly installed: boolean }[];
}

export interface ResultSummary {
  readonly key: string;
  readonly kind: Result['kind'];
  readonly model: { readonly id: string; readonly version: string; readonly sha256: string };
  readonly backend: Result['device']['backend'];
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  /** Of every picture that was read. */
  readonly sources: Result['source']['sources'];
  readonly visible: boolean;
  /** Of a study that is open now. */
  readonly open: boolean;
  readonly timingMs: Result['timingMs'];
  readonly createdAt: string;
  /** Null where the model has no gate. */
  readonly outOfDistribution: OutOfDistribution | null;
  readonly segments?: readonly { readonly label: string; readonly segmentNumber: number; readonly pixels: number; readonly areaMm2: number | null; readonly threshold: number | null }[];
  /** When a reader last edited the mask by hand; null where it is as the model gave it. */
  readonly editedAt?: string | null;
  /** Of a count, with its classes in order. */
  readonly count?: Count & { readonly classes: readonly (Count & { readonly label: string })[]; readonly remarks: readonly string[] };
  readonly scores?: readonly ScoreSummary[];
  readonly viewsUsed?: ScoresResult['viewsUsed'];
  readonly viewsMissing?: ScoresResult['viewsMissing'];
  readonly viewsFrom?: ScoresResult['viewsFrom'];
  /** What stood in for a missing view. */
  readonly substitute?: string | null;
}

export interface ScoreSummary {
  readonly label: string;
  readonly logit: number;
  readonly probability: number;
  readonly operatingPoint: number | null;
  readonly positive: boolean;
  readonly views: Score['views'];
}

/** OHIF's commands module. `session` is asked late: the module is made before the session when registration fails. */
export function commandsModule(session: () => Session) {
  const actions = {
    /**
     * Runs the chosen model on the current image of the active viewport, and on its study's other view where the model
     * reads two, or on its slide; the result's summary, or null. Only `force: true` reads what the model's gate refuses.
     */
    overreadRun: async ({ modelId, viewportId, force }: RunOptions = {}): Promise<ResultSummary | SlideSummary | null> => {
      const kept = await session().runner.run({ ...(modelId && { modelId }), ...(viewportId && { viewportId }), ...(force === true && { force }) });
      const { openStudies } = session().state.get();
      if (!kept) return null;
      return 'mask' in kept ? slideSummary(kept, openStudies) : summaryOf(kept, openStudies);
    },
    overreadCancel: (): void => session().runner.cancel(),
    /** `shown` true or false; the other of what is, when left out. */
    overreadToggleOverlays: ({ shown }: { shown?: boolean } = {}): void => session().toggleOverlays(shown),
    overreadSetOverlayStyle: ({ opacity, style }: Partial<OverlayStyle> = {}): void =>
      session().setOverlayStyle({ ...(opacity !== undefined && { opacity }), ...(style !== undefined && { style }) }),
    /** Begins dots by hand on what the active viewport shows; the set's summary, or null. */
    overreadStartDots: async (): Promise<ResultSummary | null> => {
      const kept = await session().counting.startDots();
      return kept ? summaryOf(kept, session().state.get().openStudies) : null;
    },
    overreadState: (): StateSummary => stateOf(session()),
    /** Live tensors and bytes on the device, for those who look for leaks; null before the first run. */
    overreadMemory: async () => (session().state.get().device ? session().engine.memory() : null),
  };
  return {
    actions,
    definitions: Object.fromEntries(Object.entries(actions).map(([name, commandFn]) => [name, { commandFn }])),
    defaultContext: 'DEFAULT',
  };
}

function stateOf({ state, results, slides, training, counting: { dotting, rois }, comparing: { comparer } }: Session): StateSummary {
  const { key: dotted, classIndex, erasing } = dotting.state.get();
  const { device, running, lastError, note, autoNote, refusal, explaining, modelId, catalogue, overlay, overlaysShown, openStudies, hasImage, configurationError } = state.get();
  const error = lastError ?? configurationError;
  return {
    device: device ?? null,
    // Whose results they are is nobody's to know while they are read blinded.
    results: comparer.state.get().blinded ? [] : results.all().map(kept => summaryOf(kept, openStudies)),
    slides: slides.results.all().map(kept => slideSummary(kept, openStudies)),
    running: running ? { jobId: running.jobId, model: running.modelName, progress: running.progress.text, fraction: running.progress.fraction } : null,
    lastError: error ? { code: error.code, message: error.message } : null,
    note: note ?? null,
    autoNote: autoNote ?? null,
    refused: refusal !== undefined,
    explaining: explaining ?? null,
    modelId: modelId ?? null,
    models: (catalogue?.entries ?? []).map(({ manifest }) => ({ id: manifest.id, version: manifest.version })),
    dotting: dotted === undefined ? null : { key: dotted, classIndex, erasing },
    rois: rois.state.get().rois,
    overlay: { ...overlay, shown: overlaysShown },
    hasImage,
    training: trainingOf(training),
  };
}

function trainingOf({ state, trainings, versions }: Training): TrainingSummary {
  const { labels, error: refused } = state.get();
  const { underWay, stored, outcome, error = refused } = trainings.state.get();
  const done = outcome?.tuned.report;
  return {
    labels: labels.length, patients: patientsOf(labels), bytes: labels.reduce((sum, { bytes }) => sum + bytes, 0),
    run: underWay ? { phase: underWay.phase, step: underWay.step, of: underWay.of } : done ? { phase: 'done', step: done.steps, of: done.steps } : stored ? { phase: 'paused', step: stored.step, of: stored.recipe.steps } : null,
    error: error ? { code: error.code, message: error.message } : null,
    versions: versions.state.get().versions.map(({ manifest: { id }, installed }) => ({ id, installed })),
  };
}

function summaryOf({ key, studyInstanceUID, seriesInstanceUID, result, visible }: KeptResult, openStudies: ReadonlySet<string>): ResultSummary {
  const { model, device, timingMs, createdAt, kind } = result;
  return {
    key, kind, studyInstanceUID, seriesInstanceUID, visible, timingMs, createdAt,
    model: { id: model.id, version: model.version, sha256: model.sha256 },
    backend: device.backend,
    sources: sourcesOf(result),
    open: openStudies.has(studyInstanceUID),
    outOfDistribution: result.outOfDistribution ?? null,
    ...(result.kind === 'labelmap' && { segments: result.segments.map(segmentSummary), editedAt: result.editedAt ?? null }),
    ...(result.kind === 'points' && { count: countSummary(result), editedAt: result.editedAt ?? null }),
    ...(result.kind === 'scores' && scoresSummary(result)),
  };
}

function scoresSummary({ scores, viewsUsed, viewsMissing, viewsFrom, substitute }: ScoresResult) {
  return {
    scores: scores.map(({ target, logit, probability, operatingPoint, positive, views }): ScoreSummary => ({
      label: target.label, logit, probability, operatingPoint: operatingPoint ?? null, positive, views,
    })),
    viewsUsed, viewsMissing, viewsFrom,
    substitute: substitute ?? null,
  };
}

function countSummary({ total, classes, remarks = [] }: PointsResult): NonNullable<ResultSummary['count']> {
  return { ...total, remarks, classes: classes.map(({ target, ...count }) => ({ label: target.label, ...count })) };
}

function segmentSummary({ target, segmentNumber, pixels, areaMm2, threshold }: Segment) {
  return { label: target.label, segmentNumber, pixels, areaMm2: areaMm2 ?? null, threshold: threshold ?? null };
}
