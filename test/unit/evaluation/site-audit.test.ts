import { auditSites } from '../../../src/evaluation/site-audit/audit.ts';
import { ageBand, AUDIT_SIDE, factorsOf, type AuditedPicture } from '../../../src/evaluation/site-audit/audited.ts';
import { confounding } from '../../../src/evaluation/site-audit/confounding.ts';
import { atMost, grouped } from '../../../src/evaluation/site-audit/groups.ts';
import type { FactorAudit } from '../../../src/evaluation/site-audit/factor.ts';
import { pixelDifferences } from '../../../src/metrics/pixel-differences.ts';
import { ridgeSeparation } from '../../../src/metrics/ridge-separation.ts';
import { seededRandom } from '../../../src/phantoms/random.ts';
import { generated, LABEL, MARKER } from '../../bench/site-audit/generated.ts';

const OPTIONS = { permutations: 239 };
const factor = (factors: readonly FactorAudit[], name: string) => factors.find(of => of.name === name)!;
const alarms = (factors: readonly FactorAudit[]) => factors.filter(({ kind, pixels, fromPicture }) => kind === 'acquisition' && [pixels, fromPicture].some(test => test && test.adjusted < 0.05)).map(({ name }) => name);

describe('a planted marker', () => {
  const { factors, confounding, patients } = auditSites(generated(48, 3, { marker: true, strength: 5, confounded: true }), OPTIONS);
  const site = factor(factors, 'site');

  test('is found where it is and nowhere else, and only the site is told apart', () => {
    expect(patients).toBe(48);
    expect(alarms(factors)).toEqual(['site']);
    const half = AUDIT_SIDE / 2;
    const cells = site.groups.find(({ name }) => name === 'B')!.significant;
    expect(cells.length).toBeGreaterThanOrEqual(8);
    for (const cell of cells) {
      for (const at of [cell % half, Math.floor(cell / half)]) expect(2 * at >= MARKER.from - 1 && 2 * at < MARKER.to).toBe(true);
    }
    expect(site.groups.find(({ name }) => name === 'B')!.strongest.difference).toBeGreaterThan(0.15);
    expect(site.fromPicture!.mean.value).toBeGreaterThan(0.9);
    expect(site.fromPicture!.mean.low!).toBeGreaterThan(0.8);
    expect(factor(factors, 'scanner').groups.map(({ name }) => name).sort()).toEqual(['Alpha 1', 'Beta 2', 'Gamma 3']);
  });

  test('the finding that comes with the site is first in the table of what comes with what', () => {
    const [first] = confounding;
    expect([first!.rows.factor, first!.columns.factor]).toEqual(['site', LABEL]);
    expect(first!.v.value).toBeGreaterThan(0.4);
    expect(first!.adjusted).toBeLessThan(0.1);
    expect(first!.oddsRatio!.value > 2 || first!.oddsRatio!.value < 0.5).toBe(true);
  });
});

test('a second picture of every patient makes no interval of an association narrower', () => {
  const once = generated(36, 9).map((picture, i) => ({ ...picture, truths: { [LABEL]: i % 3 !== 0 }, groups: { site: i % 2 ? 'A' : 'B' } }));
  const of = (pictures: readonly AuditedPicture[]) => confounding(pictures, factorsOf(pictures), { permutations: 19 }).find(({ oddsRatio }) => oddsRatio)!.oddsRatio!;
  const [single, double] = [of(once), of([...once, ...once])];
  expect(double.value).toBeCloseTo(single.value, 9);
  // Resamples with an empty cell get a half in it, of pictures; beside that the two are one.
  expect(Math.log(double.high! / double.low!)).toBeGreaterThan(0.95 * Math.log(single.high! / single.low!));
});

test('without a marker nothing is told apart', () => {
  const { factors } = auditSites(generated(36, 8), OPTIONS);
  expect(alarms(factors)).toEqual([]);
  expect(factor(factors, 'site').fromPicture!.adjusted).toBeGreaterThan(0.05);
});

