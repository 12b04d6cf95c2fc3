import { OverreadError, isOverreadError, throwIfAborted } from '../errors.ts';
import { axialOrder, axialTriple } from '../image/axial.ts';
import { isInstanceReference, referenceOf, type Affine, type Image } from '../image/image.ts';
import { modalityOf, type KnownModality, type MrModality } from '../image/modality.ts';
import { registerRigid } from '../image/register.ts';
import { resample, sameGrid, type Placed } from '../image/resample.ts';
import type { ModelManifest } from '../manifest.ts';
import type { ModalitiesReport, ModalityPlacement, UsedModality } from '../results/result.ts';

/** A series with what it is. */
export interface KnownSeries {
  readonly image: Image & Placed;
  readonly known: KnownModality;
}

/** A series on the grid of the reference. */
export interface PlacedSeries extends KnownSeries {
  /** Modality values at the reference's voxels; no signal (0) where the series has none. */
  readonly pixels: Float32Array;
  readonly placement: ModalityPlacement;
}

/** Axial slices that are narrower show no section of a head. */
const SMALLEST_SIDE = 16;
/** A series that covers less of the reference shows another part of the body. */
const SMALLEST_COVER = 0.2;

/** True for a model that reads several MR series of one study together. */
export function readsModalities({ input }: ModelManifest): boolean {
  return input.modalities !== undefined;
}

/** Where several could be the reference: the first of these, since lesions are outlined on it. */
const REFERENCES: readonly MrModality[] = ['FLAIR', 'T2', 'T1c', 'T1'];

/** The images with the one first whose grid the result is to lie on; those of which nothing is known stay behind. */
export function referenceFirst(images: readonly Image[]): Image[] {
  const rank = ({ attributes }: Image) => {
    const { modality } = modalityOf(attributes);
    return modality ? REFERENCES.indexOf(modality) : REFERENCES.length;
  };
  return [...images].sort((a, b) => rank(a) - rank(b));
}

/**
 * Which modality each series is, once all are found to be volumes of one study of one patient, each modality once.
 * @param images the first is the reference: the result lies on its grid
 * @throws OverreadError `input/refused` for what is no MR volume that says where it lies; `input/modalities` when it cannot
 *   be told which modality a series is, when two are the same one, or when they are not of one study
 */
export function knownSeries(images: readonly Image[], manifest: ModelManifest): readonly KnownSeries[] {
  const { name, input: { modality: accepted, modalities = [] } } = manifest;
  if (images.length === 0) throw new OverreadError('input/modalities', `${name} reads at least one of ${modalities.join(', ')}, got none. Choose a series.`, { expected: modalities });
  const known = images.map(image => {
    if (!accepted.includes(image.modality)) throw refused(name, `reads series of modality ${accepted.join(' or ')}`, `modality ${image.modality}`, accepted, image.modality);
    if (image.channels !== 1) throw refused(name, 'reads grey values', 'colour', 1, image.channels);
    const { indexToPatient } = image;
    if (!indexToPatient) {
      throw refused(name, 'reads volumes that say where their voxels lie', 'without position, orientation or pixel spacing', ['ImagePositionPatient', 'ImageOrientationPatient', 'PixelSpacing'], undefined);
    }
    if (image.shape[2] === 1) throw refused(name, 'reads whole series', `a single plane of ${image.shape[0]} × ${image.shape[1]}`, 'several slices', 1);
    const [columns, rows] = axialTriple(image.shape, axialOrder(indexToPatient));
    if (columns < SMALLEST_SIDE || rows < SMALLEST_SIDE) {
      throw refused(name, `reads axial sections of at least ${SMALLEST_SIDE} × ${SMALLEST_SIDE} voxels`, `${columns} × ${rows} across`, SMALLEST_SIDE, [columns, rows]);
    }
    const found = modalityOf(image.attributes);
    if (found.modality === undefined) {
      throw new OverreadError('input/modalities', `It cannot be told which of ${modalities.join(', ')} the series ${nameOf(image)} is: ${found.why}. Say it (on the command line with --as T1=FILE), or leave the series out.`, { expected: modalities, got: nameOf(image) });
    }
    if (!modalities.includes(found.modality)) throw new OverreadError('input/modalities', `${name} reads ${modalities.join(', ')}, got ${found.modality} (${nameOf(image)}). Leave it out.`, { expected: modalities, got: found.modality });
    return { image: image as Image & Placed, known: found };
  });
  checkEachOnce(known);
  checkOneStudy(images, name);
  return known;
}

/**
 * Brings every series to the grid of the first: as it is where the grids are the same, by its geometry where the frames
 * of reference are, else by rigid registration.
 * @param register register every series, even where the frames of reference are the same (a patient who moved)
 * @throws OverreadError `input/modalities` where no registration is found or the series lie apart; `job/cancelled`
 */
export async function placeSeries(series: readonly KnownSeries[], { register = false, signal }: { readonly register?: boolean; readonly signal?: AbortSignal } = {}): Promise<readonly PlacedSeries[]> {
  const [reference, ...others] = series as readonly [KnownSeries, ...KnownSeries[]];
  const placed: PlacedSeries[] = [{ ...reference, pixels: reference.image.pixels, placement: { kind: 'reference' } }];
  for (const other of others) {
    throwIfAborted(signal);
    placed.push(await placeOne(reference, other, register, signal));
  }
  return placed;
}

