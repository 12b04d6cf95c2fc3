import type { AuditedEvent } from '../../../src/audit/record.ts';
import { OverreadError } from '../../../src/errors.ts';
import type { Image } from '../../../src/image/image.ts';
import type { ModelManifest } from '../../../src/manifest.ts';
import type { Result } from '../../../src/results/result.ts';
import type { CatalogueEntry } from '../../../extension/catalogue.ts';
import { seriesChoices } from '../../../extension/translation/series.ts';
import { TranslationAuditor, type SeriesChoice } from '../../../extension/translation/auditor.ts';
import type { Places } from '../../../extension/translation/two-series.ts';
import type { Cornerstone, DicomInstance, Services } from '../../../extension/types/ohif.ts';
import { fakeRunner, picture } from '../cli/fake-runner.ts';

const SIZE = 16;
const SLICES = 6;
const manifest = { id: 'bright', version: '1.0.0', name: 'Bright', task: 'segment', output: { targets: [{ label: 'bright' }] }, input: { modality: ['MR'] } } as unknown as ModelManifest;
const entry: CatalogueEntry = { location: '/models/bright/', manifest };
const choice = (name: string, synthesised?: string): SeriesChoice => ({
  displaySetInstanceUID: name, studyInstanceUID: '1', label: name, modality: 'MR', imageIds: Array.from({ length: SLICES }, (_, k) => `${name}:${k}`), ...(synthesised && { synthesised }),
});

/** A slice of a volume whose bright block is on the left, or, in the translated series, on the right. */
function frame(imageId: string): Image {
  const [name = '', k = 0] = imageId.split(':');
  const left = name === 'real' ? 2 : 10;
  const pixels = Float32Array.from({ length: SIZE * SIZE }, (_, i) => {
    const [x, y] = [i % SIZE, Math.floor(i / SIZE)];
    return x >= left && x < left + 4 && y > 4 && y < 10 && Number(k) > 1 && Number(k) < 5 ? 200 : 10 + (i % 7);
  });
  return picture(SIZE, SIZE, pixels, {
    modality: 'MR', spacingMm: [2, 2], indexToPatient: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 3 * Number(k), 0, 0, 0, 1], frameOfReferenceUID: '1.9', attributes: { patientID: 'P', seriesDescription: name },
    sources: [{ studyInstanceUID: '1', seriesInstanceUID: `1.${name}`, sopInstanceUID: `1.${name}.${k}`, frame: 1 }],
  });
}

function auditor(run?: (job: { images: readonly Image[]; force?: boolean }) => Promise<Result>) {
  const [events, kept, shown]: [AuditedEvent[], Result[], Places[]] = [[], [], []];
  const runner = fakeRunner(() => {}, true);
  const parts = {
    viewer: { series: () => [choice('real'), choice('translated', 'Image Type has SYNTHETIC')], readFrame: async (id: string) => frame(id), show: async (places: Places) => void shown.push(places) },
    engine: { run: run ?? (({ images }: { images: readonly Image[] }) => runner.run(images)) },
    results: { keep: (result: Result) => (kept.push(result), undefined as never) },
    audit: (event: AuditedEvent) => void events.push(event),
  };
  return { audits: new TranslationAuditor(parts), events, kept, shown };
}

describe('the audit of a translated series in the viewer', () => {
  test('runs the model on both, keeps both masks, lists the changes and shows the first in both series', async () => {
    const { audits, events, kept, shown } = auditor();
    await audits.run(entry, choice('real'), choice('translated'));
    const { done, error, running, selected } = audits.state.get();
    expect(error).toBeUndefined();
    expect(running).toBeUndefined();
    expect(done!.audit.changes.map(({ kind }) => kind).sort()).toEqual(['erased', 'invented']);
    expect(selected).toBe(0);
    expect(kept).toHaveLength(2);
    expect(events.map(({ action, outcome }) => [action, outcome])).toEqual([['run', 'success'], ['override', 'success']]);
    await audits.show(1);
    expect(shown.at(-1)).toMatchObject({ real: { seriesInstanceUID: '1.real', sopInstanceUID: '1.real.3' }, translated: { seriesInstanceUID: '1.translated', sopInstanceUID: '1.translated.3' } });
    // Its study was closed.
    audits.look(new Set(['2']));
    expect(audits.state.get()).toMatchObject({ done: undefined, selected: undefined });
    expect(audits.state.get().series).toHaveLength(2);
  });

  test('reads the translated series as what the user says that it is', async () => {
    const read: (string | undefined)[] = [];
    const runner = fakeRunner(() => {}, true);
    const { audits } = auditor(({ images }) => (read.push(images[0]!.attributes.mrModality), runner.run(images)));
    await audits.run(entry, choice('real'), choice('translated'), 'FLAIR');
    expect(read).toEqual([undefined, 'FLAIR']);
  });

  test('says what went wrong, and records it', async () => {
    const { audits, events, kept } = auditor(() => Promise.reject(new OverreadError('device/lost', 'The device was lost.')));
    await audits.run(entry, choice('real'), choice('translated'));
    expect(audits.state.get().error?.message).toBe('The device was lost.');
    expect(events).toMatchObject([{ action: 'run', outcome: 'failure', error: 'device/lost' }]);
    expect(kept).toEqual([]);
  });

  test('cancelled leaves nothing behind', async () => {
    const { audits, kept } = auditor();
    const run = audits.run(entry, choice('real'), choice('translated'));
    audits.cancel();
    await run;
    expect(audits.state.get()).toMatchObject({ running: undefined });
    expect(audits.state.get().done).toBeUndefined();
    expect(audits.state.get().error).toBeUndefined();
    expect(kept).toEqual([]);
  });

  test('offers series of pictures, and says which are synthesised, by the site\'s rules too', () => {
    const instances: Record<string, DicomInstance> = {
      a: { Modality: 'MR', SeriesDescription: 'FLAIR' }, b: { Modality: 'MR', SeriesDescription: 'sFLAIR', ImageType: ['DERIVED', 'SECONDARY', 'SYNTHETIC'] }, c: { Modality: 'SEG' }, d: { Modality: 'MR', SeriesDescription: 'MRCAT' },
    };
    const displaySets = Object.keys(instances).map(id => ({ displaySetInstanceUID: id, StudyInstanceUID: '1', SeriesInstanceUID: `1.${id}`, imageIds: [id] }));
    const services = { displaySetService: { getActiveDisplaySets: () => displaySets } } as unknown as Services;
    const cornerstone = { metaData: { get: (_: string, id: string) => instances[id] } } as unknown as Cornerstone;
    const of = (rules?: Parameters<typeof seriesChoices>[2]) => seriesChoices(services, cornerstone, rules).map(({ label, synthesised }) => [label, synthesised !== undefined]);
    expect(of()).toEqual([['FLAIR (MR, one image)', false], ['sFLAIR (MR, one image)', true], ['MRCAT (MR, one image)', false]]);
    expect(of([{ descriptions: ['mrcat'] }])[2]).toEqual(['MRCAT (MR, one image)', true]);
  });
});
