import type { ModelManifest } from '../../src/manifest.ts';
import { tinyManifest } from './runtime/tiny.ts';

const counting = { kind: 'density', unitSum: 100, minimumDistancePixels: 4, minimumPeak: 0.3 } as const;
const tiling = { overlap: 'receptive-field', padding: 'edge' } as const;

interface Change {
  readonly input?: object;
  readonly output?: object;
  readonly counting?: object;
  readonly more?: object;
}

const with_ = ({ input, output, counting: c, more }: Change) => (): ModelManifest =>
  tinyManifest('tiny-bright', m => ({
    ...m, task: 'count', ...more,
    input: { ...m.input, tiling, ...input },
    output: { activation: 'none', gives: 'density', targets: m.output.targets.slice(0, 1), counting: { ...counting, ...c }, ...output },
  }) as unknown as ModelManifest);

test('a count says what one cell sums to, and may say how sure it is', () => {
  expect(with_({})().output.counting).toEqual(counting);
  const interval = { level: 0.9, constant: 1, proportional: 0.1, spread: 2 };
  expect(with_({ counting: { kind: 'redundant', field: 32, interval } })().output.counting).toMatchObject({ field: 32, interval });
});

test.each<[string, Change, RegExp]>([
  ['probabilities', { output: { gives: 'probability' } }, /expected density for the task count/],
  ['densities of masks', { more: { task: 'segment' } }, /expected logits or probability for the task segment/],
  ['an activation', { output: { activation: 'sigmoid' } }, /output\.activation: expected none/],
  ['pictures that are scaled', { input: { tiling: undefined } }, /input\.tiling: expected it for the task count/],
  ['no word on counting', { output: { counting: undefined } }, /output\.counting: expected how outputs are counts/],
  ['a redundant map of an unknown field', { counting: { kind: 'redundant' } }, /counting\.field: expected the side/],
  ['a field of a density', { counting: { field: 32 } }, /counting\.field: expected none/],
  ['a spread of a density', { counting: { interval: { level: 0.9, constant: 1, proportional: 0, spread: 1 } } }, /expected no spread with kind density/],
  ['intervals of other classes', { counting: { interval: { level: 0.9, constant: 1, proportional: 0, classes: [{ constant: 1, proportional: 0 }, { constant: 1, proportional: 0 }] } } }, /expected 1, one a target, got 2/],
  ['rules of masks', { output: { keepLargestComponents: 1 } }, /keepLargestComponents: expected none/],
  ['colour of one channel', { input: { colour: 'required' } }, /input\.colour: expected none but with the channels red, green, blue/],
  ['a misspelt key', { counting: { minimumDistance: 4 } }, /minimumDistance/],
])('refuses %s', (_, change, message) => {
  expect(with_(change)).toThrow(message);
});
