import { tinyManifest } from './runtime/tiny.ts';

const withGraph = (change: object, more: object = {}) => () => tinyManifest('tiny-bright', m => ({ ...m, ...more, graph: { ...m.graph, ...change } }));

test('a model of layers may allow float16; without a word it is computed in float32', () => {
  expect(withGraph({ precision: 'float16-allowed' })().graph.precision).toBe('float16-allowed');
  expect(withGraph({ precision: 'float32' })().graph.precision).toBe('float32');
  expect(withGraph({})().graph.precision).toBeUndefined();
});

test.each<[string, object, object]>([
  ['another word', { precision: 'float16' }, {}],
  ['float16 of a graph model, which has no plan', { precision: 'float16-allowed', format: 'graph' }, {}],
  ['float16 of a network of volumes', { precision: 'float16-allowed' }, {
    input: { ...tinyManifest('tiny-bright').input, layout: 'NDHWC', shape: [8, 8, 8, 1], fit: 'conform', grid: { axes: 'LIA', spacingMm: 1 } },
  }],
])('refuses %s', (_, change, more) => {
  expect(withGraph(change, more)).toThrow(/graph\.precision/);
});
