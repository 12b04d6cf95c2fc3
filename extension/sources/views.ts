import { OverreadError } from '../../src/errors.ts';
import { statedView, viewOf, type View } from '../../src/image/view.ts';
import type { ModelManifest } from '../../src/manifest.ts';
import { frameKey, instanceReference, sameSource, type Target } from '../identity.ts';
import type { Cornerstone, DicomInstance, DisplaySet, Services } from '../types/ohif.ts';
import { attributesOf } from './attributes.ts';
import { pickSeries } from './mr-series.ts';
import { gridViewports, pickTarget, shownImage } from './target.ts';

/** What a run is to read. */
export interface Picked {
  /** The image of the viewport first. */
  readonly targets: readonly Target[];
  /** What the user should know of the choice. */
  readonly note?: string;
}

const NAMES: { readonly [V in Shown]: string } = { PA: 'frontal', L: 'lateral', other: 'other', 'not stated': 'unnamed' };

/**
 * The images that a run of a model reads: the current one of the viewport and, for a model that reads two views
 * together, the other view of the same study and patient. What the instances state decides; of several the one that
 * another viewport shows. Where there is no other view, the model reads one.
 * @param viewportId the active viewport when left out
 * @throws OverreadError `input/no-pixels`; `input/views` when it cannot be told which picture is meant
 */
export function pickTargets(services: Services, cornerstone: Cornerstone, manifest: ModelManifest, viewportId?: string): Picked {
  const first = pickTarget(services, cornerstone, viewportId);
  if (manifest.input.modalities) return pickSeries(services, cornerstone, manifest, viewportId);
  if (!manifest.input.fusion) return { targets: [first] };
  const instance = instanceOf(cornerstone, first.imageId);
  const own = viewStated(instance);
  // It is refused for what it is, whatever lies beside it.
  if (own === 'other') return { targets: [first] };
  const others = radiographs(services, cornerstone, first, manifest);
  const ofPatient = others.filter(other => samePatient(other.instance, instance));
  // An image that states no view may be either; its neighbour's view says which is left for it.
  const isOther = ({ view }: Candidate) => (view === 'PA' || view === 'L') && view !== own;
  const stated = ofPatient.filter(isOther);
  if (own === 'not stated' && new Set(stated.map(({ view }) => view)).size > 1) return { targets: [first] };
  // A gate can tell the view of a picture that states none. It is read only when the user has it on screen.
  const guessable = manifest.input.gate ? ofPatient.filter(({ view, shownIn }) => view === 'not stated' && shownIn !== undefined) : [];
  const second = oneOf(stated.length > 0 ? stated : guessable, manifest.name);
  if (second) return { targets: [first, second.target] };
  const strange = others.find(other => isOther(other) && !ofPatient.includes(other));
  return {
    targets: [first],
    ...(strange && { note: `A ${NAMES[strange.view]} view of this study states another PatientID. It was not read.` }),
  };
}

/** What an image states of its view; 'other' is an oblique, say. */
export type Shown = View | 'other' | 'not stated';

/** The view that an instance states, in ViewPosition, ViewCodeSequence or its series' description. */
export function viewStated(instance: DicomInstance): Shown {
  const attributes = attributesOf(instance);
  return statedView(attributes)?.view ?? (attributes.viewPosition === undefined ? 'not stated' : 'other');
}

/** Whether a model may read a picture that states this view; one that states none may be any. */
export function readsView({ input }: ModelManifest, view: Shown): boolean {
  const named: readonly Shown[] = input.fusion ? ['PA', 'L'] : (input.viewPosition ?? []).flatMap(position => viewOf(position) ?? []);
  return view === 'not stated' || named.length === 0 || named.includes(view);
}

interface Candidate {
  readonly target: Target;
  readonly instance: DicomInstance;
  readonly view: Shown;
  /** The viewport that shows it now. */
  readonly shownIn?: string;
}

/** The other pictures of the study that the model could read by their modality and body part. */
function radiographs(services: Services, cornerstone: Cornerstone, first: Target, { input }: ModelManifest): Candidate[] {
  const shown = new Map<string, string>();
  for (const { viewportId } of gridViewports(services)) {
    const image = viewportId === first.viewportId ? undefined : shownImage(services, viewportId);
    if (image) shown.set(image.imageId, viewportId);
  }
  const found = new Map<string, Candidate>();
  for (const displaySet of services.displaySetService.getActiveDisplaySets()) {
    if (displaySet.StudyInstanceUID !== first.source.studyInstanceUID) continue;
    for (const imageId of displaySet.imageIds ?? []) {
      const candidate = candidateOf(cornerstone, displaySet, imageId, shown.get(imageId));
      if (!candidate || sameSource(candidate.target.source, first.source) || candidate.target.source.studyInstanceUID !== first.source.studyInstanceUID) continue;
      const { Modality = 'OT', BodyPartExamined = '' } = candidate.instance;
      if (!includes(input.modality, Modality) || (input.bodyPart && BodyPartExamined.trim() && !includes(input.bodyPart, BodyPartExamined))) continue;
      // One image may stand in several display sets.
      const key = frameKey(candidate.target.source);
      if (!found.get(key)?.shownIn) found.set(key, candidate);
    }
  }
  return [...found.values()];
}

function candidateOf(cornerstone: Cornerstone, displaySet: DisplaySet, imageId: string, shownIn: string | undefined): Candidate | undefined {
  const instance = instanceOf(cornerstone, imageId);
  const source = instanceReference(instance);
  if (!source) return undefined;
  return {
    target: { viewportId: shownIn ?? '', displaySetInstanceUID: displaySet.displaySetInstanceUID, imageId, source },
    instance,
    view: viewStated(instance),
    ...(shownIn !== undefined && { shownIn }),
  };
}

/** The only one, or the only one that is shown. */
function oneOf(candidates: readonly Candidate[], name: string): Candidate | undefined {
  if (candidates.length <= 1) return candidates[0];
  const shown = candidates.filter(({ shownIn }) => shownIn !== undefined);
  if (shown.length === 1) return shown[0];
  const [{ view }] = candidates as [Candidate];
  const what = view === 'not stated' ? 'pictures on screen that state no view' : `${NAMES[view]} views`;
  throw new OverreadError(
    'input/views',
    `${name} reads one frontal and one lateral view, and this study has ${candidates.length} ${what}: ${candidates.map(wordsOf).join('; ')}. Show the one that is meant, and no other of them, in a second viewport, then run again.`,
    { expected: 1, got: candidates.map(({ target }) => target.source) },
  );
}

/** 'Chest lateral (LL, series 2, image 1)' */
function wordsOf({ instance }: Candidate): string {
  const { SeriesDescription, SeriesNumber, InstanceNumber } = instance;
  const details = [attributesOf(instance).viewPosition, SeriesNumber !== undefined && `series ${SeriesNumber}`, InstanceNumber !== undefined && `image ${InstanceNumber}`].filter(Boolean).join(', ');
  return [SeriesDescription?.trim() || 'no description', details && `(${details})`].filter(Boolean).join(' ');
}

function samePatient(a: DicomInstance, b: DicomInstance): boolean {
  return attributesOf(a).patientID === attributesOf(b).patientID;
}

function instanceOf(cornerstone: Cornerstone, imageId: string): DicomInstance {
  return (cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined) ?? {};
}

function includes(allowed: readonly string[], value: string): boolean {
  return allowed.some(a => a.toUpperCase() === value.trim().toUpperCase());
}
