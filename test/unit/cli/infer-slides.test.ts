import '@tensorflow/tfjs-backend-cpu';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PNG } from 'pngjs';
import { infer } from '../../../src/cli/infer.ts';
import { inferSlides } from '../../../src/cli/infer-slides.ts';
import type { InferEntry, LabelmapJson } from '../../../src/cli/infer-json.ts';
import { openModel } from '../../../src/cli/open-model.ts';
import { slidesAmong } from '../../../src/cli/slide-inputs.ts';
import { codedSlideFile, slideFile, slideFrames, SLIDE_UID, type SlideSpec } from '../../fixtures/build-slide.ts';
import { FIXTURES, tinyManifest } from '../runtime/tiny.ts';
import { embedded } from './serve/embedded.ts';

const bright = (x: number, y: number) => (Math.hypot(x - 60, y - 40) < 25 ? 220 : 30 + ((x * 7 + y * 3) % 40));
const base: SlideSpec = { sop: '1.1', columns: 130, rows: 90, samples: 1, value: bright };
const half: SlideSpec = { sop: '1.2', columns: 65, rows: 45, samples: 1, spacing: '0.001\\0.001', value: (x, y) => bright(2 * x, 2 * y) };

let folder: string;
let models: string;
const at = (...names: string[]) => path.join(folder, ...names);

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-slides-'));
  models = at('models');
  fs.mkdirSync(at('models/tiny'), { recursive: true });
  for (const file of ['model.json', 'weights.bin']) fs.copyFileSync(path.join(FIXTURES, 'tiny-bright', file), at('models/tiny', file));
  fs.writeFileSync(at('models/tiny/manifest.json'), JSON.stringify(tinyManifest('tiny-bright', m => ({
    ...m, id: 'tiny', input: { ...m.input, modality: ['SM', 'OT'], viewPosition: undefined, normalisation: { kind: 'window', min: 40, max: 200 }, tiling: { overlap: 'receptive-field', padding: 'edge' } },
  }))));
  fs.mkdirSync(at('slide'));
  fs.writeFileSync(at('slide/base.dcm'), slideFile(base));
  fs.writeFileSync(at('slide/half.dcm'), slideFile(half));
  fs.writeFileSync(at('slide/label.dcm'), slideFile({ ...half, sop: '1.9', flavour: 'LABEL' }));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

interface Ran {
  readonly status: number;
  readonly entries: InferEntry[];
  readonly notes: string[];
}

async function run(paths: readonly string[], more: object = {}, note: (line: string) => void = () => {}): Promise<Ran> {
  const printed: string[] = [];
  const notes: string[] = [];
  const status = await infer(paths, { model: 'tiny', models, backend: 'cpu', json: true, ...more }, {
    print: line => printed.push(line),
    note: line => {
      notes.push(line);
      note(line);
    },
  });
  return { status, entries: printed.length ? (JSON.parse(printed.join('\n')) as InferEntry[]) : [], notes };
}

const labelmap = (entry: InferEntry | undefined) => entry!.result as LabelmapJson;
function labels(file: string): Uint8Array {
  const { data } = PNG.sync.read(fs.readFileSync(file));
  return Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]!);
}

