import '@tensorflow/tfjs-backend-cpu';
import { dispose, setBackend, tensor4d, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { Image } from '../../../src/image/image.ts';
import type { ModelManifest } from '../../../src/manifest.ts';
import { taskOf } from '../../../src/tasks/index.ts';
import { segment } from '../../../src/tasks/segment.ts';
import { disc, picture, tinyManifest } from '../runtime/tiny.ts';

const manifest = tinyManifest('tiny-bright');
const dx = (change: Partial<Image> = {}) => disc(20, 20, { modality: 'DX', ...change });

beforeAll(() => setBackend('cpu'));

describe('segment.accept', () => {
  const cases: [string, Image, object][] = [
    ['a CT', dx({ modality: 'CT' }), { expected: ['CR', 'DX', 'OT'], got: 'CT' }],
    ['a lateral view', dx({ attributes: { viewPosition: 'LL' } }), { expected: ['PA', 'AP'], got: 'LL' }],
    ['a hand', dx({ attributes: { bodyPartExamined: 'HAND' } }), { expected: ['CHEST'], got: 'HAND' }],
    ['a volume', dx({ shape: [20, 10, 2] }), { expected: 1, got: 2 }],
    ['a colour radiograph', dx({ channels: 3 }), { expected: ['luminance'] }],
  ];
  const chest = { ...manifest, input: { ...manifest.input, bodyPart: ['CHEST'] } };

  test.each(cases)('refuses %s, and says why', (_, image, fields) => {
    expect(() => segment.accept([image], chest)).toThrow(
      expect.objectContaining({ code: 'input/refused', fields: expect.objectContaining(fields), message: expect.stringMatching(/Choose another image or another model\.$/) }),
    );
  });

  test.each<[string, Image]>([
    ['says nothing of view and body', dx()],
    ['says what is read, in other letters', dx({ attributes: { viewPosition: 'pa', bodyPartExamined: 'Chest ' } })],
    ['is a picture', disc(20, 20)],
    ['is one pixel', picture(1, 1, () => 0, { modality: 'CR' })],
  ])('takes an image that %s', (_, image) => {
    expect(() => segment.accept([image], chest)).not.toThrow();
  });
});

describe('segment.decode', () => {
  async function decoded(values: Tensor, image: Image, m: ModelManifest = manifest) {
    const encoded = segment.encode([{ image }], m);
    const finding = await segment.decode([values], encoded, [{ image }], m);
    dispose([...encoded.inputs]);
    values.dispose();
    return finding;
  }
  const plane = (rows: number, columns: number, logit: (x: number, y: number) => number) =>
    tensor4d(Float32Array.from({ length: rows * columns }, (_, i) => logit(i % columns, Math.floor(i / columns))), [1, rows, columns, 1]);

  test('the threshold is the operating point, in logits', async () => {
    const step = () => plane(32, 32, x => (x < 16 ? 0.5 : 1.5));
    const at = (operatingPoint: number) => ({ ...manifest, output: { ...manifest.output, targets: [{ ...manifest.output.targets[0]!, operatingPoint }] } });
    const image = picture(32, 32, x => x);
    expect((await decoded(step(), image)).segments[0]!.pixels).toBe(1024);
    expect((await decoded(step(), image, at(0.7))).segments[0]!.pixels).toBe(512); // logit 0.85
    expect((await decoded(step(), image, at(0.9))).segments[0]!.pixels).toBe(0); // logit 2.2
  });

  test('probabilities are compared as they are', async () => {
    const m = { ...manifest, output: { ...manifest.output, gives: 'probability' as const } };
    expect((await decoded(plane(32, 32, x => (x < 8 ? 0.6 : 0.4)), picture(32, 32, x => x), m)).segments[0]!.pixels).toBe(256);
  });

  test('outlines are as fine as the source: the logits are interpolated, not the labels', async () => {
    // 0 is crossed at output column 15.75 (its centre is 16.25): at source coordinate 162.5, the centre of column 162.
    const { labels } = await decoded(plane(32, 32, x => 15.75 - x), picture(320, 320, x => x));
    expect([...labels.subarray(0, 320)].lastIndexOf(1)).toBe(162);
  });

  test('only what the network saw is labelled', async () => {
    const m = { ...manifest, input: { ...manifest.input, fit: 'crop' as const } };
    const { labels, segments } = await decoded(plane(32, 32, () => 1), picture(100, 40, x => x), m);
    expect(segments[0]!.pixels).toBe(1600);
    expect([...labels.subarray(0, 100)].indexOf(1)).toBe(30);
  });

  test('of two targets on one pixel the surer has it', async () => {
    const m = { ...manifest, output: { ...manifest.output, targets: [manifest.output.targets[0]!, { ...manifest.output.targets[0]!, label: 'Other' }] } };
    const values = tensor4d(Float32Array.from({ length: 32 * 32 * 2 }, (_, i) => (i % 2 ? 2 : 1)), [1, 32, 32, 2]);
    expect((await decoded(values, picture(32, 32, x => x), m)).segments.map(s => s.pixels)).toEqual([0, 1024]);
  });

  test('a softmax target that states an operating point has to reach it', async () => {
    const softmax = tinyManifest('tiny-softmax');
    const values = () => tensor4d(Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => [0, 0, 1][i % 3]!), [1, 32, 32, 3]); // p = 0.576
    const at = (operatingPoint: number) => ({ ...softmax, output: { ...softmax.output, targets: softmax.output.targets.map(t => ({ ...t, operatingPoint })) } });
    expect((await decoded(values(), picture(32, 32, x => x), at(0.5))).segments[1]!.pixels).toBe(1024);
    expect((await decoded(values(), picture(32, 32, x => x), at(0.6))).segments[1]!.pixels).toBe(0);
  });

  test('small components go where the manifest says so', async () => {
    const m = { ...manifest, output: { ...manifest.output, keepLargestComponents: 1 } };
    const values = plane(32, 32, (x, y) => ((x < 4 && y < 4) || (x > 10 && y > 10) ? 1 : -1));
    expect((await decoded(values, picture(32, 32, x => x), m)).segments[0]!.pixels).toBe(21 * 21);
  });

  test('refuses a mask that is smaller than the manifest holds possible', async () => {
    const m = { ...manifest, output: { ...manifest.output, minimumFraction: 0.1 } };
    const square = (side: number) => plane(32, 32, (x, y) => (x < side && y < side ? 1 : -1));
    await expect(decoded(square(10), picture(32, 32, x => x), m)).rejects.toMatchObject({ code: 'input/refused', fields: { expected: 0.1, got: 100 / 1024 } });
    expect((await decoded(square(11), picture(32, 32, x => x), m)).segments[0]!.pixels).toBe(121);
  });

  test('refuses an output of another shape', async () => {
    await expect(decoded(zeros([1, 32, 32, 2]), disc(8, 8))).rejects.toMatchObject({ code: 'model/output', fields: { got: [1, 32, 32, 2] } });
  });
});

test('an unknown task is named', () => {
  expect(() => taskOf({ ...manifest, task: 'divine' })).toThrow(expect.objectContaining({ code: 'model/manifest', fields: { expected: expect.arrayContaining(['segment']), got: 'divine' } }));
});
