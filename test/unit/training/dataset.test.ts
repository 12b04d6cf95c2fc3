import { isOverreadError } from '../../../src/errors.ts';
import { parseDataset } from '../../../src/training/dataset.ts';

const item = { id: 'a', patientId: '1', images: [{ path: 'images/a.jpg', view: 'PA', modality: 'DX' }], mask: 'masks/a.png' };
const set = { schemaVersion: 1, name: 's', licence: 'CC0', maskClasses: ['background', 'lung'], items: [item] };

const thrownBy = (json: unknown): unknown => {
  try {
    parseDataset(json, 'dataset.json');
  } catch (error) {
    return error;
  }
  throw new Error('expected a refusal');
};

test('takes the documented format, and keys of the set\'s own', () => {
  const labelled = { ...item, id: 'b', labels: { Pneumonia: 1 }, boxes: [{ label: 'x', x: 0, y: 0, w: 1, h: 1 }], licence: 'CC BY' };
  const dataset = parseDataset({ ...set, items: [item, labelled] }, 'dataset.json');
  expect(dataset.items[1]!.labels).toEqual({ Pneumonia: 1 });
  expect(dataset.items[0]!.mask).toBe('masks/a.png');
});

test.each([
  ['a wrong version', { ...set, schemaVersion: 2 }, 'schemaVersion'],
  ['no items', { ...set, items: [] }, 'items'],
  ['a missing patientId', { ...set, items: [{ ...item, patientId: undefined }] }, 'items.0.patientId'],
  ['no image', { ...set, items: [{ ...item, images: [] }] }, 'items.0.images'],
  ['an absolute path', { ...set, items: [{ ...item, mask: '/etc/passwd' }] }, 'items.0.mask'],
  ['a path out of the set', { ...set, items: [{ ...item, images: [{ path: 'a/../../b.png' }] }] }, 'items.0.images.0.path'],
  ['an id twice', { ...set, items: [item, item] }, 'items.1.id'],
  ['not an object', 'text', 'the file'],
])('names the field of %s', (_, json, field) => {
  const error = thrownBy(json);
  expect(isOverreadError(error, 'dataset/invalid')).toBe(true);
  expect((error as Error).message).toContain(field);
});

test('shows five problems at most', () => {
  const items = Array.from({ length: 9 }, (_, i) => ({ ...item, id: `${i}`, patientId: '' }));
  expect((thrownBy({ ...set, items }) as Error).message).toContain('and 4 more');
});
