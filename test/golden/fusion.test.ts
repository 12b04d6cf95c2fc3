import type { Tensor4D } from '@tensorflow/tfjs-core';
import { dispose, io, memory, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { assignStateDict } from '../../src/architectures/assign.ts';
import { buildFusion, FUSION_KINDS } from '../../src/architectures/fusion.ts';
import type { View } from '../../src/image/view.ts';
import type { FusionKind } from '../../src/manifest.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';
import { fusionAnswer, fusionInputs } from '../../src/tasks/fusion.ts';
import { BACKENDS, decode, type Encoded, goldenBytes, goldenJson, RELATIVE_TOLERANCE, relativeDifference, useBackend } from './torch-golden.ts';

const CASES = { both: ['PA', 'L'], 'PA only': ['PA'], 'L only': ['L'] } as const;
type Case = keyof typeof CASES;
type Answer = { fused: number[][] } & Partial<Record<View, number[][]>>;
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

async function expectTwin(kind: FusionKind, net: LayersModel, which: Case, expected: Record<Case, Answer>): Promise<void> {
  const used = CASES[which];
  const given = Object.fromEntries(used.map(view => [view, decode(golden[view])])) as Partial<Record<View, Tensor4D>>;
  const inputs = fusionInputs(kind, given);
  const outputs = [net.predict(inputs) as Tensor | Tensor[]].flat();
  const answer = fusionAnswer(kind, used, await Promise.all(outputs.map(async t => (await t.data()) as Float32Array)));
  dispose([inputs, outputs, given]);
  await expectLogits(answer.fused, expected[which].fused);
  expect(Object.keys(answer.alone)).toEqual(used);
  // A view alone is the view with the other one missing; AuxLoss has heads for it.
  for (const view of used) await expectLogits(answer.alone[view]!, expected[`${view} only`].fused);
}

async function expectLogits(got: Float32Array, expected: number[][]): Promise<void> {
  const t = tensor(got, [expected.length, expected[0]!.length]);
  expect(await relativeDifference(t, expected)).toBeLessThan(RELATIVE_TOLERANCE);
  t.dispose();
}

describe.each(BACKENDS)('fusion networks on %s', backend => {
  beforeAll(() => useBackend(backend));

  describe.each(Object.keys(golden.networks))('%s', file => {
    test.each(Object.keys(CASES) as Case[])('gives its PyTorch twin\'s logits with %s', async which => {
      const { kind, net } = twin(file);
      const before = memory().numTensors;
      await expectTwin(kind, net, which, golden.networks[file]!);
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
  await expectTwin(kind, loaded, 'L only', golden.networks[file]!);
  loaded.dispose();
});
