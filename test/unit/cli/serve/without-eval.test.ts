import fc from 'fast-check';
import fs from 'node:fs';
import { runInNewContext } from 'node:vm';
import { withoutEval } from '../../../../src/cli/serve/without-eval.ts';

interface View {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
  readonly order: readonly number[];
  readonly size: number;
  readonly dimension: number;
  readonly dtype: string;
  get(...at: number[]): number;
  set(...at: number[]): number;
  index(...at: number[]): number;
  hi(...at: (number | null)[]): View;
  lo(...at: (number | null)[]): View;
  step(...at: (number | null)[]): View;
  transpose(...at: number[]): View;
  pick(...at: (number | null)[]): View;
}
type Ndarray = (data: ArrayLike<number>, shape: readonly number[], stride?: readonly number[], offset?: number) => View;

const source = fs.readFileSync(require.resolve('ndarray'), 'utf8');

function load(script: string, compile: boolean): Ndarray {
  const module = { exports: {} };
  runInNewContext(script, { module, require: (name: string) => (jest.requireActual(name) as object), Float64Array, Uint8Array, Math }, { contextCodeGeneration: { strings: compile, wasm: false } });
  return module.exports as Ndarray;
}

const theirs = load(source, true);
const ours = load(withoutEval(source), false);
const seen = ({ shape, stride, offset, order, size, dimension, dtype }: View) => ({ shape: [...shape], stride: [...stride], offset, order: [...order], size, dimension, dtype });

test('the library needs its compiler, and ours does not', () => {
  expect(() => load(source, false)(new Uint8Array(4), [2, 2])).toThrow(/Code generation from strings/);
  expect(ours(Uint8Array.of(1, 2, 3, 4), [2, 2]).get(1, 0)).toBe(3);
  expect(withoutEval('const a = 1;')).toBe('const a = 1;');
});

test('views are those of the library', () => {
  const axis = fc.option(fc.integer({ min: 0, max: 2 }), { nil: null });
  fc.assert(fc.property(fc.array(fc.integer({ min: 3, max: 5 }), { minLength: 1, maxLength: 4 }), fc.array(axis, { minLength: 4, maxLength: 4 }), fc.constantFrom('hi', 'lo', 'step', 'pick', 'transpose'), fc.constantFrom(-2, -1, 1, 2), (shape, places, name, by) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const [a, b] = [theirs, ours].map(make => make(Uint8Array.from({ length }, (_, i) => i), shape)) as [View, View];
    expect(seen(b)).toEqual(seen(a));
    const given = name === 'step' ? shape.map((_, i) => (places[i] === null ? null : by)) : name === 'transpose' ? shape.map((_, i) => shape.length - 1 - i) : places.slice(0, shape.length);
    const [c, d] = [a, b].map(view => (view[name] as (...at: (number | null)[]) => View).apply(view, given)) as [View, View];
    expect(seen(d)).toEqual(seen(c));
    const at = c.shape.map(n => n - 1);
    if (c.size === 0) return;
    expect([d.index(...at), d.get(...at)]).toEqual([c.index(...at), c.get(...at)]);
    c.set(...at, 7);
    d.set(...at, 7);
    expect(Array.from(d.data)).toEqual(Array.from(c.data));
  }), { numRuns: 300 });
});
