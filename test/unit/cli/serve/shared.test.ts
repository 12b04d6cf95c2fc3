/** The store over real files of every transfer syntax, where they are there. */
import fs from 'node:fs';
import path from 'node:path';
import { InstanceStore, type LeftOut } from '../../../../src/cli/serve/store/instance-store.ts';
import { numberOfFrames, readFrame } from '../../../../src/cli/serve/store/frames.ts';
import { renderFrame } from '../../../../src/cli/serve/store/rendered.ts';
import { encapsulatedFrame } from '../../../../src/dicom/fragments.ts';
import { readImageInstance } from '../../../../src/dicom/instance.ts';
import { isOverreadError } from '../../../../src/errors.ts';
import { removeFolders, temporaryFolder } from './embedded.ts';

const DATA = path.join(__dirname, '../../../../../shared/data/dicom');
const here = fs.existsSync(DATA);
if (!here) console.warn(`Skipped: ${DATA} is not there.`);
afterAll(removeFolders);

(here ? describe : describe.skip)('real files', () => {
  let store: InstanceStore;
  let left: readonly LeftOut[] = [];
  beforeAll(async () => {
    const folder = temporaryFolder();
    for (const name of fs.readdirSync(DATA, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.dcm')) fs.symlinkSync(path.join(DATA, name), path.join(folder, path.basename(name)));
    }
    store = await InstanceStore.open(folder, (files) => (left = files));
  });

  it('are served, or left out for a reason that is theirs', () => {
    expect(store.size).toBeGreaterThan(90);
    expect(left.filter(({ error }) => error.code === 'internal')).toEqual([]);
  });

  it('give every frame as the engine reads it, and a picture or a reason', async () => {
    let frames = 0;
    let pictures = 0;
    for (const instance of store.studies().flatMap((study) => store.instances(study))) {
      const count = numberOfFrames(instance);
      if (count === 0) continue;
      const last = await readFrame(store, instance, count);
      frames++;
      try {
        const { pixelData: { element, set } } = readImageInstance(fs.readFileSync(store.path(instance)));
        if (element.fragments) expect([instance.file, Buffer.compare(encapsulatedFrame(set, element, count - 1, count), last)]).toEqual([instance.file, 0]);
        const { bytes } = await renderFrame(store, instance, 1, 64);
        expect(Buffer.from(bytes.subarray(1, 4)).toString()).toBe('PNG');
        pictures++;
      } catch (error) {
        if (!isOverreadError(error) || error.code === 'internal') throw error;
      }
    }
    expect(frames).toBeGreaterThan(80);
    expect(pictures).toBeGreaterThan(0.9 * frames);
  });
});
