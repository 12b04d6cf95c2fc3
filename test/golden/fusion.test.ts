import type { Tensor4D } from '@tensorflow/tfjs-core';
import { io, memory } from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { assignStateDict } from '../../src/architectures/assign.ts';
import { buildFusion, FUSION_KINDS, readViews, type ChestView, type FusionKind, type ViewTensors } from '../../src/architectures/fusion.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';
import { BACKENDS, decode, type Encoded, goldenBytes, goldenJson, RELATIVE_TOLERANCE, relativeDifference, useBackend } from './torch-golden.ts';

const CASES = { both: ['PA', 'L'], 'PA only': ['PA'], 'L only': ['L'] } as const;
type Case = keyof typeof CASES;
type Answer = { fused: number[][] } & Partial<Record<ChestView, number[][]>>;
interface Golden {
  options: { classes: number; growth: number; block_config: number[]; features: number; bn_size: number };
  PA: Encoded;
  L: Encoded;
  networks: Record<string, Record<Case, Answer>>;
}
const golden = goldenJson<Golden>('fusion/golden.json');

function twin(file: string): { kind: FusionKind; net: LayersModel } {
  const { classes, growth, block_config: blockConfig, features: initFeatures, bn_size: bnSize } = golden.options;
  const [, rows, columns] = golden.PA.shape;
  const kind = FUSION_KINDS.find(k => file.startsWith(k))!;
  const net = buildFusion(kind, {
    inputShape: [rows, columns], classes, growth, blockConfig, initFeatures, bnSize, weights: 'zeros', mergeAfter: 2, variance: file === 'hemis',
  });
  assignStateDict(net, readCheckpoint(goldenBytes(`fusion/${file}.safetensors`), file));
  return { kind, net };
}

function views(which: Case): ViewTensors {
  return Object.fromEntries(CASES[which].map(view => [view, decode(golden[view])])) as Record<ChestView, Tensor4D>;
}

async function expectTwin(kind: FusionKind, net: LayersModel, which: Case, expected: Answer): Promise<void> {
  const given = views(which);
  const answer = readViews(kind, net, given);
  expect(await relativeDifference(answer.fused, expected.fused)).toBeLessThan(RELATIVE_TOLERANCE);
  expect(Object.keys(answer.perView)).toEqual(Object.keys(expected).filter(head => head !== 'fused'));
  for (const [view, logits] of Object.entries(answer.perView)) {
    expect(await relativeDifference(logits, expected[view as ChestView]!)).toBeLessThan(RELATIVE_TOLERANCE);
  }
  expect(answer.viewsUsed).toEqual(CASES[which]);
  expect(answer.viewsMissing).toEqual((['PA', 'L'] as const).filter(v => !(CASES[which] as readonly string[]).includes(v)));
  expect(answer.substitute === undefined).toBe(which === 'both');
  for (const t of [answer.fused, ...Object.values(answer.perView), ...Object.values(given)]) t.dispose();
}

describe.each(BACKENDS)('fusion networks on %s', backend => {
  beforeAll(() => useBackend(backend));

  describe.each(Object.keys(golden.networks))('%s', file => {
    test.each(Object.keys(CASES) as Case[])('gives its PyTorch twin\'s logits with %s', async which => {
      const { kind, net } = twin(file);
      const before = memory().numTensors;
      await expectTwin(kind, net, which, golden.networks[file]![which]);
      expect(memory().numTensors).toBe(before);
      net.dispose();
    });
  });
});

test.each(Object.keys(golden.networks))('%s is the same after saving and loading', async file => {
  await useBackend('cpu');
  const { kind, net } = twin(file);
  let saved!: io.ModelArtifacts;
  await net.save(io.withSaveHandler(async artifacts => {
    saved = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  }));
  net.dispose();
  const loaded = await loadLayersModel(io.fromMemory({ ...saved, modelTopology: JSON.parse(JSON.stringify(saved.modelTopology)) as object }));
  await expectTwin(kind, loaded, 'L only', golden.networks[file]!['L only']);
  loaded.dispose();
});