describe('overread infer on slides', () => {
  let whole: Uint8Array;

  test('takes the files of a series as one slide and writes its mask', async () => {
    const { status, entries, notes } = await run([at('slide')], { out: at('out') });
    expect(status).toBe(0);
    expect(entries).toHaveLength(1);
    const result = labelmap(entries[0]);
    expect(result).toMatchObject({ kind: 'labelmap', segments: [{ label: 'Bright' }], slide: { level: { index: 0, of: 2, chosenBy: 'finest' }, shape: [130, 90], spacingMm: [0.0005, 0.0005], resumed: 0, unread: [] } });
    expect(entries[0]!.sources).toMatchObject([{ sopInstanceUID: '1.1' }]);
    whole = labels(result.file!);
    expect(whole).toHaveLength(130 * 90);
    expect(result.segments[0]!.pixels).toBe(whole.reduce((sum, v) => sum + v, 0));
    expect(result.segments[0]!.areaMm2).toBeCloseTo(result.segments[0]!.pixels * 0.0005 ** 2, 12);
    expect(fs.readdirSync(at('out')).filter(name => name.endsWith('.tiles'))).toEqual([]);
    expect(notes.some(line => /15\/15 tiles \(100\.0 %\)/.test(line))).toBe(true);
  });

  test('Ctrl-C keeps the tiles; --resume goes on with them to the same mask', async () => {
    const runner = await openModel({ model: 'tiny', models, backend: 'cpu' }, () => {});
    const stopped = inferSlides((await slidesAmong([at('slide/base.dcm'), at('slide/half.dcm')])).slides, {
      runner, out: at('stopped'), note: () => {}, onTile: finished => finished === 5 && runner.stop(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'job/cancelled', message: expect.stringContaining('--resume') });
    await runner.close();
    const [kept] = fs.readdirSync(at('stopped'));
    expect(kept).toMatch(/\.tiles$/);
    // The last tile was not written whole.
    fs.appendFileSync(at('stopped', kept!), Buffer.from([0x4f, 0x54, 0x49, 0x4c, 9, 0, 0]));
    const { status, entries } = await run([at('slide')], { out: at('stopped'), resume: true });
    expect(status).toBe(0);
    const { slide, file, segments } = labelmap(entries[0]);
    expect(slide!.resumed).toBeGreaterThanOrEqual(5);
    expect(slide!.resumed).toBeLessThan(slide!.tiles);
    expect(Buffer.compare(labels(file!), whole)).toBe(0);
    expect(segments[0]!.pixels).toBe(whole.reduce((sum, v) => sum + v, 0));
  });

  test('--resume takes no tiles of another run', async () => {
    await expect(run([at('slide')], { out: at('nothing'), resume: true })).rejects.toMatchObject({ code: 'config/invalid', message: expect.stringContaining('found none') });
    await expect(run([at('slide')], { resume: true })).rejects.toMatchObject({ code: 'cli/usage' });
    fs.mkdirSync(at('other'));
    const stopped = await run([at('slide')], { out: at('other') }, line => line.includes('finest') && process.emit('SIGINT'));
    expect(stopped.status).toBe(130);
    const [kept] = fs.readdirSync(at('other'));
    fs.writeFileSync(at('other', kept!), fs.readFileSync(at('other', kept!)).toString('latin1').replace('1.1', '7.7'), 'latin1');
    await expect(run([at('slide')], { out: at('other'), resume: true })).rejects.toMatchObject({ code: 'config/invalid', message: expect.stringContaining('another model, slide or level') });
  });

  test('a corrupt tile is listed and marked, the rest is done; the status says so', async () => {
    const frames = slideFrames(base).map((frame, i) => [i === 29 ? frame.subarray(2) : frame]);
    fs.mkdirSync(at('corrupt'));
    fs.writeFileSync(at('corrupt/base.dcm'), codedSlideFile(base, frames, '1.2.840.10008.1.2.1.98'));
    const { status, entries } = await run([at('corrupt')], { out: at('corrupt-out') });
    expect(status).toBe(2);
    const { slide, file } = labelmap(entries[0]);
    expect(slide!.unread.length).toBeGreaterThan(0);
    expect(slide!.unread[0]).toMatchObject({ code: expect.stringMatching(/^input\//), message: expect.stringContaining('Frame 30 of 1.1') });
    const marked = labels(file!);
    const inUnread = (x: number, y: number) => slide!.unread.some(({ region: r }) => x >= r.x && x < r.x + r.columns && y >= r.y && y < r.y + r.rows);
    expect(marked.findIndex((label, i) => label !== (inUnread(i % 130, Math.floor(i / 130)) ? 255 : whole[i]))).toBe(-1);
  });

  test('another level is read when asked for; what the slide does not have is refused', async () => {
    const { entries } = await run([at('slide')], { level: '1' });
    expect(labelmap(entries[0])).toMatchObject({ slide: { level: { index: 1, chosenBy: 'user' }, shape: [65, 45] } });
    expect(labelmap(entries[0])).not.toHaveProperty('file');
    await expect(run([at('slide')], { level: '7' })).rejects.toMatchObject({ code: 'config/invalid' });
    await expect(run([at('slide')], { level: 'x' })).rejects.toMatchObject({ code: 'cli/usage' });
    const refused = await run([at('slide')], { opticalPath: 'dapi' });
    expect(refused).toMatchObject({ status: 2, entries: [{ error: { code: 'input/refused' } }] });
  });

  test('a slide without spacing is measured in pixels, and one refused does not stop the others', async () => {
    fs.mkdirSync(at('several'));
    const series = (uid: string) => [['0020000E', 'UI', uid]] as const;
    fs.writeFileSync(at('several/a.dcm'), slideFile({ ...half, spacing: undefined, more: series('8.1') }));
    fs.writeFileSync(at('several/b.dcm'), slideFile({ ...half, frames: 2, more: series('8.2') }));
    fs.writeFileSync(at('several/c.dcm'), slideFile({ ...half, columns: 1, rows: 1, more: series('8.3') }));
    const { status, entries } = await run([at('several')]);
    expect(status).toBe(2);
    expect(entries.map(entry => entry.error?.code)).toEqual([undefined, 'input/inconsistent', undefined]);
    expect(labelmap(entries[0]).segments[0]).not.toHaveProperty('areaMm2');
    expect(labelmap(entries[0]).slide).not.toHaveProperty('spacingMm');
    expect(labelmap(entries[2]).slide).toMatchObject({ shape: [1, 1], tiles: 1 });
  });

  test('a DICOMweb series is read by its address', async () => {
    const server = await embedded(at('slide'));
    try {
      const { status, entries } = await run([`${server.dicomWeb}/studies/${SLIDE_UID.study}/series/${SLIDE_UID.series}`], { out: at('web') });
      expect(status).toBe(0);
      expect(Buffer.compare(labels(labelmap(entries[0]).file!), whole)).toBe(0);
      const gone = await run([`${server.dicomWeb}/studies/9.9/series/9.9`]);
      expect(gone).toMatchObject({ entries: [{ error: { code: 'network/status' } }] });
    } finally {
      await server.close();
    }
  });

  test('objects are counted and listed; what shows nothing but glass is not read, is counted, and is 254 in the mask; --read-glass reads it into the same', async () => {
    const fixture = path.join(FIXTURES, 'tiny-dark');
    fs.mkdirSync(at('models/dark'), { recursive: true });
    for (const file of ['model.json', 'weights.bin']) fs.copyFileSync(path.join(fixture, file), at('models/dark', file));
    fs.writeFileSync(at('models/dark/manifest.json'), JSON.stringify(tinyManifest('tiny-dark', m => ({ ...m, id: 'dark', input: { ...m.input, tissue: { rule: 'optical-density', marginMm: 0.01 } }, output: { ...m.output, instances: { minimumPixels: 20, minimumMarkerPixels: 8 } } }))));
    // Cells of 20 × 20 pixels in stroma.
    const value = (x: number, y: number, s: number) => (x >= 200 || y >= 150 ? [240, 240, 240] : x % 50 < 20 && y % 50 < 20 ? [90, 60, 140] : [200, 150, 190])[s]!;
    fs.mkdirSync(at('glass'));
    fs.writeFileSync(at('glass/a.dcm'), slideFile({ sop: '3.1', columns: 800, rows: 500, tile: 64, value }));
    fs.writeFileSync(at('glass/b.dcm'), slideFile({ sop: '3.2', columns: 50, rows: 32, spacing: '0.008\\0.008', value: (x, y, s) => value(16 * x + 8, 16 * y + 8, s) }));
    const { entries, notes } = await run([at('glass')], { model: 'dark', out: at('glass-out'), instances: true });
    const { slide, file, objects } = labelmap(entries[0]);
    expect(objects).toMatchObject({ count: 12, atBorder: 6, pixels: { minimum: 400, maximum: 400 } });
    expect(objects!.areaMm2!.median).toBeCloseTo(400 * 0.0005 ** 2, 12);
    expect(fs.readFileSync(objects!.file!, 'utf8').split('\n').slice(0, 3)).toEqual(['x,y,pixels', '9.5,9.5,400', '59.5,9.5,400']);
    expect(slide).toMatchObject({ unread: [], glass: { reason: expect.stringContaining('level 1 of 2') } });
    expect(notes.some(line => line.includes(`${slide!.glass!.tiles} of ${slide!.tiles} tiles show nothing but glass`))).toBe(true);
    const marked = labels(file!);
    expect(slide!.glass!.tiles).toBeGreaterThan(0);
    expect(marked.filter(v => v === 254)).toHaveLength(slide!.glass!.pixels);
    expect([marked[10 * 800 + 10], marked[10 * 800 + 30], marked[490 * 800 + 790]]).toEqual([1, 0, 254]);
    const all = labelmap((await run([at('glass')], { model: 'dark', out: at('glass-out'), readGlass: true })).entries[0]);
    expect(all.slide!.glass).toMatchObject({ tiles: 0, pixels: 0 });
    expect(labels(all.file!).findIndex((v, i) => v !== (marked[i] === 254 ? 0 : marked[i]))).toBe(-1);
  });

  test('options of slides are refused where there is none', async () => {
    const png = at('a.png');
    fs.writeFileSync(png, PNG.sync.write(new PNG({ width: 4, height: 4 })));
    await expect(run([png], { level: '0' })).rejects.toMatchObject({ code: 'cli/usage', message: expect.stringContaining('--level') });
  });
});
