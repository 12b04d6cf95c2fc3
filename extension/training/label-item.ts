import { OverreadError } from '../../src/errors.ts';
import type { Image } from '../../src/image/image.ts';
import { statedView } from '../../src/image/view.ts';

/** What is shown of a labelled picture without reading its pixels. */
export interface LabelSummary {
  /** A keyed hash of study, instance and frame: a picture that is labelled again replaces itself. */
  readonly id: string;
  /** A keyed hash of the patient, or of the study where there is no patient's number. */
  readonly patient: string;
  /** ISO 8601, UTC. */
  readonly collectedAt: string;
  readonly modality: string;
  readonly size: readonly [columns: number, rows: number];
  /** Names of the mask's classes, background first; absent without a mask. */
  readonly classes?: readonly string[];
  /** Share of the picture that its mask covers. */
  readonly covered?: number;
  /** Whether the mask's objects are numbered. */
  readonly objects?: boolean;
  /** 1: present, 0: absent. */
  readonly findings?: Readonly<Record<string, 0 | 1>>;
  readonly bytes: number;
}

/** The pixels of a labelled picture. */
export interface LabelPixels {
  /** Without UIDs, names and free text. */
  readonly image: Image;
  /** Class indices on the image's grid. */
  readonly mask?: Uint8Array;
  /** 0 background, else an object's number. */
  readonly objects?: Int32Array;
}

export interface LabelItem {
  readonly summary: LabelSummary;
  readonly pixels: LabelPixels;
}

/** What somebody said of a picture. */
export interface Labels {
  readonly mask?: { readonly labels: Uint8Array; readonly classes: readonly string[]; readonly objects?: Int32Array };
  readonly findings?: Readonly<Record<string, 0 | 1>>;
}

/**
 * A labelled picture to keep: pixels, labels, and hashes for whose they are.
 * @param before what is kept of the same picture: findings stay when a mask comes, and the other way round
 * @throws OverreadError `dataset/invalid` for a mask that does not lie on the image's grid
 */
export function labelItem(of: Pick<LabelSummary, 'id' | 'patient' | 'collectedAt'>, image: Image, { mask, findings }: Labels, before?: LabelItem): LabelItem {
  const [columns, rows, slices] = image.shape;
  if (slices !== 1) throw new OverreadError('dataset/invalid', `Expected a picture of one plane to label, got ${slices} slices. Volumes are not trained on.`, { expected: 1, got: slices });
  for (const grid of [mask?.labels, mask?.objects]) {
    if (grid && grid.length !== columns * rows) {
      throw new OverreadError('dataset/invalid', `Expected a mask on the image's grid, ${columns} × ${rows} = ${columns * rows} pixels, got ${grid.length}. Draw the mask on the image itself; nothing was added.`, { expected: columns * rows, got: grid.length });
    }
  }
  const classes = mask ? mask.classes : before?.summary.classes;
  const labels = mask ? mask.labels : before?.pixels.mask;
  const objects = mask ? mask.objects : before?.pixels.objects;
  const said = { ...before?.summary.findings, ...findings };
  const pixels: LabelPixels = { image: withoutIdentity(image, of.id), ...(labels && { mask: labels.slice() }), ...(objects && { objects: objects.slice() }) };
  const bytes = image.pixels.byteLength + (labels?.byteLength ?? 0) + (objects?.byteLength ?? 0);
  return {
    pixels,
    summary: {
      ...of, modality: image.modality, size: [columns, rows], bytes,
      ...(classes && labels && { classes, covered: labels.reduce((sum, label) => sum + Number(label > 0), 0) / labels.length }),
      ...(objects && { objects: true }),
      ...(Object.keys(said).length > 0 && { findings: said }),
    },
  };
}

/** The image without what says whose it is: no UIDs, no patient's number, no text that somebody typed. */
export function withoutIdentity(image: Image, id: string): Image {
  const { modality, shape, channels, indexToPatient, spacingMm, spacingSource, representableRange, pixels, attributes } = image;
  const { viewPosition, bodyPartExamined, patientOrientation, sopClassUID, photometricInterpretation, mrModality } = attributes;
  // The description of the series may say the view, and anything else.
  const view = viewPosition ?? statedView(attributes)?.view;
  return {
    sources: [{ file: id }], modality, shape, channels, representableRange, pixels,
    ...(indexToPatient && { indexToPatient }), ...(spacingMm && { spacingMm }), ...(spacingSource && { spacingSource }),
    attributes: {
      ...(view && { viewPosition: view }), ...(bodyPartExamined && { bodyPartExamined }), ...(patientOrientation && { patientOrientation }),
      ...(sopClassUID && { sopClassUID }), ...(photometricInterpretation && { photometricInterpretation }), ...(mrModality && { mrModality }),
    },
  };
}

/** How many patients are behind labelled pictures. */
export function patientsOf(labels: readonly Pick<LabelSummary, 'patient'>[]): number {
  return new Set(labels.map(({ patient }) => patient)).size;
}
