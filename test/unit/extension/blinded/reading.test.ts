import { answered, currentCase, ended, shownNow, startReading, type Reading, type ReadingCase } from '../../../../extension/blinded/reading.ts';
import { readingCsv, readingJson, summaries, unsealed } from '../../../../extension/blinded/export.ts';
import { forCase } from '../../../../extension/blinded/store.ts';
import type { ResultSet } from '../../../../extension/comparing/sets.ts';
import { image, result, source } from '../made.ts';

function set(id: string, study = '1.2.840.1'): ResultSet {
  const made = result({ ...image(source('a', 1, study)), attributes: { patientID: 'PAT-7', seriesDescription: 'Thorax Mustermann' } });
  return { id, name: `${id} Mustermann`, kept: { key: id, studyInstanceUID: study, seriesInstanceUID: '1.2', visible: true, result: { ...made, model: { ...made.model, id, name: id } } } };
}

const cases = (n: number): ReadingCase[] => Array.from({ length: n }, (_, i) => ({ studyInstanceUID: `1.2.840.${i}`, sets: [forCase(set('one', `1.2.840.${i}`)), forCase(set('two', `1.2.840.${i}`))] }));
const start = (n: number, seed = 7, question: Reading['question'] = 'preference') => startReading(cases(n), { id: 'reading', question, seed, at: '2026-01-01T10:00:00Z' });
const names = (reading: Reading) => reading.cases.map(({ studyInstanceUID, sets }) => `${studyInstanceUID.split('.').at(-1)} ${sets.map(({ id }) => id).join()}`);
const answer = (reading: Reading, choice: Parameters<typeof answered>[1]['choice'] = 'first') => answered(shownNow(reading, '2026-01-01T10:01:00Z'), { choice, confidence: 4, at: '2026-01-01T10:01:12Z', seconds: 12 });

describe('the order', () => {
  test('is the seed\'s alone, of cases and of what is called A', () => {
    expect(names(start(6))).toEqual(names(start(6)));
    expect(names(start(6))).not.toEqual(names(start(6, 8)));
    expect(names(start(6)).map(name => name.split(' ')[0]).sort()).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  test('puts each result on either side about as often, over seeds', () => {
    let first = 0;
    for (let seed = 0; seed < 400; seed++) first += start(1, seed).cases[0]!.sets[0]!.id === 'one' ? 1 : 0;
    expect(first).toBeGreaterThan(160);
    expect(first).toBeLessThan(240);
  });

  test('of verdicts has each result by itself', () => {
    expect(start(2, 7, 'verdict').cases.map(({ sets }) => sets.length)).toEqual([1, 1, 1, 1]);
  });
});

describe('a reading', () => {
  test('goes from case to case, and the last answer ends it', () => {
    let reading = start(2);
    expect(currentCase(reading)?.place).toBe(0);
    reading = answer(reading);
    expect([currentCase(reading)?.place, reading.endedAt]).toEqual([1, undefined]);
    reading = answer(reading, 'neither');
    expect([currentCase(reading), reading.endedAt]).toEqual([undefined, '2026-01-01T10:01:12Z']);
    expect(answer(reading)).toBe(reading);
  });

  test('takes no answer to what was not shown, or that was not asked', () => {
    const reading = start(2);
    expect(answered(reading, { choice: 'first', confidence: 1, at: '', seconds: 1 })).toBe(reading);
    expect(answer(reading, 'acceptable').answers).toHaveLength(0);
  });

  test('counts how often a case was put on screen', () => {
    const twice = shownNow(shownNow(start(1), '2026-01-01T10:00:30Z'), '2026-01-01T10:05:00Z');
    expect(answered(twice, { choice: 'first', confidence: 2, at: '2026-01-01T10:05:09Z', seconds: 9 }).answers[0]).toMatchObject({ shownAt: '2026-01-01T10:00:30Z', seconds: 9, timesShown: 2 });
  });
});

describe('the key', () => {
  test('is sealed until the end', async () => {
    await expect(unsealed(answer(start(2)), 'hashed')).rejects.toMatchObject({ code: 'job/busy', message: expect.stringMatching(/1 of 2 cases read\. Its key is sealed/) });
    await expect(readingCsv(start(2), 'uid')).rejects.toMatchObject({ code: 'job/busy' });
    // Ended early, it is open, and nothing can be said any longer.
    const early = ended(answer(start(2)), '2026-01-01T11:00:00Z');
    expect((await unsealed(early, 'none')).map(({ choice }) => choice)).toEqual(['first', undefined]);
    expect(answer(early)).toBe(early);
  });

  const read = () => answer(answer(answer(start(3)), 'second'), 'neither');

  test('says whose the preferred one was, with times, without a name of a patient or a UID', async () => {
    const reading = read();
    const csv = await readingCsv(reading, 'hashed');
    const lines = csv.trim().split('\r\n');
    expect(lines[0]).toBe('case,study,a,b,choice,preferred,confidence,shownAt,answeredAt,seconds,timesShown');
    const [a] = reading.cases[0]!.sets;
    expect(lines[1]).toMatch(new RegExp(`^1,[0-9a-f]{16},\\w+ 1\\.0\\.0,\\w+ 1\\.0\\.0,first,${a!.kept.result.model.id} 1\\.0\\.0,4,2026-01-01T10:01:00Z,2026-01-01T10:01:12Z,12,1$`));
    const json = await readingJson(reading, 'hashed');
    for (const text of [csv, json, JSON.stringify(reading)]) for (const secret of ['Mustermann', 'PAT-7', 'Thorax']) expect(text).not.toContain(secret);
    for (const text of [csv, json]) expect(text).not.toContain('1.2.840');
    expect(await readingCsv(reading, 'none')).not.toMatch(/[0-9a-f]{16}/);
    expect(await readingCsv(reading, 'uid')).toContain('1.2.840.0');
    expect(JSON.parse(json)).toMatchObject({ seed: 7, question: 'preference', cases: [{ case: 1 }, { case: 2 }, { case: 3 }] });
  });

  test('counts preferences of a pair, whichever side it was on', async () => {
    const [summary] = summaries(await unsealed(read(), 'none'));
    expect(summary!.of).toEqual(['one 1.0.0', 'two 1.0.0']);
    expect(Object.values(summary!.counts).reduce((sum, n) => sum + n, 0)).toBe(3);
    expect(summary!.counts['neither']).toBe(1);
    const verdicts = answer(answer(start(1, 3, 'verdict'), 'acceptable'), 'unsure');
    expect(summaries(await unsealed(verdicts, 'none')).map(({ of, counts, p }) => [of.length, Object.keys(counts).length, p])).toEqual([[1, 1, undefined], [1, 1, undefined]]);
  });

  test('numbers masks of the viewer instead of naming them', async () => {
    const mine = set('segmentation 4711');
    const viewer = forCase({ ...mine, kept: { ...mine.kept, result: { ...mine.kept.result, model: { ...mine.kept.result.model, id: 'overread-viewer', version: '', name: 'Muster Mann by hand' } } } });
    const reading = answer(startReading([{ studyInstanceUID: '1', sets: [viewer, forCase(set('one'))] }], { id: 'r', question: 'preference', seed: 1, at: '' }));
    expect(new Set((await unsealed(reading, 'none')).flatMap(({ a, b }) => [a, b]))).toEqual(new Set(['mask of the viewer 1', 'one 1.0.0']));
    expect(JSON.stringify(reading)).not.toContain('Muster');
  });
});
