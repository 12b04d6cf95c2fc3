import { auditTranslation } from '../../../src/evaluation/translation.ts';
import { CHANGE_RULE, lesionChanges, type ChangeRule } from '../../../src/evaluation/translation-changes.ts';
import { translationCsv, translationJson } from '../../../src/evaluation/translation-report.ts';
import { apply, multiply } from '../../../src/image/affine.ts';
import type { Affine, Image } from '../../../src/image/image.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { brainPhantom } from '../../../src/phantoms/brain.ts';
import { fakeRunner, picture } from '../cli/fake-runner.ts';

const SHAPE = [24, 20, 12] as const;
const AFFINE: Affine = [2, 0, 0, -20, 0, 2, 0, -18, 0, 0, 3, -10, 0, 0, 0, 1];

type Ball = readonly [x: number, y: number, z: number, radiusMm: number];

/** Balls of 200 on a ground of 20, by where they lie in the patient. */
function volume(balls: readonly Ball[], name: string, more: Partial<Image> = {}): Image {
  const pixels = new Float32Array(SHAPE[0] * SHAPE[1] * SHAPE[2]).map((_, i) => {
    const [x, y, z] = apply(more.indexToPatient ?? AFFINE, [i % SHAPE[0], Math.floor(i / SHAPE[0]) % SHAPE[1], Math.floor(i / (SHAPE[0] * SHAPE[1]))]);
    return balls.some(([a, b, c, r]) => Math.hypot(x - a, y - b, z - c) <= r) ? 200 : 20;
  });
  return {
    ...picture(1, 1, []), shape: SHAPE, pixels, modality: 'MR', spacingMm: [2, 2], sliceSpacingMm: 3, indexToPatient: AFFINE, frameOfReferenceUID: '1.2.3', attributes: { patientID: 'P', seriesDescription: name },
    sources: Array.from({ length: SHAPE[2] }, (_, i) => ({ studyInstanceUID: '1', seriesInstanceUID: `1.${name.length}`, sopInstanceUID: `1.${name.length}.${i}`, frame: 1 })), ...more,
  };
}

function finder(forced: (boolean | undefined)[] = []) {
  const runner = fakeRunner(() => {}, true);
  const manifest = { ...runner.manifest, name: 'Bright', output: { targets: [{ label: 'bright' }] } } as unknown as typeof runner.manifest;
  return { ...runner, manifest, run: (images: readonly Image[], options?: { force?: boolean }) => (forced.push(options?.force), runner.run(images)) };
}

const A: Ball = [-6, -4, 2, 6];
const B: Ball = [14, 10, 8, 6];
const kinds = ({ changes }: { readonly changes: readonly { readonly kind: string }[] }) => changes.map(({ kind }) => kind);

