import { commonTargets } from '../../../src/results/common-targets.ts';

const target = (label: string, codeValue: string, codingSchemeDesignator = 'SCT') => ({ label, concept: { codeValue, codingSchemeDesignator, codeMeaning: label } });
const side = (name: string, ...targets: ReturnType<typeof target>[]) => ({ name, targets });

test('targets are paired by their coded concept, whatever they are called', () => {
  expect(commonTargets(side('A', target('Lung', '39607008'), target('Heart', '80891009')), side('B', target('Pulmo', '39607008'), target('Liver', '10200004')))).toEqual({
    pairs: [{ a: 0, b: 0 }], onlyA: ['Heart'], onlyB: ['Liver'], by: 'concept',
  });
});

test('two of one concept are told apart by name, and never guessed', () => {
  const a = side('A', target('Left lung', '39607008'), target('Right lung', '39607008'));
  expect(commonTargets(a, side('B', target('right lung', '39607008'), target('LEFT LUNG', '39607008'))).pairs).toEqual([{ a: 0, b: 1 }, { a: 1, b: 0 }]);
  // One lung against two: which one is meant is not known.
  expect(() => commonTargets(a, side('B', target('Lung', '39607008')))).toThrow(expect.objectContaining({ code: 'input/inconsistent' }));
});

test('one name under two codes is not the same thing', () => {
  expect(() => commonTargets(side('A', target('Mass', '1', 'SCT')), side('B', target('Mass', '2', 'SCT')))).toThrow(/nothing|no coded concept in common/);
});

test('what has no code is paired by its name, and it is said', () => {
  expect(commonTargets(side('A', target('Lung', '39607008')), side('B', target('lung ', 'x', '99OVERREAD')))).toMatchObject({ pairs: [{ a: 0, b: 0 }], by: 'name' });
});

test('nothing in common is refused by the names of both', () => {
  expect(() => commonTargets(side('Lungs 1.0', target('Lung', '39607008')), side('Brains 2.0', target('Tumour', '108369006')))).toThrow(
    /Lung \(SCT 39607008\) of Lungs 1\.0 and Tumour \(SCT 108369006\) of Brains 2\.0\. They have no coded concept in common/,
  );
});

test('a drawing without names is set against all of the other', () => {
  const drawn = { ...side('Mine', target('Segment 1', 'segment-1', '99OVERREAD')), drawn: true };
  expect(commonTargets(side('A', target('Lung', '39607008')), drawn)).toEqual({ pairs: [], onlyA: [], onlyB: [], by: 'whole' });
  expect(() => commonTargets(side('A', target('Lung', '39607008')), { ...drawn, targets: [] })).toThrow('Expected two results');
});
