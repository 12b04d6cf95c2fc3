import type { AuditedEvent } from '../src/audit/record.ts';
import type { CallOptions, EngineJob } from '../src/engine-client.ts';
import { OverreadError, throwIfAborted, toOverreadError } from '../src/errors.ts';
import type { Image, InstanceReference } from '../src/image/image.ts';
import type { DeviceDescription } from '../src/results/result.ts';
import type { SaliencyMethodId } from '../src/results/saliency.ts';
import type { Progress } from '../src/runtime/types.ts';
import type { SaliencyRequest, SaliencyResult } from '../src/tasks/saliency/index.ts';
import { auditedResult } from './audit/audit.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { isResultOf, sourcesOf, type Target } from './identity.ts';
import { DEFAULT_HEATMAP_STYLE, type HeatmapStyle } from './overlays/heatmap-raster.ts';
import { describeProgress, type ProgressView } from './progress.ts';
import type { KeptResult } from './results-store.ts';
import { sameAsked, SaliencyMaps, type Asked } from './saliency-maps.ts';
import { Observable, type State } from './state.ts';

/** The part of the engine's client that is asked. */
export interface ExplainEngine {
  explain(job: EngineJob & { readonly request: SaliencyRequest }, options?: CallOptions): Promise<readonly SaliencyResult[]>;
}

/** What it asks of the viewer. */
export interface ExplainViewer {
  /** The open image that shows this frame; undefined when its study is not open. */
  findTarget(source: InstanceReference): Target | undefined;
  isStillOpen(target: Target): boolean;
  readFrame(target: Target, signal: AbortSignal): Promise<Image>;
}

export type SaliencyPhase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly progress: ProgressView; /** Milliseconds of the page's clock. */ readonly startedAt: number }
  | { readonly kind: 'shown'; readonly maps: readonly SaliencyResult[] }
  | { readonly kind: 'error'; readonly error: OverreadError };

export interface SaliencySettings extends HeatmapStyle {
  readonly visible: boolean;
}

export interface SaliencyState {
  /** What the phase is of; absent before the first request, and after the last. */
  readonly asked?: Asked;
  readonly phase: SaliencyPhase;
  /** They stay from one map to the next. */
  readonly settings: SaliencySettings;
}

const IDLE: SaliencyPhase = { kind: 'idle' };

/**
 * Asks the engine where a score came from: the pictures once more through the viewer → engine → maps. One request at a
 * time, and the newest wins: what was asked before is cancelled, and nothing of it is shown. It never rejects.
 */
export class Explainer {
  readonly state = new Observable<SaliencyState>({ phase: IDLE, settings: { ...DEFAULT_HEATMAP_STYLE, visible: true } });
  readonly #viewer: ExplainViewer;
  readonly #engine: ExplainEngine;
  readonly #session: Observable<State>;
  readonly #maps: SaliencyMaps;
  readonly #audit: (event: AuditedEvent) => void;
  /** What the user chose last; until then, what the device is good for. */
  #method: SaliencyMethodId | undefined;
  #abort: AbortController | undefined;
  #shown: readonly KeptResult[] = [];

  constructor(parts: { viewer: ExplainViewer; engine: ExplainEngine; state: Observable<State>; maps?: SaliencyMaps; audit?: (event: AuditedEvent) => void }) {
    this.#viewer = parts.viewer;
    this.#engine = parts.engine;
    this.#session = parts.state;
    this.#maps = parts.maps ?? new SaliencyMaps();
    this.#audit = parts.audit ?? (() => undefined);
  }

