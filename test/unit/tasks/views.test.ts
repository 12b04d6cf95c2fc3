import type { Image, ImageAttributes } from '../../../src/image/image.ts';
import { statedView } from '../../../src/image/view.ts';
import { checkOneStudy, checkTwoViews, viewOfImage } from '../../../src/tasks/views.ts';
import { picture, tinyManifest } from '../runtime/tiny.ts';

const image = (attributes: ImageAttributes, study = '1.1'): Image =>
  picture(4, 4, x => x, { attributes, sources: [{ studyInstanceUID: study, seriesInstanceUID: '1.2', sopInstanceUID: '1.3', frame: 1 }] });
const frontalOnly = tinyManifest('tiny-bright');
const anyView = tinyManifest('tiny-bright', ({ input: { viewPosition: _, ...input }, ...m }) => ({ ...m, input }));

describe('the stated view', () => {
  test.each<[string, ImageAttributes, ReturnType<typeof statedView>]>([
    ['ViewPosition', { viewPosition: 'AP' }, { view: 'PA', from: 'ViewPosition' }],
    ['ViewPosition before the description', { viewPosition: 'LL', seriesDescription: 'Chest PA' }, { view: 'L', from: 'ViewPosition' }],
    ['the description', { seriesDescription: 'CHEST LAT' }, { view: 'L', from: 'SeriesDescription' }],
    ['the description, with signs', { seriesDescription: 'Thorax p.a./PA_erect' }, { view: 'PA', from: 'SeriesDescription' }],
    ['a description of both', { seriesDescription: 'Chest PA and lateral' }, undefined],
    ['a description of neither', { seriesDescription: 'Chest' }, undefined],
    ['letters within a word', { seriesDescription: 'PATIENT LATER' }, undefined],
    ['an oblique, whatever the description', { viewPosition: 'LAO', seriesDescription: 'Chest PA' }, undefined],
    ['nothing', {}, undefined],
  ])('%s', (_, attributes, view) => expect(statedView(attributes)).toEqual(view));
});

describe('the view of an image', () => {
  test('a guess only where nothing is stated', () => {
    expect(viewOfImage(image({ viewPosition: 'PA' }), anyView, 'L')).toEqual({ view: 'PA', viewFrom: 'ViewPosition' });
    expect(viewOfImage(image({}), anyView, 'L')).toEqual({ view: 'L', viewFrom: 'classifier' });
    expect(viewOfImage(image({ viewPosition: 'LAO' }), anyView, 'L')).toEqual({});
  });
  test('the only one that the model reads is assumed; of a model of all views none is', () => {
    expect(viewOfImage(image({}), frontalOnly)).toEqual({ view: 'PA', viewFrom: 'assumed' });
    expect(viewOfImage(image({}), anyView)).toEqual({});
  });
});

describe('views of one study', () => {
  const message = (run: () => void) => {
    try {
      run();
    } catch (error) {
      expect(error).toMatchObject({ code: 'input/views' });
      return (error as Error).message;
    }
    return undefined;
  };

  test('of one patient and one study are taken', () => {
    expect(message(() => checkOneStudy([image({ patientID: 'A' }), image({ patientID: 'A' })], 'M'))).toBeUndefined();
    expect(message(() => checkOneStudy([picture(4, 4, x => x)], 'M'))).toBeUndefined();
  });
  test('of two patients, of two dates and of unknown origin are not', () => {
    expect(message(() => checkOneStudy([image({ patientID: 'A' }), image({ patientID: 'B' })], 'M'))).toMatch(/one patient \(PatientID\) together, got A and B/);
    expect(message(() => checkOneStudy([image({ patientID: 'A' }), image({ patientID: 'A' }, '1.9')], 'M'))).toMatch(/one study \(StudyInstanceUID\) together, got 1\.1 and 1\.9/);
    expect(message(() => checkOneStudy([image({}), picture(4, 4, x => x)], 'M'))).toMatch(/without a Study Instance UID/);
  });
  test('two frontals, or a view that is neither, are refused with the count', () => {
    const pa = { image: image({}), view: 'PA' as const };
    const lateral = { image: image({}), view: 'L' as const };
    expect(message(() => checkTwoViews([pa, lateral], 'M'))).toBeUndefined();
    expect(message(() => checkTwoViews([lateral], 'M'))).toBeUndefined();
    expect(message(() => checkTwoViews([pa, pa], 'M'))).toBe('M reads one frontal and one lateral view, got 2 frontal views and no lateral. Choose one of them.');
    expect(message(() => checkTwoViews([lateral, lateral, pa], 'M'))).toMatch(/got 2 lateral views\. Choose/);
    expect(message(() => checkTwoViews([{ image: image({ viewPosition: 'LAO' }) }], 'M'))).toMatch(/states the view LAO/);
    expect(message(() => checkTwoViews([{ image: image({}) }], 'M'))).toMatch(/states no view/);
  });
});
