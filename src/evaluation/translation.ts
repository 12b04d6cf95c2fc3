import { OverreadError } from '../errors.ts';
import { apply, invert, multiply, type Point } from '../image/affine.ts';
import { isInstanceReference, referenceOf, type Affine, type Image, type SourceReference } from '../image/image.ts';
import type { Placed } from '../image/resample.ts';
import type { ModelManifest } from '../manifest.ts';
import type { LabelmapResult, ModalityPlacement, Result } from '../results/result.ts';
import { stopsOf } from '../results/probability-planes.ts';
import { labelsOnGrid } from '../results/volume-labels.ts';
import { nameOf, placeImage } from '../tasks/modalities.ts';
import { strangeness, translationOf } from './translation-evidence.ts';
import { CHANGE_RULE, lesionChanges, type ChangeRule, type LesionChange, type LesionChanges, type LesionMask } from './translation-changes.ts';

/** What finds the lesions: a model that stands ready on a device. `force`: of a translated image its refusal is set aside, and the result marked. */
export interface LesionFinder {
  readonly manifest: ModelManifest;
  run(images: readonly Image[], options?: { readonly force?: boolean }): Promise<Result>;
}

export interface TranslationAuditOptions {
  readonly rule?: Partial<ChangeRule>;
  /** Labels of the model's targets that are lesions; all of them when left out. */
  readonly labels?: readonly string[];
  /** Register the two even where they state one frame of reference. */
  readonly register?: boolean;
  readonly signal?: AbortSignal;
}

/** A change, and where it is in the translated image. */
export interface PlacedChange extends LesionChange {
  /** By how many standard deviations the pictures differ there from how one goes over into the other elsewhere. Of grey images. */
  readonly evidence?: number;
  readonly translated: {
    /** [column, row, slice] on the translated image's own grid, held within it. */
    readonly index: Point;
    readonly source: SourceReference;
  };
}

export interface TranslationAudit extends Omit<LesionChanges, 'changes'> {
  readonly changes: readonly PlacedChange[];
  /** What the model sees in one of the two only, while the pictures are there as they are elsewhere: less than the rule's `minimumEvidence`. Not among the changes. */
  readonly unconfirmed: readonly PlacedChange[];
  readonly rule: ChangeRule;
  /** How the translated image came to the real one's grid. */
  readonly placement: ModalityPlacement;
  /** The model's masks, each on its own image's grid. */
  readonly results: { readonly real: LabelmapResult; readonly translated: LabelmapResult };
  /** 1 in a lesion: both masks on the real image's grid. */
  readonly masks: { readonly real: Uint8Array; readonly translated: Uint8Array };
  /** The translated image on the real one's grid. */
  readonly translatedOnReal: Image;
}

/**
 * What a translation did to the lesions of one patient (J. P. Cohen, M. Luck, S. Honari, "Distribution Matching Losses Can
 * Hallucinate Features in Medical Image Translation", MICCAI 2018): one model is run on the real image and on the
 * translated one, the second mask is laid on the first image's grid, and what only one of them has is listed. What the model
 * itself misses or invents on either image is in the list, too: it says where to look, not who is right.
 * @throws OverreadError `input/refused` for a model that gives no masks, for images of two patients, and for two planes of
 *   different sizes; `input/modalities` where no registration is found; and as the model's run
 */
export async function auditTranslation(finder: LesionFinder, real: Image, translated: Image, options: TranslationAuditOptions = {}): Promise<TranslationAudit> {
  const rule = { ...CHANGE_RULE, ...options.rule };
  const wanted = wantedSegments(finder.manifest, options.labels);
  checkOnePatient(real, translated);
  const placed = await place(real, translated, options);
  const results = { real: labelmapOf(await finder.run([real])), translated: labelmapOf(await finder.run([translated], { force: true })) };
  const own = lesionsOf(results.real, wanted, rule.minimumPeak);
  const other = lesionsOf(results.translated, wanted, rule.minimumPeak);
  const lay = (mask: Uint8Array) => (placed.placement.kind === 'same grid' ? mask : labelsOnGrid(mask, ownGrid(translated as Image & Placed, placed.toImage), real as Image & Placed));
  const onReal = { lesions: lay(other.lesions), sure: lay(other.sure) };
  const found = lesionChanges(own, onReal, referenceOf(real), rule);
  const translatedOnReal = { ...real, channels: translated.channels, attributes: translated.attributes, pixels: placed.pixels };
  const evidenceOf = evidence(real, translatedOnReal, found.labels);
  const all = found.changes.map((change): PlacedChange => ({ ...change, ...evidenceOf(change), translated: placeIn(translated, change, real, placed.toImage) }));
  const confirmed = ({ evidence: seen = Infinity }: PlacedChange) => seen >= rule.minimumEvidence;
  const unconfirmed = all.filter(change => !confirmed(change));
  for (const { members } of unconfirmed) for (const i of members) found.labels[i] = 0;
  return {
    ...found,
    changes: all.filter(confirmed), unconfirmed, rule, results, translatedOnReal,
    placement: placed.placement,
    masks: { real: own.lesions, translated: onReal.lesions },
  };
}

