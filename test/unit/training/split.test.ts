import { picture } from '../runtime/tiny.ts';
import { tinyManifest } from '../runtime/tiny.ts';
import { checkClasses, exampleOf } from '../../../src/training/examples.ts';
import { checkSplit, nearDuplicates, pictureHash, splitByIds, splitByPatient } from '../../../src/training/split.ts';
import { discs } from './made.ts';

const items = Array.from({ length: 20 }, (_, i) => ({ id: `item ${i}`, patientId: `patient ${Math.floor(i / 2)}` }));

test('by patient, the same way each time; another seed splits in another way', () => {
  const split = splitByPatient(items, 0.3, 1);
  expect(split).toEqual(splitByPatient(items, 0.3, 1));
  expect(new Set(split.validation.map(({ patientId }) => patientId)).size).toBe(3);
  expect(() => checkSplit(split)).not.toThrow();
  expect([...split.train, ...split.validation]).toHaveLength(20);
  expect(splitByPatient(items, 0.3, 2).validation).not.toEqual(split.validation);
});

test('one patient only, a patient on both sides, an empty side and ids that are not there are refused by name', () => {
  expect(() => splitByPatient(items.slice(0, 2), 0.5, 1)).toThrow(/at least two patients.*got 1/);
  expect(() => splitByIds(items, { train: ['item 0'], validation: ['item 1'] })).toThrow(/each patient on one side.*item 'item 1'/);
  expect(() => splitByIds(items, { train: ['patient 0'], validation: [] })).toThrow(/both sides of the split, got 2 to train and 0/);
  expect(() => splitByIds(items, { train: ['patient 0'], validation: ['patient 77'] })).toThrow(/validation, got patient 77/);
  expect(splitByIds(items, { train: ['patient 0'], validation: ['item 2'] })).toMatchObject({ train: [items[0], items[1]], validation: [items[2]] });
});

test('pictures that look alike across the split are found, whatever their brightness; others are not', () => {
  const manifest = tinyManifest('tiny-unet');
  const all = discs(manifest, 6, 3);
  const hashed = all.map(({ id, picture: values, columns, rows, channels }) => ({ id, hash: pictureHash({ values, columns, rows, channels }) }));
  const twin = { ...hashed[0]!, id: 'twin', hash: pictureHash({ ...all[0]!, values: all[0]!.picture.map(v => 0.8 * v + 0.1) }) };
  expect(nearDuplicates(hashed, [twin])).toEqual([[hashed[0]!.id, 'twin']]);
});

test('labels off the image\'s grid, one class only and labels that are none are refused by name', () => {
  const manifest = tinyManifest('tiny-unet');
  const image = picture(32, 32, x => x);
  const item = { id: 'a', patientId: 'p', images: [{ path: 'a.png' }] };
  const mask = (of: (x: number) => number, side = 32) => ({ mask: picture(side, side, of) });
  expect(() => exampleOf(item, image, mask(() => 1, 31), manifest)).toThrow(/mask of item 'a' on the image's grid, 32 × 32, got 31 × 31/);
  expect(() => checkClasses([exampleOf(item, image, mask(() => 0), manifest)], manifest)).toThrow(/background only/);
  expect(() => checkClasses([exampleOf(item, image, mask(() => 1), manifest)], manifest)).toThrow(/no background/);
  expect(() => checkClasses([exampleOf(item, image, mask(x => Number(x > 3)), manifest)], manifest)).not.toThrow();
  const scores = tinyManifest('tiny-scores');
  const labels = Object.fromEntries(scores.output.targets.map(({ label }) => [label, 1]));
  expect(() => checkClasses([exampleOf({ ...item, labels }, image, {}, scores)], scores)).toThrow(/1 only/);
  expect(() => exampleOf({ ...item, labels: { ...labels, [scores.output.targets[0]!.label]: 0.5 } }, image, {}, scores)).toThrow(/0 or 1.*got 0.5/);
});

test('a mask is laid where the picture lies in the network\'s input', () => {
  const manifest = tinyManifest('tiny-unet');
  // 64 × 32 in 32 × 32: half as large, eight rows around it above and below.
  const example = exampleOf({ id: 'a', patientId: 'p', images: [{ path: 'a.png' }] }, picture(64, 32, x => Number(x >= 32) * 200), { mask: picture(64, 32, x => Number(x >= 32)) }, manifest);
  for (const [x, y, label] of [[4, 16, 0], [28, 16, 1], [28, 2, 0], [28, 30, 0]] as const) expect(example.classes![y * 32 + x]).toBe(label);
  expect(example.picture[16 * 32 + 28]).toBeGreaterThan(0.9);
});
