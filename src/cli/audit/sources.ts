import fs from 'node:fs';
import Papa from 'papaparse';
import { parseDicom } from '../../dicom/parse.ts';
import { OverreadError } from '../../errors.ts';
import { ageBand, ATTRIBUTES, type Attribute, type AuditedPicture } from '../../evaluation/site-audit/audited.ts';
import { truthsOf } from '../../evaluation/scores.ts';
import { imageFromFile, kindOfFile } from '../../image/file-image.ts';
import type { InputFile } from '../../image/group-series.ts';
import type { Image } from '../../image/image.ts';
import type { DatasetFiles } from '../../training/dataset.ts';
import type { Truths } from '../cohort/agreement.ts';

export type Groups = AuditedPicture['groups'];

/** A picture that is audited, before it is read. */
export interface SourcePicture {
  readonly id: string;
  /** @throws OverreadError `input/*`, `network/*` */
  open(): Promise<OpenedPicture>;
}

export interface OpenedPicture extends Pick<AuditedPicture, 'patient' | 'groups' | 'truths'> {
  readonly image: Image;
  /** Of a data set that has one. */
  readonly mask?: () => Promise<Image>;
}

/** What a table says of studies, which counts for more than what their files say. */
export interface Tables {
  readonly truths?: Truths;
  readonly attributes?: ReadonlyMap<string, Groups>;
}

/** Every image of a data set by itself. @param labels of the model, whose spelling is taken over */
export function datasetPictures({ dataset, image }: DatasetFiles, labels: readonly string[]): SourcePicture[] {
  return dataset.items.flatMap(item => item.images.map((entry): SourcePicture => ({
    id: item.images.length > 1 ? `${item.id}/${entry.path}` : item.id,
    async open() {
      const read = await image(entry.path);
      const { site, scanner, sex, age } = item;
      const view = entry.view ?? read.attributes.viewPosition;
      return {
        patient: item.patientId,
        image: { ...read, modality: read.modality === 'OT' && entry.modality !== undefined ? entry.modality : read.modality, attributes: { ...read.attributes, ...(view !== undefined && { viewPosition: view }) } },
        groups: defined({ site, scanner, view, sex, age: age === undefined ? undefined : ageBand(age) }),
        truths: spelledAs(item.labels ?? {}, labels),
        ...(item.mask !== undefined && item.images.length === 1 && { mask: () => image(item.mask!) }),
      };
    },
  })));
}

/** Files, or the instances of a study, each a picture. @param study of a file that names none, its path */
export function filePictures(files: readonly InputFile[], { truths, attributes }: Tables, study?: string): SourcePicture[] {
  return files.map(({ name, read }) => ({
    id: study ?? name,
    async open() {
      const bytes = await read();
      const image = await imageFromFile(bytes, name);
      const [source] = image.sources;
      const id = study ?? (source && 'studyInstanceUID' in source ? source.studyInstanceUID : name);
      const said = kindOfFile(bytes) === 'dicom' ? dicomGroups(bytes) : {};
      return {
        image, patient: image.attributes.patientID ?? id, groups: { ...said, ...attributes?.get(id) },
        truths: Object.fromEntries(truths?.get(id) ?? []),
      };
    },
  }));
}

/** Where, with what and of whom a DICOM picture was taken. Never a name. */
export function dicomGroups(bytes: Uint8Array): Groups {
  const { set } = parseDicom(bytes);
  const scanner = [set.text('00080070'), set.text('00081090')].filter(Boolean).join(' ');
  return defined({
    site: set.text('00080080'), scanner: scanner || undefined, view: set.string('00185101'), sex: set.string('00100040'), age: yearsOf(set.string('00101010')),
  });
}

/** Of an Age String (PS3.5 6.2): '045Y', '006M'. */
function yearsOf(age: string | undefined): string | undefined {
  const [, number, unit] = /^(\d{1,3})([DWMY])$/.exec(age ?? '') ?? [];
  return number === undefined ? undefined : ageBand(Number(number) / { D: 365.25, W: 52.18, M: 12, Y: 1 }[unit as 'D' | 'W' | 'M' | 'Y']);
}

function defined(groups: { readonly [A in Attribute]?: string | undefined }): Groups {
  return Object.fromEntries(Object.entries(groups).filter(([, value]) => value !== undefined && value !== ''));
}

function spelledAs(own: Readonly<Record<string, number>>, labels: readonly string[]): Record<string, boolean> {
  return Object.fromEntries(Object.entries(own).flatMap(([name, value]) => {
    if (value !== 0 && value !== 1) return [];
    // `truthsOf` knows which names mean the same.
    const known = labels.find(label => truthsOf({ id: '', patientId: '', images: [], labels: { [name]: value } }, [label])[label] !== undefined);
    return [[known ?? name, value === 1]];
  }));
}

/**
 * Reads attributes of studies: a CSV with the column study and any of site, scanner, view, sex, age (in years).
 * @throws OverreadError `dataset/invalid`, naming the line; `input/unreadable`
 */
export function readAttributes(file: string): ReadonlyMap<string, Groups> {
  let content: string;
  try {
    content = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new OverreadError('input/unreadable', `Expected a CSV of attributes in ${file}, but it cannot be read (${(error as NodeJS.ErrnoException).code}). Check the path.`, { got: file }, error);
  }
  const { data } = Papa.parse<Record<string, string | undefined>>(content.replace(/^\uFEFF/, ''), { header: true, skipEmptyLines: 'greedy', transformHeader: name => name.trim().toLowerCase() });
  return new Map(data.map((row, i) => {
    const study = row.study?.trim();
    const years = row.age?.trim() ? Number(row.age) : undefined;
    if (!study || (years !== undefined && !(years >= 0))) {
      throw new OverreadError('dataset/invalid', `Expected a study and, if any, an age in years in line ${i + 2} of ${file}, got ${JSON.stringify(row)}. Mend the line.`, { expected: ['study', ...ATTRIBUTES], got: row });
    }
    const said = Object.fromEntries(ATTRIBUTES.filter(name => name !== 'age').map(name => [name, row[name]?.trim()]));
    return [study, defined({ ...said, age: years === undefined ? undefined : ageBand(years) })];
  }));
}