/** What is new is looked for by what the other picture would become, what is gone by what this one would come from: the larger of both. @param changed not 0 where the masks differ: how one goes over into the other is told by the rest */
function evidence(real: Image, translated: Image, changed: Uint8Array): (change: LesionChange) => { readonly evidence?: number } {
  if (real.channels !== 1 || translated.channels !== 1) return () => ({});
  const there = translationOf(real.pixels, translated.pixels, changed);
  const back = translationOf(translated.pixels, real.pixels, changed);
  return ({ members }) => ({ evidence: Math.max(Math.abs(strangeness(members, real.pixels, translated.pixels, there)), Math.abs(strangeness(members, translated.pixels, real.pixels, back))) });
}

function wantedSegments({ name, task, output: { targets } }: ModelManifest, labels: readonly string[] = targets.map(({ label }) => label)): ReadonlySet<number> {
  if (task !== 'segment') throw new OverreadError('input/refused', `Expected a model that outlines lesions, got ${name}, whose task is ${task}. Choose one of the task segment.`, { expected: 'segment', got: task });
  return new Set(labels.map(label => {
    const index = targets.findIndex(target => target.label === label);
    if (index >= 0) return index + 1;
    throw new OverreadError('input/refused', `Expected labels of ${name} (${targets.map(target => target.label).join(', ')}), got ${label}. Choose one of them.`, { got: label });
  }));
}

function labelmapOf(result: Result): LabelmapResult {
  if (result.kind === 'labelmap') return result;
  throw new OverreadError('input/refused', `Expected a labelmap of ${result.model.name}, got ${result.kind}. Choose a model that outlines lesions.`, { expected: 'labelmap', got: result.kind });
}

function lesionsOf({ labels, segments, probabilities }: LabelmapResult, wanted: ReadonlySet<number>, minimumPeak: number): LesionMask {
  const lesions = labels.map(label => Number(wanted.has(label)));
  if (!probabilities) return { lesions, sure: lesions };
  const { values, operatingPoints } = probabilities;
  const sure = new Uint8Array(labels.length);
  segments.forEach(({ segmentNumber }, plane) => {
    if (!wanted.has(segmentNumber)) return;
    // A value counts the stops that are reached.
    const enough = stopsOf(operatingPoints[plane]!).filter(stop => stop <= minimumPeak).length;
    for (let i = 0; i < sure.length; i++) if (labels[i] === segmentNumber && values[plane * labels.length + i]! >= enough) sure[i] = 1;
  });
  return { lesions, sure };
}

function checkOnePatient(real: Image, translated: Image): void {
  const [expected, got] = [real.attributes.patientID, translated.attributes.patientID];
  const same = (a: Image, b: Image) => a.sources.length === b.sources.length && a.sources.every((source, i) => keyOf(source) === keyOf(b.sources[i]!));
  if (same(real, translated)) throw new OverreadError('input/refused', `Expected a real image and its translation, got ${nameOf(real)} twice. Choose two series.`, { got: nameOf(real) });
  if (expected !== undefined && got !== undefined && expected !== got) {
    throw new OverreadError('input/refused', `Expected a real and a translated image of one patient, got PatientID ${expected} and ${got}. Choose series of one patient.`, { expected, got });
  }
}

const keyOf = (source: SourceReference): string => (isInstanceReference(source) ? `${source.sopInstanceUID} ${source.frame}` : source.file);

async function place(real: Image, translated: Image, { register, signal }: TranslationAuditOptions) {
  const grey = real.channels === 1 && translated.channels === 1;
  if (grey && isPlaced(real) && isPlaced(translated)) return placeImage(real, translated, { register, signal, names: [nameOf(real), nameOf(translated)] });
  const [expected, got] = [real.shape, translated.shape].map(shape => shape.join(' × '));
  if (expected !== got || register) {
    throw new OverreadError('input/refused', `Expected two pictures of one size, pixel on pixel, or two grey volumes that say where they lie, got ${expected} and ${got}. Bring both to one size; pictures in colour or without a place in the patient are not registered.`, { expected, got });
  }
  return { pixels: translated.pixels, placement: { kind: 'same grid' } as const, toImage: undefined };
}

const isPlaced = (image: Image): image is Image & Placed => image.indexToPatient !== undefined;

/** The image's grid where its voxels lie in the reference's patient coordinates. */
function ownGrid(image: Image & Placed, toImage: Affine | undefined): Image & Placed {
  return toImage ? { ...image, indexToPatient: multiply(invert(toImage), image.indexToPatient) } : image;
}

function placeIn(translated: Image, { index }: LesionChange, real: Image, toImage: Affine | undefined): PlacedChange['translated'] {
  const at = isPlaced(translated) && isPlaced(real) && real.channels === 1 ? apply(multiply(invert(ownGrid(translated, toImage).indexToPatient), real.indexToPatient), index) : index;
  const held = at.map((v, axis) => Math.min(translated.shape[axis]! - 1, Math.max(0, Math.round(v)))) as unknown as Point;
  return { index: held, source: translated.sources[held[2]]! };
}
