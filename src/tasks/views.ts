import { OverreadError } from '../errors.ts';
import { isInstanceReference, type Image } from '../image/image.ts';
import { statedView, viewOf, type View, type ViewSource } from '../image/view.ts';
import type { ModelManifest } from '../manifest.ts';
import { VIEWS } from './fusion.ts';
import type { Picture } from './picture.ts';

/** The views that a model reads; both where its manifest names none. */
export function viewsRead({ input }: ModelManifest): readonly View[] {
  const named = new Set(input.viewPosition?.flatMap(position => viewOf(position) ?? []));
  return named.size ? VIEWS.filter(view => named.has(view)) : VIEWS;
}

/**
 * The view of an image: as it states it, else as a classifier guessed it, else the only one that the model reads.
 * @param guessed of the model's gate, where it has one and that is sure
 */
export function viewOfImage({ attributes }: Image, manifest: ModelManifest, guessed?: View): { view?: View; viewFrom?: ViewSource } {
  const stated = statedView(attributes);
  if (stated) return { view: stated.view, viewFrom: stated.from };
  // It states a view, one that is neither: what a classifier takes it for is no better.
  if (attributes.viewPosition?.trim()) return {};
  if (guessed) return { view: guessed, viewFrom: 'classifier' };
  const [only, ...others] = viewsRead(manifest);
  return manifest.input.viewPosition && others.length === 0 ? { view: only, viewFrom: 'assumed' } : {};
}

/**
 * Refuses images that are not of one patient's one study: views of two patients or dates are never put together.
 * @throws OverreadError `input/views`, with what differs
 */
export function checkOneStudy(images: readonly Image[], name: string): void {
  const [first, ...others] = images;
  if (!first || others.length === 0) return;
  for (const image of images) {
    if (studyOf(image) === undefined) {
      throw new OverreadError('input/views',
        `${name} reads two views of one study together, and a picture without a Study Instance UID cannot be shown to be of the same one. Use DICOM files, or give one picture.`,
        { expected: 'studyInstanceUID', got: image.sources });
    }
  }
  const same: readonly (readonly [what: string, of: (image: Image) => string | undefined])[] = [
    ['patient (PatientID)', ({ attributes }) => attributes.patientID],
    ['study (StudyInstanceUID)', studyOf],
  ];
  for (const [what, of] of same) {
    const other = others.find(image => of(image) !== of(first));
    if (!other) continue;
    const [expected, got] = [of(first) ?? 'none', of(other) ?? 'none'];
    throw new OverreadError('input/views', `${name} reads two views of one ${what} together, got ${expected} and ${got}. Choose views of one study.`, { expected, got });
  }
}

/**
 * Refuses pictures that are not one frontal and one lateral view, either of which may be missing.
 * @throws OverreadError `input/views`
 */
export function checkTwoViews(pictures: readonly Picture[], name: string): void {
  for (const { view, image } of pictures) {
    if (view) continue;
    const stated = image.attributes.viewPosition?.trim();
    throw new OverreadError('input/views',
      `${name} reads a PA or AP and a lateral view, but ${stated ? `this one states the view ${stated}` : 'this one states no view and none could be told from it'}. Choose another picture, or mend its ViewPosition.`,
      { expected: VIEWS, got: stated });
  }
  for (const view of VIEWS) {
    const count = pictures.filter(picture => picture.view === view).length;
    if (count < 2) continue;
    const [many, other] = view === 'PA' ? ['frontal', 'lateral'] : ['lateral', 'frontal'];
    throw new OverreadError('input/views',
      `${name} reads one frontal and one lateral view, got ${count} ${many} views${pictures.length === count ? ` and no ${other}` : ''}. Choose one of them.`,
      { expected: 1, got: count, view });
  }
}

function studyOf({ sources }: Image): string | undefined {
  const [source] = sources;
  return source && (isInstanceReference(source) ? source.studyInstanceUID : source.study);
}
