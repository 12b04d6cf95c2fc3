import { freshUid, isUid, seededUid } from '../../../src/export/uid.ts';

test('seeded UIDs are valid, repeat, and differ for different words', () => {
  expect(seededUid('a', 1)).toBe(seededUid('a', 1));
  const all = new Set<string>();
  for (let i = 0; i < 5000; i++) {
    const uid = seededUid('overread', i, 'series');
    expect(isUid(uid)).toBe(true);
    all.add(uid);
  }
  expect(all.size).toBe(5000);
  // Words are kept apart.
  expect(seededUid('a', 'bc')).not.toBe(seededUid('ab', 'c'));
});

test('fresh UIDs are valid and new', () => {
  const some = Array.from({ length: 200 }, freshUid);
  expect(some.every(isUid)).toBe(true);
  expect(new Set(some).size).toBe(200);
});

test.each([['1.2.3', true], ['2.25.0', true], ['1.02.3', false], ['1..2', false], ['', false], ['1.2.', false], [`1.${'2'.repeat(64)}`, false], ['1.2a', false]])('isUid(%j) is %p', (text, valid) => {
  expect(isUid(text)).toBe(valid);
});