describe('a translation of one patient', () => {
  test('erased one lesion and invented another: both are listed with volume and place', async () => {
    const forced: (boolean | undefined)[] = [];
    const audit = await auditTranslation(finder(forced), volume([A], 'real'), volume([B], 'synthetic'));
    expect(new Set(kinds(audit))).toEqual(new Set(['erased', 'invented']));
    expect(audit.lesions).toEqual({ real: 1, translated: 1, kept: 0 });
    const erased = audit.changes.find(({ kind }) => kind === 'erased')!;
    expect(Math.hypot(...erased.patientMm!.map((v, i) => v - A[i]!))).toBeLessThan(3);
    expect(erased.volumeMm3).toBe(erased.voxels * 12);
    expect(erased.volumeMm3! / ((4 / 3) * Math.PI * 6 ** 3)).toBeCloseTo(1, 0);
    expect(erased.source).toMatchObject({ sopInstanceUID: `1.4.${erased.index[2]}` });
    expect(erased.translated.source).toMatchObject({ sopInstanceUID: `1.9.${erased.index[2]}` });
    // Refusals of the translated image are set aside, of the real one not.
    expect(forced).toEqual([undefined, true]);
    expect(translationJson(audit)).toMatchObject({ real: { seriesDescription: 'real' }, translated: { seriesDescription: 'synthetic' }, placement: { kind: 'same grid' }, changes: [{ kind: expect.any(String) }, {}] });
    expect(translationCsv(audit).split('\r\n')[1]).toMatch(/^(erased|invented),\d+,\d+,,/);
  });

  test('that moved an edge by less than the tolerance changed nothing', async () => {
    const audit = await auditTranslation(finder(), volume([A, B], 'real'), volume([[-7, -4, 2, 7], [14, 10, 8, 4.5]], 'synthetic'));
    expect(audit.changes).toEqual([]);
    expect(audit.lesions.kept).toBe(2);
  });

  test('made a lesion grow beyond the tolerance, or shrink: the part is listed, not the whole', async () => {
    const [small, large] = [volume([[0, 0, 5, 4]], 'small'), volume([[0, 0, 5, 12]], 'larger')];
    expect(kinds(await auditTranslation(finder(), small, large))).toEqual(['grown']);
    expect(kinds(await auditTranslation(finder(), large, small))).toEqual(['shrunk']);
    // Of which less than the rule's share is there, and that holds no lesion of the other side, it was erased.
    const beside = volume([[11, 0, 5, 10]], 'next to it');
    expect(kinds(await auditTranslation(finder(), large, beside))).toContain('shrunk');
    expect(kinds(await auditTranslation(finder(), large, beside, { rule: { minimumShare: 0.9 } }))).toContain('erased');
  });

  test('on another grid of the same frame of reference is compared by geometry, and placed on its own slices', async () => {
    const flipped: Affine = [2, 0, 0, -20, 0, 2, 0, -18, 0, 0, -3, 23, 0, 0, 0, 1];
    const audit = await auditTranslation(finder(), volume([A], 'real'), volume([A, B], 'synthetic', { indexToPatient: flipped }));
    expect(audit.placement.kind).toBe('resampled');
    expect(kinds(audit)).toEqual(['invented']);
    const [{ index, translated }] = audit.changes as [(typeof audit.changes)[number]];
    expect(translated.index[2]).toBe(11 - index[2]);
  });

  test('in another frame of reference is registered first', async () => {
    const head = brainPhantom({ seed: 3, columns: 40, slices: 20 });
    const [[sx, sy, sz], [ox, oy, oz]] = [head.spacingMm, head.origin];
    const indexToPatient: Affine = [sx, 0, 0, ox, 0, sy, 0, oy, 0, 0, sz, oz, 0, 0, 0, 1];
    const of = (name: string, pixels: Float32Array, more: Partial<Image>): Image => ({
      ...volume([], name), shape: head.shape, pixels, indexToPatient, spacingMm: [sx, sy], sliceSpacingMm: sz,
      sources: Array.from({ length: head.shape[2] }, () => ({ file: name })), ...more,
    });
    const values = Float32Array.from(head.volumes.FLAIR, v => v / 9);
    const moved = multiply([1, 0, 0, 14, 0, 1, 0, -9, 0, 0, 1, 6, 0, 0, 0, 1], indexToPatient);
    // Lesions are what the finder takes for one: 128 and above, here three balls of 255.
    const drawn = (balls: readonly Ball[], m: Affine) => values.map((v, i) => {
      const [x, y, z] = apply(m, [i % head.shape[0], Math.floor(i / head.shape[0]) % head.shape[1], Math.floor(i / (head.shape[0] * head.shape[1]))]);
      return balls.some(([a, b, c, r]) => Math.hypot(x - a, y - b, z - c) <= r) ? 255 : Math.min(v, 120);
    });
    const real = of('real', drawn([[20, 0, 40, 9], [-24, 10, 30, 9]], indexToPatient), {});
    const synthetic = of('synthetic', drawn([[20, 0, 40, 9]], indexToPatient), { indexToPatient: moved, frameOfReferenceUID: '1.2.9' });
    const audit = await auditTranslation(finder(), real, synthetic);
    expect(audit.placement.kind).toBe('registered');
    expect(kinds(audit)).toEqual(['erased']);
    const [{ index, translated }] = audit.changes as [(typeof audit.changes)[number]];
    // The voxels are the same in both: only the origin differs.
    expect(Math.hypot(...translated.index.map((v, i) => v - index[i]!))).toBeLessThan(1.8);
  }, 60_000);

  test('as pictures without a place is compared pixel on pixel, and refused where the sizes differ', async () => {
    const flat = (balls: number, columns = 16) => picture(columns, 12, Array.from({ length: columns * 12 }, (_, i) => (i % columns < balls ? 200 : 0)), { sources: [{ file: `${balls}.png` }] });
    const audit = await auditTranslation(finder(), flat(8), flat(0));
    expect(audit.changes).toMatchObject([{ kind: 'erased', voxels: 96, source: { file: '8.png' } }]);
    expect(audit.changes[0]).not.toHaveProperty('areaMm2');
    await expect(auditTranslation(finder(), flat(8), flat(0, 18))).rejects.toMatchObject({ code: 'input/refused', message: expect.stringContaining('16 × 12 × 1 and 18 × 12 × 1') });
  });

  test('of another patient, of itself, or by a model that gives no masks is refused by name', async () => {
    const other = volume([B], 'synthetic', { attributes: { patientID: 'Q' } });
    await expect(auditTranslation(finder(), volume([A], 'real'), other)).rejects.toMatchObject({ code: 'input/refused', message: expect.stringContaining('PatientID P and Q') });
    await expect(auditTranslation(finder(), volume([A], 'real'), volume([A], 'real'))).rejects.toMatchObject({ message: expect.stringContaining('twice') });
    const scores = { ...finder(), manifest: { ...finder().manifest, task: 'classify' } };
    await expect(auditTranslation(scores, volume([A], 'real'), other)).rejects.toMatchObject({ message: expect.stringContaining('whose task is classify') });
    await expect(auditTranslation(finder(), volume([A], 'real'), volume([B], 'synthetic'), { labels: ['dark'] })).rejects.toMatchObject({ message: expect.stringContaining('(bright), got dark') });
  });

  test('that only the model sees differently is counted apart', async () => {
    // The same picture twice, by its values; the model finds the second ball in one of them only.
    const noisy = (name: string) => {
      const image = volume([A, B], name);
      return { ...image, pixels: image.pixels.map((v, i) => v + ((i * 7919) % 13)) };
    };
    const { run, ...rest } = finder();
    let runs = 0;
    const moody = { ...rest, run: async (images: readonly Image[]) => {
      const result = (await run(images)) as LabelmapResult;
      return runs++ ? result : { ...result, labels: result.labels.map((label, i) => (Math.floor(i / (SHAPE[0] * SHAPE[1])) > 5 ? 0 : label)) };
    } };
    const audit = await auditTranslation(moody, noisy('real'), noisy('synthetic'), { rule: { minimumShare: 0.5 } });
    expect(audit.changes).toEqual([]);
    expect(kinds({ changes: audit.unconfirmed })).toEqual(['grown']);
    expect(audit.labels.every(label => label === 0)).toBe(true);
    runs = 0;
    expect((await auditTranslation(moody, noisy('real'), noisy('synthetic'), { rule: { minimumEvidence: 0 } })).changes.length).toBeGreaterThan(0);
  });

  test('has no lesion that is too small or too unsure to count', () => {
    const [real, none] = [volume([A, [10, 10, 14, 2]], 'real'), new Uint8Array(SHAPE[0] * SHAPE[1] * SHAPE[2])];
    const lesions = Uint8Array.from(real.pixels, v => Number(v > 100));
    const nothing = { lesions: none, sure: none };
    const listed = (change: Partial<ChangeRule>, sure = lesions) => lesionChanges({ lesions, sure }, nothing, real, { ...CHANGE_RULE, ...change }).changes.length;
    expect(listed({ minimumSize: 100 })).toBe(1);
    expect(listed({ minimumSize: 0 })).toBe(2);
    expect(listed({ minimumSize: 0 }, none)).toBe(0);
    // Sure of one voxel of the large one.
    const sure = none.slice();
    sure[lesions.indexOf(1)] = 1;
    expect(listed({ minimumSize: 0 }, sure)).toBe(1);
  });

  test('is judged by probabilities where the model gives them', async () => {
    const { run, ...rest } = finder();
    const unsure = { ...rest, run: async (images: readonly Image[]) => {
      const result = (await run(images)) as LabelmapResult;
      return { ...result, probabilities: { values: result.labels.map(label => 130 * label), operatingPoints: [0.5], labels: result.labels } };
    } };
    expect(kinds(await auditTranslation(unsure, volume([A], 'real'), volume([B], 'synthetic')))).toEqual([]);
    expect(kinds(await auditTranslation(unsure, volume([A], 'real'), volume([B], 'synthetic'), { rule: { minimumPeak: 0.65 } }))).toHaveLength(2);
  });
});
