/** What needs dcmjs: loaded when a result is first stored or read back, so that the viewer's first load stays small. */
import { readPart10, type DicomElement } from '../../src/dicom/elements.ts';
import type { ExportContext } from '../../src/export/derived.ts';
import { dicomObjects } from '../../src/export/exporters.ts';
import { encodePart10, type DicomObject } from '../../src/export/part10.ts';
import { sourceInstance, type Naturalized, type SourceInstance } from '../../src/export/source.ts';
import { tiledSegmentation, type TiledMask } from '../../src/export/tiled-segmentation.ts';
import type { Image } from '../../src/image/image.ts';
import type { Result } from '../../src/results/result.ts';
import type { StoreSettings } from '../configuration.ts';

export { joinObjects, readObject, RESULT_CLASSES } from '../../src/export/read/index.ts';

/** Every image of a study that says enough of itself. */
export function sourcesOf(instances: readonly object[]): SourceInstance[] {
  return instances.flatMap(instance => {
    try {
      return [sourceInstance(instance as Naturalized)];
    } catch {
      return [];
    }
  });
}

/** The objects of a result without patient and study, which are put in only when they are stored. */
export function anonymousObjects(result: Result, context: ExportContext, image: Image | undefined, { segmentation, keyObjects }: Pick<StoreSettings, 'segmentation' | 'keyObjects'>): DicomObject[] {
  return dicomObjects(result, context, { segmentation, keyObjects, ...(image && { image }) }).map(object => withoutPatientAndStudy(object, context));
}

/** As {@link anonymousObjects}, of a mask of a slide. */
export function anonymousSlide(mask: TiledMask, context: ExportContext): DicomObject {
  return withoutPatientAndStudy(tiledSegmentation(mask, context), context);
}

function withoutPatientAndStudy(object: DicomObject, { sources }: ExportContext): DicomObject {
  const identifying = new Set(sources.flatMap(({ patientAndStudy }) => Object.keys(patientAndStudy)));
  return Object.fromEntries(Object.entries(object).filter(([keyword, value]) => value !== undefined && !identifying.has(keyword)));
}

/** As a file, with patient and study of its source. */
export function fileOf(object: DicomObject, source: SourceInstance): Uint8Array {
  return encodePart10({ ...object, ...source.patientAndStudy });
}

/** Whether two files hold the same data set: every element, padding and meta information aside. */
export function sameObject(a: Uint8Array, b: Uint8Array): boolean {
  const read = (bytes: Uint8Array) => readPart10(bytes, { vrOf: () => 'UN' });
  const [left, right] = [read(a), read(b)];
  const same = (x: readonly DicomElement[], y: readonly DicomElement[]): boolean => x.length === y.length && x.every((element, i) => {
    const other = y[i]!;
    if (element.tag !== other.tag || element.items?.length !== other.items?.length) return false;
    if (element.items) return element.items.every((item, k) => same(item, other.items![k]!));
    return equal(trimmed(left.bytes, element), trimmed(right.bytes, other));
  });
  return same(left.elements, right.elements);
}

function trimmed(bytes: Uint8Array, { offset, length }: DicomElement): Uint8Array {
  let end = offset + length;
  while (end > offset && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end--;
  return bytes.subarray(offset, end);
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((v, i) => v === b[i]);

