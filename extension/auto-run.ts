import { toOverreadError } from '../src/errors.ts';
import type { CatalogueEntry } from './catalogue.ts';
import type { AutoRunRule } from './configuration.ts';
import { frameKey, sourcesOf, type Target } from './identity.ts';
import type { ResultsStore } from './results-store.ts';
import type { Runner } from './run.ts';
import { readsView, type Picked, type Shown } from './sources/views.ts';
import type { Observable, State } from './state.ts';

/** An image that a viewport shows and that has arrived. */
export interface LoadedImage {
  readonly viewportId: string;
  readonly studyInstanceUID: string;
  readonly modality: string;
  readonly bodyPart?: string;
  /** Of the study and the series, joined. */
  readonly description: string;
  readonly view: Shown;
}

/** What automatic runs ask of the viewer. */
export interface AutoRunViewer {
  /** The active viewport's first. */
  loadedImages(): readonly LoadedImage[];
  /** @throws OverreadError `input/*` */
  pickTargets(entry: CatalogueEntry, viewportId: string): Picked;
}

/**
 * Runs the models that the site's configuration names, once on each study whose image is on screen. It stays behind the
 * user: it waits for a run of theirs and gives way to one, moves nothing on screen, and says what it could not do in a
 * quiet line. Like the overlays it works from what is, so an event that comes twice does no harm.
 */
export class AutoRunner {
  readonly #rules: readonly AutoRunRule[];
  readonly #viewer: AutoRunViewer;
  readonly #runner: Pick<Runner, 'busy' | 'runQuietly' | 'cancel'>;
  readonly #results: ResultsStore;
  readonly #state: Observable<State>;
  /** `model study` that was tried: it is not tried again, whatever came of it. */
  readonly #tried = new Set<string>();
  /** What could not be done, by study and model. */
  readonly #notes = new Map<string, Map<string, string>>();
  #running: { readonly study: string } | undefined;

  constructor(parts: { autoRun: readonly AutoRunRule[]; viewer: AutoRunViewer; runner: Pick<Runner, 'busy' | 'runQuietly' | 'cancel'>; results: ResultsStore; state: Observable<State> }) {
    this.#rules = parts.autoRun;
    this.#viewer = parts.viewer;
    this.#runner = parts.runner;
    this.#results = parts.results;
    this.#state = parts.state;
  }

  /** Starts what is due; to be called whenever anything changed. */
  look(): void {
    const { openStudies, catalogue, configurationError, running } = this.#state.get();
    if (running?.automatic && this.#running && !openStudies.has(this.#running.study)) this.#runner.cancel();
    this.#say();
    if (!catalogue || configurationError || this.#runner.busy) return;
    const images = this.#viewer.loadedImages().filter(image => openStudies.has(image.studyInstanceUID));
    for (const study of new Set(images.map(image => image.studyInstanceUID))) {
      for (const [id, fitting] of this.#due(images.filter(image => image.studyInstanceUID === study))) {
        const entry = catalogue.entries.find(({ manifest }) => manifest.id === id);
        if (this.#tried.has(`${id} ${study}`)) continue;
        if (!entry) {
          this.#tried.add(`${id} ${study}`);
          this.#note(study, id, `${id} is to run by itself, but it is not installed.`);
          continue;
        }
        const suited = fitting.filter(image => suits(entry, image));
        const image = suited.find(({ view }) => view !== 'not stated') ?? suited[0];
        if (image && this.#start(entry, image)) return;
      }
    }
  }

  /** Models of the rules that fit, in their order, each once with all images that it is due on. */
  #due(images: readonly LoadedImage[]): Map<string, readonly LoadedImage[]> {
    const due = new Map<string, readonly LoadedImage[]>();
    for (const rule of this.#rules) {
      const fitting = images.filter(image => fits(rule, image));
      if (fitting.length > 0) for (const id of rule.models) due.set(id, [...new Set([...(due.get(id) ?? []), ...fitting])]);
    }
    return due;
  }

  /** @returns whether a run is under way now */
  #start(entry: CatalogueEntry, { viewportId, studyInstanceUID }: LoadedImage): boolean {
    const key = `${entry.manifest.id} ${studyInstanceUID}`;
    this.#tried.add(key);
    let targets: readonly Target[];
    try {
      ({ targets } = this.#viewer.pickTargets(entry, viewportId));
    } catch (error) {
      this.#note(studyInstanceUID, entry.manifest.id, `${entry.manifest.name} was not run by itself. ${toOverreadError(error).message}`);
      return false;
    }
    if (this.#known(entry, targets)) return false;
    const running = (this.#running = { study: studyInstanceUID });
    void this.#runner.runQuietly(entry, targets).then(outcome => {
      // The next one may be under way already.
      if (this.#running === running) this.#running = undefined;
      const closed = !this.#state.get().openStudies.has(studyInstanceUID);
      // Not its own doing: the study's next opening, or the end of the user's run, is another chance.
      if (outcome.kind === 'gave way' || (outcome.kind === 'failed' && closed && outcome.error.code === 'job/cancelled')) this.#tried.delete(key);
      else if (outcome.kind === 'failed' && outcome.error.code !== 'job/cancelled' && outcome.error.code !== 'job/stale') {
        this.#note(studyInstanceUID, entry.manifest.id, `${entry.manifest.name} was not run by itself. ${outcome.error.message}`);
      }
      this.look();
    });
    return true;
  }

  /** Whether a result of this model on these pictures is kept already. */
  #known({ manifest: { id, version } }: CatalogueEntry, targets: readonly Target[]): boolean {
    const wanted = new Set(targets.map(({ source }) => frameKey(source)));
    return this.#results.all().some(({ result }) => {
      const sources = sourcesOf(result);
      return result.kind !== 'heatmap' && result.model.id === id && result.model.version === version && sources.length === wanted.size && sources.every(source => wanted.has(frameKey(source)));
    });
  }

  #note(study: string, modelId: string, text: string): void {
    const notes = this.#notes.get(study) ?? new Map<string, string>();
    this.#notes.set(study, notes.set(modelId, text));
    this.#say();
  }

  #say(): void {
    const { openStudies } = this.#state.get();
    const lines = [...openStudies].flatMap(study => [...(this.#notes.get(study)?.values() ?? [])]);
    this.#state.set({ autoNote: lines.length > 0 ? [...new Set(lines)].join(' ') : undefined });
  }
}

/** Whether the model reads pictures of this image's modality and view, as far as the image states them. */
function suits({ manifest }: CatalogueEntry, { modality, view }: LoadedImage): boolean {
  return manifest.input.modality.some(read => read.toUpperCase() === modality.toUpperCase()) && readsView(manifest, view);
}

function fits({ modalities, bodyParts, descriptions }: AutoRunRule, { modality, bodyPart = '', description }: LoadedImage): boolean {
  const lower = (text: string) => text.trim().toLowerCase();
  return modalities.includes(modality)
    && (!bodyParts || bodyParts.some(part => lower(part) === lower(bodyPart)))
    && (!descriptions || descriptions.some(words => lower(description).includes(lower(words))));
}