test("a model's features and scores: told apart, and its errors by group", () => {
  const random = seededRandom(4);
  const pictures = generated(24, 5).map((picture): AuditedPicture => ({
    ...picture,
    features: Float32Array.of(random.gaussian(), random.gaussian() + (picture.groups.site === 'B' ? 3 : 0)),
    // Right at site A, at B the other way round.
    scores: { [LABEL]: { probability: (picture.truths[LABEL] === (picture.groups.site === 'A') ? 0.7 : 0.2) + 0.1 * random.next(), positive: picture.truths[LABEL] === (picture.groups.site === 'A') } },
  }));
  const { factors, outcomes } = auditSites(pictures, { permutations: 99 });
  expect(factor(factors, 'site').fromFeatures!.mean.value).toBeGreaterThan(0.9);
  expect(factor(factors, 'sex').fromFeatures!.mean.value).toBeLessThan(0.8);
  const of = (group: string) => outcomes.find(outcome => outcome.group === group)!;
  expect(of('A').auc).toMatchObject({ value: 1, low: 1, high: 1 });
  expect(of('B')).toMatchObject({ auc: { value: 0 }, sensitivity: { value: 0 }, specificity: { value: 0 } });
  expect(of('A').pictures + of('B').pictures).toBe(of('all pictures').pictures);
});

test('one site, unknown attributes and few patients are said, and two patients refused', () => {
  const pictures = generated(12, 6).map((picture, i): AuditedPicture => ({ ...picture, groups: { site: i < 2 ? 'rare' : 'common', sex: picture.groups.sex! } }));
  const { factors } = auditSites(pictures, { permutations: 19 });
  expect(factor(factors, 'site')).toMatchObject({ groups: [], leftOut: [{ name: 'rare' }], remarks: [expect.stringContaining('common')] });
  expect(factor(factors, 'view').remarks[0]).toContain('No picture says');
  expect(() => auditSites(pictures.slice(0, 1))).toThrow(/at least 10 patients .* got 1/);
});

test('ages in bands', () => expect([0, 17.9, 18, 79, 101].map(ageBand)).toEqual(['0 to 17', '0 to 17', '18 to 39', '60 to 79', '80 and older']));

test('of 60 sets of pictures without a difference few are called different, though each patient has several', () => {
  const p = Array.from({ length: 60 }, (_, seed) => {
    const random = seededRandom(1000 + seed);
    const patients = Array.from({ length: 16 }, (_, patient) => ({ label: Number(random.chance(0.5)), own: Array.from({ length: 6 }, () => random.gaussian()), patient: `${patient}` }));
    if (new Set(patients.map(({ label }) => label)).size < 2) return { pixels: 1, ridge: 1 };
    const pictures = patients.flatMap(({ label, own, patient }) => [0, 1, 2].map(() => ({ label, patient, values: Float32Array.from(own, value => value + 0.3 * random.gaussian()) })));
    const [values, labels, ids] = [pictures.map(of => of.values), pictures.map(of => of.label), pictures.map(of => of.patient)];
    return { pixels: pixelDifferences(values, labels, ids, { permutations: 39, seed }).p, ridge: ridgeSeparation(values, labels, ids, { permutations: 39, seed }).p };
  });
  // Of 60 at one in twenty, 8 or more come once in a hundred times.
  for (const test of ['pixels', 'ridge'] as const) expect(p.filter(of => of[test] <= 0.05).length).toBeLessThanOrEqual(7);
  // And they are spread: half of them below a half.
  for (const test of ['pixels', 'ridge'] as const) expect(Math.abs(p.filter(of => of[test] <= 0.5).length - 30)).toBeLessThan(15);
});

test('of thousands of pictures, those that are taken hold patients of the smallest site, too', () => {
  const sites = [...Array.from({ length: 3000 }, () => 'large'), ...Array.from({ length: 5 }, () => 'small')];
  const pictures = sites.map((site, i): AuditedPicture => ({ id: `${i}`, patient: `p${i}`, groups: { site }, truths: {}, thumbnail: new Float32Array() }));
  const some = atMost(grouped(pictures, factorsOf(pictures)[0]!), 40);
  expect(some.members).toHaveLength(40);
  expect(some.members.filter(({ groups: { site } }) => site === 'small')).toHaveLength(5);
  expect(some.members.every(({ groups: { site } }, i) => some.groups[some.labels[i]!]!.name === site)).toBe(true);
  expect(atMost(grouped([...pictures].reverse(), factorsOf(pictures)[0]!), 40).patients.slice().sort()).toEqual(some.patients.slice().sort());
});
