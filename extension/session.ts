import { connectEngine, type EngineClient } from '../src/engine-client.ts';
import { OverreadError, toOverreadError } from '../src/errors.ts';
import { Audit } from './audit/audit.ts';
import { browserLog } from './audit/log.ts';
import { AutoRunner } from './auto-run.ts';
import { loadCatalogue } from './catalogue.ts';
import { defaultConfiguration, mayTrain, overlayStyleSchema, parseConfiguration, type Configuration, type OverlayStyle } from './configuration.ts';
import { Counting } from './counting/index.ts';
import { countAll } from './counting/count-all.ts';
import { Growth } from './counting/growth.ts';
import { activeImage } from './counting/active-image.ts';
import { Exports } from './exports.ts';
import { librariesOf, pluginUrl, startWorker, untriedViewer } from './host.ts';
import { sourcesOf } from './identity.ts';
import { Masks } from './masks.ts';
import { Comparing } from './comparing/index.ts';
import { createOverlays } from './overlays/index.ts';
import { FrameIndexes } from './overlays/place.ts';
import { OverlayPresenter } from './overlays/presenter.ts';
import { ResultsStore } from './results-store.ts';
import type { HeatmapResult } from '../src/results/result.ts';
import { Runner } from './run.ts';
import { findTarget } from './saliency-pictures.ts';
import { Explainer } from './saliency.ts';
import { Slides } from './slides/index.ts';
import { browserDrafts } from './storage/drafts.ts';
import { pacsOf } from './storage/pacs.ts';
import { browserSlideDrafts } from './storage/slide-drafts.ts';
import { Storer } from './storage/storer.ts';
import { readFrame } from './sources/cornerstone-image.ts';
import { loadedImages, onImagesLoaded } from './sources/loaded-images.ts';
import { synthesisedOf } from './sources/attributes.ts';
import { activeViewportId, instanceOf, isStillOpen, shownImage } from './sources/target.ts';
import { pickTargets } from './sources/views.ts';
import { Observable, type State } from './state.ts';
import { suggestedModel } from './suggested-model.ts';
import { Training } from './training/index.ts';
import type { TranslationAuditor } from './translation/auditor.ts';
import { translationAuditor } from './translation/index.ts';
import type { Cornerstone, DicomInstance, HostContext, Services, Subscription } from './types/ohif.ts';

/** The folder of models and wasm: where extension.js lies, at the root or under a sub-path. */
const PLUGIN_URL = pluginUrl();

/**
 * Overread in one page: configuration, engine, results and what is drawn, joined. It lives from `preRegistration` to the
 * end of the page, so results outlive the mode; what it hears of the viewer, it hears only while a mode is on.
 */
export class Session {
  readonly state: Observable<State>;
  readonly results = new ResultsStore();
  readonly slides: Slides;
  readonly runner: Runner;
  readonly explainer: Explainer;
  readonly masks: Masks;
  readonly comparing: Comparing;
  readonly storer: Storer;
  readonly audit: Audit;
  readonly exports: Exports;
  readonly counting: Counting;
  readonly growth: Growth;
  readonly training: Training;
  readonly translation: TranslationAuditor;
  readonly configuration: Configuration;
  readonly engine: EngineClient;
  readonly #services: Services;
  readonly #cornerstone: Cornerstone;
  readonly #presenter: OverlayPresenter;
  /** Only where the configuration asks for it. */
  readonly #autoRunner: AutoRunner | undefined;
  #subscriptions: Subscription[] = [];
  /** Somebody said which model: the configuration, or the user. */
  #chosen: boolean;

