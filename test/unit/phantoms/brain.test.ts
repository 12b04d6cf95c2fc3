import { BRAIN_SEQUENCES, brainPhantom, PLAQUE, type BrainSequence } from '../../../src/phantoms/brain.ts';

const head = brainPhantom({ seed: 2, columns: 48, slices: 20 });

function meanOf(sequence: BrainSequence, part: number): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < head.lesion.length; i++) {
    if (head.lesion[i] !== part) continue;
    sum += head.volumes[sequence][i]!;
    count++;
  }
  return sum / count;
}

describe('brainPhantom', () => {
  test('the same seed gives the same head', () => {
    const again = brainPhantom({ seed: 2, columns: 48, slices: 20 });
    for (const name of BRAIN_SEQUENCES) expect(Buffer.from(again.volumes[name].buffer).equals(Buffer.from(head.volumes[name].buffer))).toBe(true);
    expect(Buffer.from(brainPhantom({ seed: 3, columns: 48, slices: 20 }).lesion).equals(Buffer.from(head.lesion))).toBe(false);
  });

  test('the lesion has a core, oedema and a rim, in one half of the head', () => {
    const [columns, rows] = head.shape;
    const counts = [0, 0, 0, 0];
    const sides = [0, 0];
    for (let i = 0; i < head.lesion.length; i++) {
      counts[head.lesion[i]!]!++;
      if (head.lesion[i]) sides[(i % (columns * rows)) % columns < columns / 2 ? 0 : 1]!++;
    }
    for (const count of counts) expect(count).toBeGreaterThan(20);
    expect(Math.max(...sides) / (sides[0]! + sides[1]!)).toBeGreaterThan(0.95);
  });

  test('each sequence shows it as that sequence does', () => {
    const [core, oedema, rim] = [1, 2, 3] as const;
    // Only contrast medium lights the rim up.
    expect(meanOf('T1c', rim)).toBeGreaterThan(meanOf('T1', rim) * 1.7);
    expect(meanOf('T1c', oedema) / meanOf('T1', oedema)).toBeCloseTo(1, 1);
    // Fluid is bright on T2; FLAIR darkens the free fluid of the core and keeps the oedema.
    expect(meanOf('T2', core)).toBeGreaterThan(700);
    expect(meanOf('FLAIR', core)).toBeLessThan(meanOf('FLAIR', oedema) * 0.75);
    expect(meanOf('T1', core)).toBeLessThan(meanOf('T1', oedema));
    expect(meanOf('FLAIR', oedema)).toBeGreaterThan(600);
  });

  test('the field of view stays while the grid changes', () => {
    const fine = brainPhantom({ seed: 2, columns: 56, slices: 10 });
    expect(fine.shape[0] * fine.spacingMm[0]).toBeCloseTo(head.shape[0] * head.spacingMm[0]);
    expect(fine.shape[2] * fine.spacingMm[2]).toBeCloseTo(head.shape[2] * head.spacingMm[2]);
    expect(fine.origin[2] - fine.spacingMm[2] / 2).toBeCloseTo(head.origin[2] - head.spacingMm[2] / 2);
  });

  test('plaques lie in the brain, are many, and are bright on FLAIR', () => {
    const scarred = brainPhantom({ seed: 2, columns: 64, slices: 24, lesions: 'plaques' });
    const at = [...scarred.lesion.keys()].filter(i => scarred.lesion[i]);
    expect(at.length).toBeGreaterThan(30);
    expect(at.every(i => scarred.lesion[i] === PLAQUE && scarred.brain[i] === 1)).toBe(true);
    const mean = (indices: readonly number[]) => indices.reduce((sum, i) => sum + scarred.volumes.FLAIR[i]!, 0) / indices.length;
    const brain = [...scarred.brain.keys()].filter(i => scarred.brain[i] && !scarred.lesion[i]);
    expect(mean(at)).toBeGreaterThan(mean(brain) * 1.5);
    // What is kept of the head is brain: no bright fat of the scalp.
    expect(brain.length / scarred.brain.length).toBeLessThan(0.5);
  });
});
