/** Files of all kinds and faults from other projects, where they are beside the checkout (../shared/data/dicom). */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PNG } from 'pngjs';
import { infer } from '../../../src/cli/infer.ts';
import type { InferEntry } from '../../../src/cli/infer-json.ts';
import { dice } from '../../../src/metrics/dice.ts';
import { overlap } from '../../../src/metrics/overlap.ts';

const ROOT = path.join(__dirname, '../../..');
const DATA = path.join(ROOT, '../shared/data/dicom');
const there = fs.existsSync(DATA);
if (!there) console.warn(`Skipped: ${DATA} is not there.`);

let out: string;
beforeAll(() => (out = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-dicom-'))));
afterAll(() => fs.rmSync(out, { recursive: true }));

async function run(model: string, models: string, files: readonly string[]): Promise<{ status: number; entries: InferEntry[] }> {
  const printed: string[] = [];
  const status = await infer(files, { model, models, backend: 'wasm', json: true, out }, { print: line => printed.push(line), note: () => {} });
  return { status, entries: JSON.parse(printed.join('\n')) as InferEntry[] };
}

const labelmap = ({ result }: InferEntry) => (result?.kind === 'labelmap' ? result : undefined);

function labels(file: string): Uint8Array {
  const { data } = PNG.sync.read(fs.readFileSync(file));
  return Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]!);
}

(there ? describe : describe.skip)('DICOM from elsewhere', () => {
  test('every file gives a result or a refusal of its own; none is a fault', async () => {
    const { status, entries } = await run('lung-unet', path.join(ROOT, 'models'), [DATA]);
    expect(entries.length).toBeGreaterThan(150);
    expect(status).toBe(2);
    for (const { error, sources } of entries) {
      if (error) expect({ sources, code: error.code }).toEqual({ sources, code: expect.stringMatching(/^(input\/|device\/limit)/) });
    }
    // The whole frontal chests among them, by their names: a plausible share of each is lung.
    const chests = /CR-MONO1-10-chest|RG1_J2KI|8323329_6904_1517875201_850819/;
    const found = entries.filter(e => labelmap(e)?.file?.match(chests));
    expect(found).toHaveLength(3);
    for (const entry of found) {
      const { file, segments } = labelmap(entry)!;
      const { width, height } = PNG.sync.read(fs.readFileSync(file!));
      const share = segments[0]!.pixels / (width * height);
      expect(share).toBeGreaterThan(0.2);
      expect(share).toBeLessThan(0.6);
    }
  }, 600_000);

  // The tiny model normalises by the darkest and the brightest pixel, which RG2's lossy codings move.
  test.each([['RG3_', 3, 0.995], ['RG2_', 2, 0.95]])('one picture (%s) in other transfer syntaxes gives one mask', async (name, atLeast, alike) => {
    const files = ['open/dev', 'unstated/dev'].flatMap(folder => fs.readdirSync(path.join(DATA, folder)).filter(f => f.includes(name)).map(f => path.join(DATA, folder, f)));
    expect(files.length).toBeGreaterThanOrEqual(atLeast);
    const { entries } = await run('tiny-bright', path.join(ROOT, 'test/fixtures'), files);
    const masks = entries.map(e => labels(labelmap(e)!.file!));
    expect(masks[0]!.includes(1)).toBe(true);
    for (const mask of masks) expect(dice(overlap(masks[0]!, mask))).toBeGreaterThan(alike);
  }, 300_000);
});