  constructor({ servicesManager, extensionManager, appConfig }: HostContext) {
    const services = (this.#services = servicesManager.services);
    const { cornerstone, cornerstoneTools } = librariesOf(extensionManager);
    this.#cornerstone = cornerstone;
    let configurationError: OverreadError | undefined;
    try {
      this.configuration = parseConfiguration(appConfig?.overread, PLUGIN_URL);
    } catch (error) {
      configurationError = toOverreadError(error);
      this.configuration = defaultConfiguration(PLUGIN_URL);
    }
    const { defaultOverlay, defaultModel, allowSoftwareAdapter, synthesised } = this.configuration;
    this.#chosen = defaultModel !== undefined;
    const viewerNote = untriedViewer(cornerstone);
    this.state = new Observable<State>({
      ...(configurationError && { configurationError }),
      ...(viewerNote && { viewerNote }),
      ...(defaultModel && { modelId: defaultModel }),
      overlay: defaultOverlay,
      overlaysShown: true,
      openStudies: new Set(),
      hasImage: false,
      hasSlide: false,
    });
    const user = () => services.userAuthenticationService?.getUser?.()?.profile?.name;
    this.audit = new Audit({ log: browserLog(), endpoint: this.configuration.audit, site: location.host, user });
    void this.audit.resume();
    this.exports = new Exports({ audit: this.audit, services, cornerstone, report: error => this.report(error) });
    // No worker is made before the first run.
    this.engine = connectEngine(startWorker, { allowSoftware: allowSoftwareAdapter, wasmPath: new URL('wasm/', PLUGIN_URL).href });
    const presentation = () => ({ shown: this.state.get().overlaysShown, style: this.state.get().overlay });
    this.slides = new Slides({
      services, cornerstone, engine: this.engine, presentation,
      kept: this.results,
      rules: synthesised,
      guide: { labelsOf: (viewportId, imageId) => this.counting.guide.labelsOf(viewportId, imageId), imageChanged: () => this.counting.guide.imageChanged() },
    });
    this.runner = new Runner({
      viewer: {
        pickTargets: (manifest, viewportId) => pickTargets(services, cornerstone, manifest, viewportId),
        isStillOpen: target => isStillOpen(services, cornerstone, target),
        readFrame: (target, signal) => readFrame(cornerstone, target.imageId, signal, synthesised),
        notify: (type, message) => this.notify(type, message),
      },
      engine: this.engine,
      results: this.results,
      state: this.state,
      slides: this.slides,
      onIdle: () => this.#autoRunner?.look(),
      audit: this.audit.record,
    });
    const frames = new FrameIndexes(cornerstone);
    this.storer = new Storer({
      results: this.results,
      viewer: {
        instancesOf: study => services.displaySetService.getActiveDisplaySets().filter(set => set.StudyInstanceUID === study).flatMap(set => set.instances ?? []),
        imageOf: async result => {
          const [source] = sourcesOf(result);
          const target = source && findTarget(services, frames, source);
          if (target) return readFrame(cornerstone, target.imageId, new AbortController().signal, synthesised);
          throw new OverreadError('input/no-pixels', 'The image that this map lies on is not open. Open its study, and store again.', { expected: source });
        },
        algorithmOf: id => [...(this.state.get().catalogue?.entries ?? []), ...this.training.versions.state.get().versions].find(({ manifest }) => manifest.id === id)?.manifest.algorithm,
        user,
      },
      pacs: pacsOf(extensionManager, services),
      drafts: browserDrafts(), slideDrafts: browserSlideDrafts(),
      settings: this.configuration.store,
      slides: this.slides.results,
      writers: () => import('./storage/writers.ts'),
      audit: this.audit.record,
    });
    const { autoRun } = this.configuration;
    this.#autoRunner = autoRun && new AutoRunner({
      autoRun,
      viewer: {
        loadedImages: () => loadedImages(services, cornerstone, viewportId => this.slides.pick(viewportId) !== undefined),
        pickTargets: ({ manifest }, viewportId) => pickTargets(services, cornerstone, manifest, viewportId),
      },
      runner: this.runner, results: this.results, state: this.state,
    });
    this.explainer = new Explainer({
      viewer: {
        findTarget: source => findTarget(services, frames, source),
        isStillOpen: target => isStillOpen(services, cornerstone, target),
        readFrame: (target, signal) => readFrame(cornerstone, target.imageId, signal, synthesised),
      },
      engine: this.engine,
      state: this.state,
      audit: this.audit.record,
    });
    const overlays = createOverlays(services, cornerstone, cornerstoneTools, keys => this.masks.deleted(keys), () => this.explainer.state.get().settings, {
      labelsOf: (viewportId, imageId) => this.counting.guide.labelsOf(viewportId, imageId),
      imageChanged: () => this.counting.guide.imageChanged(),
    });
    this.comparing = new Comparing({
      services, cornerstone, tools: cornerstoneTools, results: this.results, labelmaps: overlays.labelmap, frames, presentation,
      heatmapStyle: () => this.explainer.state.get().settings, openStudies: () => this.state.get().openStudies, onError: error => this.report(error), audit: this.audit.record,
    });
    this.masks = new Masks({ services, cornerstone, results: this.results, overlay: overlays.labelmap, frames, comparer: this.comparing.comparer });
    this.counting = new Counting({
      cornerstone, tools: cornerstoneTools, results: this.results,
      surfaces: () => [...overlays.points.surfaces(), ...this.slides.points.surfaces()],
      repaint: () => {
        overlays.points.repaint();
        this.slides.points.repaint();
      },
      activeImage: () => activeImage(services, cornerstone),
      exported: this.exports.exported,
      report: error => this.report(error),
    });
    this.growth = new Growth({
      results: this.results,
      openStudies: () => this.state.get().openStudies,
      exported: this.exports.exported,
      instanceOf: ({ result }) => instanceOf(services, cornerstone, sourcesOf(result)[0]!),
      report: error => this.report(error),
    });
    this.training = new Training({
      services, cornerstone, engine: this.engine, audit: this.audit.record, allowed: () => mayTrain(this.configuration, user()),
      results: () => this.results.all(), readEdits: () => this.masks.edits.read(), isOurs: segmentationId => overlays.labelmap.owns(segmentationId),
      entries: () => this.state.get().catalogue?.entries ?? [], onModels: chosen => this.readCatalogue(chosen),
    });
    this.translation = translationAuditor({ services, cornerstone, frames, rules: synthesised, engine: this.engine, results: this.results, audit: this.audit.record });
    this.#presenter = new OverlayPresenter({
      services, cornerstone, overlays, presentation,
      results: { all: () => this.comparing.present(this.results.all(), [...this.explainer.maps(), ...this.counting.density.maps()]) },
      onError: error => this.report(error),
    });
  }

  /** A mode was entered: follow what the viewer shows. */
  enter(): void {
    this.leave();
    // What went wrong on another study is no news on this one.
    this.state.set({ lastError: undefined, refusal: undefined });
    const { viewportGridService: grid, cornerstoneViewportService: viewports, displaySetService: sets, segmentationService: segmentation } = this.#services;
    const look = () => this.#look();
    this.#subscriptions = [
      grid.subscribe(grid.EVENTS.ACTIVE_VIEWPORT_ID_CHANGED, look),
      grid.subscribe(grid.EVENTS.GRID_STATE_CHANGED, look),
      grid.subscribe(grid.EVENTS.VIEWPORTS_READY, look),
      viewports.subscribe(viewports.EVENTS.VIEWPORT_DATA_CHANGED, look),
      sets.subscribe(sets.EVENTS.DISPLAY_SETS_CHANGED, look),
      sets.subscribe(sets.EVENTS.DISPLAY_SETS_REMOVED, look),
      segmentation.subscribe(segmentation.EVENTS.SEGMENTATION_REMOVED, look),
      { unsubscribe: this.results.subscribe(look) },
      { unsubscribe: this.results.subscribe(this.storer.onResults) },
      { unsubscribe: this.slides.results.subscribe(() => { this.slides.draw(); this.storer.onSlides(); }) },
      { unsubscribe: this.state.subscribe(this.#onState()) },
      { unsubscribe: this.explainer.state.subscribe(() => void this.#draw()) },
      { unsubscribe: this.counting.density.state.subscribe(() => void this.#draw()) },
      ...this.comparing.follow(() => void this.#draw()),
      ...this.masks.follow(),
      ...this.counting.follow(),
      ...(this.#autoRunner ? [onImagesLoaded(this.#cornerstone, look)] : []),
    ];
    const { configurationError } = this.state.get();
    if (configurationError) this.notify('error', configurationError.message);
    else void this.readCatalogue();
    this.#look();
  }

  /** The mode was left: OHIF has taken every segmentation down. Results stay, and so does a run that is under way. */
  leave(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
    this.explainer.end();
    this.masks.leave();
    this.comparing.leave();
    this.counting.leave();
    this.#presenter.forget();
    this.slides.forget();
    this.state.set({ openStudies: new Set(), hasImage: false, hasSlide: false, synthesised: undefined, note: undefined, explaining: undefined });
    this.#autoRunner?.look();
  }

  /** Reads the list of models, and chooses one of it; again after a failure. */
  async readCatalogue(chosen?: string): Promise<void> {
    const { models, allowedModels } = this.configuration;
    const [served] = await Promise.all([loadCatalogue(models, allowedModels), this.training.look()]);
    const catalogue = this.training.versions.merged(served);
    const { modelId } = this.state.get();
    const there = catalogue.entries.some(entry => entry.manifest.id === modelId);
    this.state.set({ catalogue, modelId: there ? modelId : catalogue.entries[0]?.manifest.id });
    if (chosen === undefined) this.#suggestModel();
    else this.chooseModel(chosen);
  }

  chooseModel(modelId: string): void {
    this.#chosen = true;
    this.state.set({ modelId });
  }

  /** Until somebody chooses: the first model that reads what is on screen, so that one click runs one that fits. */
  #suggestModel(): void {
    const viewportId = activeViewportId(this.#services);
    const modality = this.#shownInstance(viewportId)?.Modality ?? this.slides.pick(viewportId)?.displaySet.Modality;
    if (this.#chosen || modality === undefined) return;
    const fitting = suggestedModel(this.state.get(), modality);
    if (fitting !== undefined && fitting !== this.state.get().modelId) this.state.set({ modelId: fitting });
  }

  #shownInstance(viewportId: string | undefined): DicomInstance | undefined {
    const shown = viewportId === undefined ? undefined : shownImage(this.#services, viewportId);
    return shown && (this.#cornerstone.metaData.get('instance', shown.imageId) as DicomInstance | undefined);
  }

  /** Shows or hides every overlay; the other of what is, when left out. */
  toggleOverlays(shown = !this.state.get().overlaysShown): void {
    this.state.set({ overlaysShown: shown });
  }

  /** Shows or hides one result. One that is asked for shows, even while all were hidden. */
  setVisible(key: string, visible: boolean): void {
    if (visible) this.#uncover(key);
    this.results.setVisible(key, visible);
  }

  /** As {@link setVisible}, for the mask of a slide. */
  setSlideVisible(key: string, visible: boolean): void {
    if (visible) this.#uncover(key);
    this.slides.results.update(key, { visible });
  }

  /** While all overlays were hidden: shows this one alone. */
  #uncover(key?: string): void {
    if (this.state.get().overlaysShown) return;
    for (const other of this.results.all()) this.results.setVisible(other.key, other.key === key);
    for (const other of this.slides.results.all()) this.slides.results.update(other.key, { visible: other.key === key });
    this.state.set({ overlaysShown: true });
  }

  /** @throws OverreadError `config/invalid` */
  setOverlayStyle(change: Partial<OverlayStyle>): void {
    const parsed = overlayStyleSchema.safeParse(change);
    if (!parsed.success) {
      throw new OverreadError('config/invalid', `Expected opacity from 0 to 1 and style 'outline' or 'fill', got ${JSON.stringify(change)}. Nothing was changed.`, { got: change });
    }
    this.state.set({ overlay: { ...this.state.get().overlay, ...parsed.data } });
  }

  /** Asks where a score comes from; its card says, and the images show it. */
  explain(key: string, label: string): void {
    const kept = this.results.get(key);
    if (kept?.result.kind !== 'scores' || !kept.result.scores.some(({ target }) => target.label === label)) return;
    this.#uncover();
    this.state.set({ explaining: { key, label } });
    void this.explainer.explain(kept, label);
  }

  /** Runs the chosen model on each image of the open studies that it has not counted, one after the other, until the user runs something else. */
  async countAll(): Promise<void> {
    await countAll({ services: this.#services, cornerstone: this.#cornerstone, runner: this.runner, results: this.results, state: this.state });
  }

  /** Makes results of the maps that are shown, to be judged and stored like any other. */
  keepMaps(maps: readonly HeatmapResult[]): void {
    for (const map of maps) this.results.keep(map);
  }

  endExplanation(): void {
    this.explainer.end();
    this.state.set({ explaining: undefined });
  }

  notify(type: 'info' | 'warning' | 'error', message: string): void {
    this.#services.uiNotificationService.show({ title: 'Overread', message, type, duration: 8000, allowDuplicates: true });
  }

  report(error: OverreadError): void {
    if (error.code === 'job/cancelled') return;
    this.state.set({ lastError: error });
    this.notify('error', error.message);
  }

  #onState(): () => void {
    let { overlay, overlaysShown, hasImage, running, catalogue, openStudies } = this.state.get();
    return () => {
      const now = this.state.get();
      if (now.overlay !== overlay || now.overlaysShown !== overlaysShown) {
        void this.#draw();
      }
      if (now.hasImage !== hasImage || !now.running !== !running) this.#refreshToolbar();
      const due = now.catalogue !== catalogue || now.openStudies !== openStudies || !now.running !== !running;
      ({ overlay, overlaysShown, hasImage, running, catalogue, openStudies } = now);
      if (due) this.#autoRunner?.look();
    };
  }

  /** Makes what is drawn equal to what is kept, and counts in regions what is drawn. */
  async #draw(): Promise<void> {
    this.slides.draw();
    await Promise.all([this.#presenter.refresh(), this.comparing.draw()]);
    this.counting.look();
    await this.growth.look();
  }

  #refreshToolbar(): void {
    const viewportId = activeViewportId(this.#services);
    if (viewportId) this.#services.toolbarService.refreshToolbarState({ viewportId });
  }

  #look(): void {
    const open = new Set(this.#services.displaySetService.getActiveDisplaySets().map(set => set.StudyInstanceUID));
    const { openStudies } = this.state.get();
    const same = open.size === openStudies.size && [...open].every(uid => openStudies.has(uid));
    const viewportId = activeViewportId(this.#services);
    const instance = this.#shownInstance(viewportId);
    this.state.set({
      openStudies: same ? openStudies : open,
      hasImage: viewportId !== undefined && shownImage(this.#services, viewportId) !== undefined,
      synthesised: instance && synthesisedOf(instance, this.configuration.synthesised),
      hasSlide: this.slides.pick(viewportId) !== undefined,
    });
    this.#suggestModel();
    const { explaining } = this.state.get();
    // Its card goes with its study.
    if (explaining && !open.has(this.results.get(explaining.key)?.studyInstanceUID ?? '')) this.endExplanation();
    void this.#draw();
    void this.comparing.readings.follow();
    this.#autoRunner?.look();
    void this.storer.open(open);
    this.translation.look(open);
  }
}