async function placeOne(reference: KnownSeries, other: KnownSeries, register: boolean, signal?: AbortSignal): Promise<PlacedSeries> {
  const { toImage: _, ...placed } = await placeImage(reference.image, other.image, { register, signal, names: [reference.known.modality, `${other.known.modality} (${nameOf(other.image)})`] });
  return { ...other, ...placed };
}

/** An image on the grid of another of the same patient. */
export interface PlacedImage {
  /** Modality values at the grid's voxels; no signal (0) where the image has none. */
  readonly pixels: Float32Array;
  readonly placement: ModalityPlacement;
  /** The grid's patient coordinates → the image's, where they are not the same. */
  readonly toImage?: Affine;
}

/**
 * Brings an image to another's grid: as it is where the grids are the same, by its geometry where the frames of
 * reference are, else by rigid registration.
 * @param options `register`: even where the frames of reference are the same; `names` of the grid and of the image, for messages
 * @throws OverreadError `input/modalities` where no registration is found or the two lie apart; `job/cancelled`
 */
export async function placeImage(grid: Image & Placed, image: Image & Placed, { register = false, signal, names }: { readonly register?: boolean; readonly signal?: AbortSignal; readonly names: readonly [grid: string, image: string] }): Promise<PlacedImage> {
  const same = sameGrid(image, grid);
  const oneFrame = image.frameOfReferenceUID === grid.frameOfReferenceUID && (image.frameOfReferenceUID !== undefined || same);
  if (oneFrame && !register) {
    if (same) return { pixels: image.pixels, placement: { kind: 'same grid' } };
    const { pixels, covered } = resample(image, grid, 0);
    checkCovered(covered, names);
    return { pixels, placement: { kind: 'resampled', covered } };
  }
  try {
    const { toMoving, ...registration } = await registerRigid(grid, image, signal);
    const { pixels, covered } = resample(image, grid, 0, toMoving);
    checkCovered(covered, names);
    return { pixels, placement: { kind: 'registered', covered, registration }, toImage: toMoving };
  } catch (error) {
    if (!isOverreadError(error, 'input/modalities')) throw error;
    const why = oneFrame ? '' : `Its frame of reference (${image.frameOfReferenceUID ?? 'none stated'}) is not that of ${names[0]} (${grid.frameOfReferenceUID ?? 'none stated'}). `;
    throw new OverreadError('input/modalities', `${names[1]} cannot be laid on ${names[0]}. ${why}${error.message}`, error.fields, error);
  }
}

/** What the result says of its series. */
export function modalitiesReport(placed: readonly PlacedSeries[], { input: { modalities = [] } }: ModelManifest): ModalitiesReport {
  const of = (modality: MrModality): UsedModality[] => placed
    .filter(({ known }) => known.modality === modality)
    .map(({ image, known, placement }) => ({ ...known, source: referenceOf(image), placement }));
  return { used: modalities.flatMap(of), missing: modalities.filter(modality => of(modality).length === 0) };
}

function checkEachOnce(series: readonly KnownSeries[]): void {
  for (const { known: { modality } } of series) {
    const same = series.filter(other => other.known.modality === modality);
    if (same.length < 2) continue;
    const names = same.map(({ image }) => nameOf(image));
    throw new OverreadError('input/modalities', `Expected each modality once, got ${same.length} series that are ${modality}: ${names.join('; ')}. Choose one of them (on the command line with --as ${modality}=FILE).`, { expected: 1, got: names, modality });
  }
}

/** Series of two patients or studies are never put together. */
function checkOneStudy(images: readonly Image[], name: string): void {
  const [first, ...others] = images;
  const same: readonly (readonly [what: string, of: (image: Image) => string | undefined])[] = [
    ['study (StudyInstanceUID)', studyOf],
    ['patient (PatientID)', ({ attributes }) => attributes.patientID],
  ];
  for (const [what, of] of same) {
    const other = others.find(image => of(image) !== of(first!));
    if (!other) continue;
    const [expected, got] = [of(first!) ?? 'none', of(other) ?? 'none'];
    throw new OverreadError('input/modalities', `${name} reads series of one ${what} together, got ${expected} and ${got}. Choose series of one study.`, { expected, got });
  }
  if (others.length > 0 && studyOf(first!) === undefined) {
    throw new OverreadError('input/modalities', `${name} reads series of one study together, and files that name none cannot be shown to be of the same one. Use DICOM files, or name each with --as.`, { expected: 'StudyInstanceUID', got: images.map(nameOf) });
  }
}

function studyOf({ sources }: Image): string | undefined {
  const [source] = sources;
  return source && (isInstanceReference(source) ? source.studyInstanceUID : source.study);
}

function checkCovered(covered: number, [grid, image]: readonly [string, string]): void {
  if (covered >= SMALLEST_COVER) return;
  throw new OverreadError('input/modalities', `${image} covers ${(100 * covered).toFixed(0)} % of ${grid} (at least ${100 * SMALLEST_COVER} % is taken): the two show different parts. Leave one of them out.`, { expected: SMALLEST_COVER, got: covered });
}

/** As a person knows a series: its description, else its file. */
export function nameOf({ attributes, sources }: Pick<Image, 'attributes' | 'sources'>): string {
  const [source] = sources;
  const file = source && (isInstanceReference(source) ? source.seriesInstanceUID : source.file);
  return attributes.seriesDescription ? `'${attributes.seriesDescription}'` : (file ?? 'without a name');
}

function refused(name: string, reads: string, is: string, expected: unknown, got: unknown): OverreadError {
  return new OverreadError('input/refused', `${name} ${reads}, but this series is ${is}. Choose another series or another model.`, { expected, got });
}
