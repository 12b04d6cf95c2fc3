/** What needs a zip library and a PNG encoder: loaded when labels or a model are handed out or brought in. */
import { strFromU8, unzipSync, zipSync } from 'fflate';
import { encode } from 'fast-png';
import { OverreadError } from '../../src/errors.ts';
import type { Image } from '../../src/image/image.ts';
import { imageFromFile } from '../../src/image/file-image.ts';
import { parseDataset, type Dataset, type DatasetItem } from '../../src/training/dataset.ts';
import { labelItem, type LabelItem } from './label-item.ts';
import { SET_NAME } from './label-set.ts';
import { keyedHash } from './pseudonym.ts';

const NOTE = 'Patients are numbered anew in each export. Text that is burnt into the pixels of a picture is in it still.';

/** Files as a zip. What is compressed already is stored. */
export function zipped(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return zipSync(Object.fromEntries([...files].map(([name, bytes]) => [name, [bytes, { level: name.endsWith('.png') ? 0 : 6 }]])));
}

/**
 * Labelled pictures as a zip that holds a `dataset.json` and what it names, for `overread train --dataset` and for other browsers.
 * Grey pictures are PNGs of 16 bits over the range that their values could take.
 */
export async function writeArchive(items: readonly LabelItem[]): Promise<Uint8Array> {
  const patients = [...new Set(items.map(({ summary }) => summary.patient))];
  const classes = [...new Set(items.flatMap(({ summary }) => summary.classes?.slice(1) ?? []))];
  const files = new Map<string, Uint8Array>();
  const file = (path: string, bytes: Uint8Array) => (files.set(path, bytes), path);
  const listed = items.map(({ summary, pixels: { image, mask, objects } }, i): DatasetItem => {
    const id = `item-${i + 1}`;
    const [width, height] = summary.size;
    const numbers = [0, ...(summary.classes?.slice(1) ?? []).map(name => classes.indexOf(name) + 1)];
    const { viewPosition } = image.attributes;
    return {
      id, patientId: `patient-${patients.indexOf(summary.patient) + 1}`,
      images: [{ path: file(`images/${id}.png`, picturePng(image)), modality: summary.modality, ...(viewPosition && { view: viewPosition }) }],
      ...(mask && { mask: file(`masks/${id}.png`, encode({ width, height, channels: 1, depth: 8, data: mask.map(label => numbers[label] ?? 0) })) }),
      ...(objects && { instances: file(`objects/${id}.png`, encode({ width, height, channels: 1, depth: 16, data: Uint16Array.from(objects) })) }),
      ...(summary.findings && { labels: { ...summary.findings } }),
    };
  });
  if (listed.length === 0) throw new OverreadError('dataset/invalid', 'Expected labels to hand out, got none. Add some first.', { got: 0 });
  const dataset: Dataset & { readonly note: string } = { schemaVersion: 1, name: SET_NAME, licence: 'not stated', note: NOTE, ...(classes.length > 0 && { maskClasses: ['Background', ...classes] }), items: listed };
  files.set('dataset.json', new TextEncoder().encode(`${JSON.stringify(dataset, undefined, 1)}\n`));
  return zipped(files);
}

/** RGB as it is; grey values from 0, the least that could be, to 65535, the most. */
function picturePng({ shape: [width, height], channels, pixels, representableRange: [low, high] }: Image): Uint8Array {
  if (channels === 3) return encode({ width, height, channels: 3, depth: 8, data: Uint8ClampedArray.from(pixels) });
  const scale = 65535 / (high - low || 1);
  return encode({ width, height, channels: 1, depth: 16, data: Uint16Array.from(pixels, value => Math.max(0, Math.min(65535, Math.round((value - low) * scale)))) });
}

/**
 * Labelled pictures of a zip with a `dataset.json`. Its patients are others than those of this browser: pictures that are of one
 * patient here and there cannot be known to be; look-alikes on both sides of a split are told of when a training begins.
 * @throws OverreadError `dataset/invalid`, `input/*`
 */
export async function readArchive(bytes: Uint8Array, name: string, secret: Uint8Array): Promise<readonly LabelItem[]> {
  const files = unzipped(bytes, name);
  const json = Object.keys(files).find(path => /(^|\/)dataset\.json$/.test(path));
  if (json === undefined) throw new OverreadError('dataset/invalid', `Expected a dataset.json in ${name}, got ${Object.keys(files).length} files without one. Choose a zip that Overread wrote, or one of a data set.`, { expected: 'dataset.json', got: Object.keys(files).slice(0, 5) });
  const folder = json.slice(0, -'dataset.json'.length);
  const { items, maskClasses } = parseDataset(jsonOf(files[json]!, json), json);
  const read = async (path: string): Promise<Image> => {
    const file = files[folder + path];
    if (!file) throw new OverreadError('dataset/invalid', `Expected the file ${path} in ${name}, got none. Pack the data set again.`, { expected: path });
    return imageFromFile(file, path);
  };
  const of = await keyedHash(secret, ['archive', name, String(bytes.length), strFromU8(files[json]!)]);
  return Promise.all(items.map(async ({ id, patientId, images: [first], mask, instances, labels = {} }) => {
    const picture = await read(first!.path);
    const image: Image = { ...picture, modality: first!.modality ?? picture.modality, attributes: { ...picture.attributes, ...(first!.view && { viewPosition: first!.view }) } };
    const [labelled, numbered] = [mask === undefined ? undefined : await read(mask), instances === undefined ? undefined : await read(instances)];
    const objects = numbered && Int32Array.from(numbered.pixels);
    const inside = labelled ? Uint8Array.from(labelled.pixels) : objects && Uint8Array.from(objects, value => Number(value > 0));
    const findings = Object.fromEntries(Object.entries(labels).flatMap(([label, value]) => (value === 0 || value === 1 ? [[label, value] as const] : [])));
    return labelItem(
      { id: await keyedHash(secret, [of, 'item', id]), patient: await keyedHash(secret, [of, 'patient', patientId]), collectedAt: new Date().toISOString() },
      image, { ...(inside && { mask: { labels: inside, classes: maskClasses ?? ['Background', 'Foreground'], ...(objects && { objects }) } }), findings },
    );
  }));
}

function unzipped(bytes: Uint8Array, name: string): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes);
  } catch (error) {
    const { message } = error as Error;
    throw new OverreadError('dataset/invalid', `Expected a zip, but ${name} is none that can be read (${message}). Fetch it again.`, { expected: 'zip', got: message }, error);
  }
}

function jsonOf(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(strFromU8(bytes));
  } catch (error) {
    throw new OverreadError('dataset/invalid', `Expected JSON in ${where}: ${(error as Error).message}.`, { expected: 'JSON', got: where }, error);
  }
}