  /**
   * Shows where a score of a kept result came from.
   * @param label of one of its targets
   * @param method by hand, and then remembered; when left out, the last one, or one that the device is good for
   */
  async explain(kept: KeptResult, label: string, method?: SaliencyMethodId): Promise<void> {
    if (method) this.#method = method;
    const asked: Asked = { key: kept.key, label, method: method ?? this.#methodFor(kept) };
    const { asked: before, phase } = this.state.get();
    if (phase.kind === 'running' && before && sameAsked(before, asked)) return;
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    const known = this.#maps.get(asked);
    if (known) return this.#show(kept, asked, known);
    const startedAt = performance.now();
    // A word of a request that was given up must not speak for the next one.
    const tell = (progress: ProgressView) => {
      if (this.#abort === abort) this.#set({ asked, phase: { kind: 'running', progress, startedAt } });
    };
    tell(describeProgress({ stage: 'read pixels' }));
    try {
      const maps = await this.#ask(kept, asked, progress => tell(describe(progress)), abort.signal);
      this.#audit({ action: 'explain', outcome: 'success', ...auditedResult(kept.result), details: { method: asked.method } });
      if (this.#abort === abort) this.#show(kept, asked, maps);
    } catch (thrown) {
      const { code } = toOverreadError(thrown);
      this.#audit({ action: 'explain', outcome: code === 'job/cancelled' ? 'cancelled' : 'failure', error: code, ...auditedResult(kept.result), details: { method: asked.method } });
      if (this.#abort !== abort) return;
      const error = toOverreadError(thrown);
      this.#set({ asked, phase: error.code === 'job/cancelled' ? IDLE : { kind: 'error', error } });
    }
  }

  /** Gives up the request that is under way; what was asked stays written, and can be asked again. */
  cancel(): void {
    if (this.state.get().phase.kind !== 'running') return;
    this.#stop();
    this.#set({ phase: IDLE });
  }

  /** Takes everything down: the score was left, or the mode. */
  end(): void {
    this.#stop();
    this.#set({ asked: undefined, phase: IDLE });
  }

  change(settings: Partial<SaliencySettings>): void {
    this.state.set({ settings: { ...this.state.get().settings, ...settings } });
  }

  /** What is to be drawn, each on its own picture: for the overlays' presenter, beside the kept results. */
  maps(): readonly KeptResult[] {
    const { visible } = this.state.get().settings;
    return visible ? this.#shown : [];
  }

  #methodFor({ result: { device, model } }: KeptResult): SaliencyMethodId {
    const entry = this.#session.get().catalogue?.entries.find(({ manifest }) => manifest.id === model.id);
    const standard = defaultMethod(device, entry?.manifest.graph.format);
    // Where there are no derivatives, what was chosen on another model or device may not be had.
    return standard === 'occlusion' ? standard : (this.#method ?? standard);
  }

  async #ask(kept: KeptResult, asked: Asked, onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<readonly SaliencyResult[]> {
    const { model, outOfDistribution } = kept.result;
    const { location } = this.#entryOf(kept);
    const targets = sourcesOf(kept.result).map(source => {
      const target = this.#viewer.findTarget(source);
      if (target) return target;
      throw new OverreadError('job/stale', 'A picture that this score was computed from is not open. Open its study again, then ask once more.', { expected: source });
    });
    const images: Image[] = [];
    for (const target of targets) {
      images.push(await this.#viewer.readFrame(target, signal));
      throwIfAborted(signal);
    }
    // What the user let through for the score is let through for its map.
    const force = outOfDistribution?.refused === true;
    const request = { target: asked.label, method: asked.method };
    const maps = await this.#engine.explain({ location, images, ...(force && { force }), request }, { onProgress, signal });
    throwIfAborted(signal);
    checkMaps(maps, asked, targets);
    this.#session.set({ device: maps[0]!.device });
    if (maps.some(map => map.model.sha256 !== model.sha256)) {
      throw new OverreadError('job/stale', `${model.name} is not what it was when this score was computed. Run it again, then ask once more.`, { expected: model.sha256, got: maps.map(map => map.model.sha256) });
    }
    const answer = this.#maps.keep(asked, maps);
    if (!targets.every(target => this.#viewer.isStillOpen(target))) {
      throw new OverreadError('job/stale', 'The study was closed while the map was computed. Open it again, then ask once more.', { sources: targets.map(({ source }) => source) });
    }
    return answer;
  }

  #entryOf({ result: { model } }: KeptResult): CatalogueEntry {
    const entries = this.#session.get().catalogue?.entries ?? [];
    const entry = entries.find(({ manifest: { id, version } }) => id === model.id && version === model.version);
    if (entry) return entry;
    const there = entries.map(({ manifest: { id, version } }) => `${id} ${version}`).join(', ') || 'none';
    throw new OverreadError('model/not-found', `Expected ${model.id} ${model.version}, which gave this score; there is: ${there}. Install it again, or run one of these.`, { expected: model.id, got: there });
  }

  #show(kept: KeptResult, asked: Asked, maps: readonly SaliencyResult[]): void {
    const { key, studyInstanceUID } = kept;
    // Each is of a picture of its own, which may be of another series.
    this.#shown = maps.map((result, i) => {
      const [source] = sourcesOf(result);
      return { key: `${key} ${asked.label} ${asked.method} ${i}`, studyInstanceUID, seriesInstanceUID: source!.seriesInstanceUID, result, visible: true };
    });
    // Who asks wants to see it.
    this.state.set({ asked, phase: { kind: 'shown', maps }, settings: { ...this.state.get().settings, visible: true } });
  }

  #set(change: Partial<SaliencyState>): void {
    this.#shown = [];
    this.state.set(change);
  }

  #stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
  }
}

/**
 * What to begin with. Derivatives need WebGPU, WebGL or plain JavaScript, and a network whose layers can be entered;
 * occlusion needs nothing but scores.
 */
export function defaultMethod({ backend }: Pick<DeviceDescription, 'backend'>, format: 'layers' | 'graph' | 'onnx' = 'layers'): SaliencyMethodId {
  return backend === 'wasm' || format !== 'layers' ? 'occlusion' : 'grad-cam';
}

/** The engine says nothing while the map is checked, which takes about as long as the map did. */
function describe(progress: Progress): ProgressView {
  const view = describeProgress(progress);
  return progress.stage === 'infer' && progress.fraction !== undefined && progress.fraction >= 1
    ? { text: 'Checking the map', fraction: view.fraction }
    : view;
}

/** @throws OverreadError `internal` unless there is one map of what was asked for each picture that was sent */
function checkMaps(maps: readonly SaliencyResult[], { label, method }: Asked, targets: readonly Target[]): void {
  const asked = targets.map(({ source }) => source);
  const fitting = maps.every(map => map.target.label === label && map.saliency.method === method);
  if (fitting && maps.length === asked.length && asked.every(source => maps.some(map => isResultOf(map, [source])))) return;
  throw new OverreadError('internal', 'Expected a heat map for each picture that was sent, got others. They were thrown away. Please report this.', {
    expected: { label, method, sources: asked }, got: maps.map(map => ({ label: map.target.label, method: map.saliency.method, sources: map.source.sources })),
  });
}
