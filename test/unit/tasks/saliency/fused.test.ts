/** Saliency of the fused score, by each view's picture, beside finite differences of the score that a run gives. */
import { fill, memory, setBackend, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { buildFusion } from '../../../../src/architectures/fusion.ts';
import { explain } from '../../../../src/explain.ts';
import { infer } from '../../../../src/infer.ts';
import type { Image } from '../../../../src/image/image.ts';
import type { View } from '../../../../src/image/view.ts';
import type { FusionKind } from '../../../../src/manifest.ts';
import type { ScoresResult } from '../../../../src/results/result.ts';
import { evaluate } from '../../../../src/runtime/layer-graph.ts';
import { createRuntime, type TfjsRuntime } from '../../../../src/runtime/runtime.ts';
import type { LoadedModel, ModelFiles } from '../../../../src/runtime/types.ts';
import { VIEWS } from '../../../../src/tasks/fusion.ts';
import { fusedScoreBy } from '../../../../src/tasks/saliency/fused-score.ts';
import { SALIENCY_METHODS, type SaliencyRequest } from '../../../../src/tasks/saliency/index.ts';
import { gaussians } from '../../../../src/tasks/saliency/random.ts';
import { picture } from '../../runtime/tiny.ts';
import { classifierFiles } from './networks.ts';

const SIDE = 16;
const LABELS = ['First', 'Second'];
const OPTIONS = { inputShape: [SIDE, SIDE], classes: 2, growth: 2, blockConfig: [1, 1], initFeatures: 4, bnSize: 2, mergeAfter: 1, weights: { seed: 5 } } as const;

/** The layer of Grad-CAM: each view's own where there is one, else the one in which both are. And the head that answers. */
const EXPECTED: Record<FusionKind, { map: Record<View, string>; top: string; alone: Record<View, string> }> = {
  stacked: { map: { PA: 'features.relu5', L: 'features.relu5' }, top: 'classifier', alone: { PA: 'classifier', L: 'classifier' } },
  hemis: { map: { PA: 'branches.pa.features.transition1.conv', L: 'branches.l.features.transition1.conv' }, top: 'classifier', alone: { PA: 'classifier', L: 'classifier' } },
  dualnet: { map: { PA: 'frontal_model.features.relu5', L: 'lateral_model.features.relu5' }, top: 'classifier', alone: { PA: 'classifier', L: 'classifier' } },
  auxloss: {
    map: { PA: 'frontal_model.features.relu5', L: 'lateral_model.features.relu5' },
    top: 'classifier', alone: { PA: 'frontal_model.classifier', L: 'lateral_model.classifier' },
  },
};
const KINDS = Object.keys(EXPECTED) as FusionKind[];
const CASES: readonly (readonly View[])[] = [['PA', 'L'], ['PA'], ['L']];

/** Within 0 to 1, beyond which the encoding clips. */
const noise = (seed: number) => {
  const next = gaussians(seed);
  return Float32Array.from({ length: SIDE * SIDE }, () => Math.min(0.9, Math.max(0.1, 0.5 + 0.2 * next())));
};
const PLANES: Record<View, Float32Array> = { PA: noise(1), L: noise(2) };
const film = (view: View, values = PLANES[view]): Image =>
  picture(SIDE, SIDE, (x, y) => values[y * SIDE + x]!, {
    modality: 'DX', attributes: { patientID: 'A', viewPosition: view === 'PA' ? 'PA' : 'LL' },
    sources: [{ studyInstanceUID: '1.1', seriesInstanceUID: '1.2', sopInstanceUID: `1.3.${VIEWS.indexOf(view)}`, frame: 1 }],
  });
const planesOf = (used: readonly View[]) => Object.fromEntries(used.map(view => [view, PLANES[view]]));

/** Its normalisations shifted upwards, so that hardly a ReLU is at its edge, where a finite difference means nothing. */
function smoothed(kind: FusionKind): LayersModel {
  const network = buildFusion(kind, OPTIONS);
  for (const layer of network.layers) {
    if (layer.getClassName() !== 'BatchNormalization') continue;
    tidy(() => {
      const [gamma, , ...moving] = layer.getWeights();
      layer.setWeights([gamma!, fill(gamma!.shape, 2), ...moving]);
    });
  }
  return network;
}

describe.each(KINDS)('saliency of the fused score: %s', kind => {
  let runtime: TfjsRuntime;
  let files: ModelFiles;
  let net: LoadedModel;
  beforeAll(async () => {
    await setBackend('cpu');
    files = await classifierFiles(smoothed(kind), LABELS, { input: { fusion: kind } });
    runtime = await createRuntime({ backend: 'cpu' });
    net = await runtime.load(files);
  });
  afterAll(() => {
    runtime.dispose();
    expect(memory().numTensors).toBe(0);
  });

  /** What a run says of the second target. */
  const logit = async (images: Image[]) => ((await infer(runtime, net, images)) as ScoresResult).scores[1]!.logit;

  describe.each(CASES.map(used => [used.join(' and '), used] as const))('%s', (_, used) => {
    test.each(used)('the derivative by %s is that of the score that a run gives', async view => {
      const gradients = net.gradients.of(fusedScoreBy(view, kind, planesOf(used)));
      const { score, gradient } = await gradients.inputGradient(PLANES[view], 1);
      expect(score).toBeCloseTo(await logit(used.map(v => film(v))), 4);
      expect((await gradients.scores(Float32Array.from([...PLANES[view], ...PLANES[view]]), 1))[1]).toBeCloseTo(score, 5);
      const scale = Math.hypot(...gradient);
      expect(scale).toBeGreaterThan(1e-3);
      // Along the derivative itself, where a float's rounding is least against what is measured: a wrong one rises less.
      const step = (3e-4 * SIDE) / scale;
      const moved = (by: number) => logit(used.map(v => film(v, v === view ? PLANES[v].map((p, i) => p + by * gradient[i]!) : PLANES[v])));
      const slope = ((await moved(step)) - (await moved(-step))) / (2 * step);
      expect(Math.abs(slope / scale ** 2 - 1)).toBeLessThan(0.03);
    });

    test.each(used)('Grad-CAM of %s: its own last feature map, where there is one; the derivative by it', async view => {
      const asked = fusedScoreBy(view, kind, planesOf(used));
      const { layer, shape, activations, gradient, score } = await net.gradients.of(asked).layerGradient(PLANES[view], 1);
      expect(layer).toBe(EXPECTED[kind].map[view]);
      const next = gaussians(7);
      // Upwards only, so that no value is taken over the edge of a ReLU that it sits on.
      const direction = activations.map(() => Math.abs(next()));
      const step = 1e-2;
      const network = smoothed(kind);
      const above = scoreFrom(network, asked, view, layer, shape, activations.map((a, i) => a + step * direction[i]!));
      const here = scoreFrom(network, asked, view, layer, shape, activations);
      network.dispose();
      expect(here).toBeCloseTo(score, 4);
      const slope = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0);
      expect(Math.abs((above - here) / step - slope) / Math.hypot(...gradient)).toBeLessThan(0.02);
    });
  });

  test('the layer that the check randomises is of the head that answered', async () => {
    for (const used of CASES) {
      for (const view of used) {
        const { layer } = await net.gradients.of(fusedScoreBy(view, kind, planesOf(used))).topLayer();
        expect(layer).toBe(used.length === 2 ? EXPECTED[kind].top : EXPECTED[kind].alone[view]);
      }
    }
  });

  test.each(SALIENCY_METHODS)('%s: a map for each picture, whatever their order', async method => {
    const short: Record<string, object> = { 'smooth-grad': { samples: 2 }, 'integrated-gradients': { steps: 2, maxSteps: 2 }, occlusion: { size: 8, stride: 8 } };
    const request = { method, target: 'Second', ...short[method] } as SaliencyRequest;
    const fractions: number[] = [];
    const maps = await explain(runtime, net, [film('L'), film('PA')], request, { onProgress: ({ fraction }) => fraction !== undefined && fractions.push(fraction) });
    // One range, so that a colour means the same on both.
    expect(maps[0]!.range).toEqual(maps[1]!.range);
    const largest = Math.max(...maps.map(({ values }) => values.reduce((max, v) => Math.max(max, Math.abs(v)), 0)));
    expect(maps[0]!.range[1]).toBeGreaterThanOrEqual(largest * (1 - 1e-6));
    expect(maps.map(({ view }) => view)).toEqual(['PA', 'L']);
    expect(fractions.at(-1)).toBe(1);
    const score = await logit([film('PA'), film('L')]);
    for (const { values, view, source, saliency } of maps) {
      expect(source.sources[0]).toMatchObject({ sopInstanceUID: `1.3.${VIEWS.indexOf(view!)}` });
      expect(values).toHaveLength(SIDE * SIDE);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(saliency.score).toBeCloseTo(score, 4);
      expect(saliency.randomisation).toMatchObject({ layer: 'classifier' });
      if (method === 'grad-cam') expect(saliency.parameters).toEqual({ layer: EXPECTED[kind].map[view!] });
    }
    // A class activation map may be 0 everywhere.
    if (method !== 'grad-cam') expect(maps[0]!.values).not.toEqual(maps[1]!.values);
    const [alone, ...others] = await explain(runtime, net, [film('L')], request);
    expect(others).toEqual([]);
    expect(alone!.view).toBe('L');
    expect(alone!.saliency.score).toBeCloseTo(await logit([film('L')]), 4);
  });

  test('a layer of the other view\'s branch is not one of this picture', async () => {
    const own = EXPECTED[kind].map;
    if (own.PA === own.L) return;
    const asked = explain(runtime, net, [film('PA'), film('L')], { method: 'grad-cam', target: 'First', layer: own.L });
    await expect(asked).rejects.toMatchObject({ code: 'config/invalid', message: expect.stringContaining(own.PA) });
  });

  test('leaves the memory as it was', async () => {
    const before = runtime.memory();
    await explain(runtime, net, [film('PA'), film('L')], { method: 'grad-cam', target: 'First' });
    await explain(runtime, net, [film('L')], { method: 'input-gradient', target: 'First' });
    expect(runtime.memory()).toEqual(before);
  });
});

/** The answer of the second target with a feature map put in place of what the network makes there. */
function scoreFrom(
  network: LayersModel, { others, output }: ReturnType<typeof fusedScoreBy>, view: View, layer: string, shape: readonly number[], activations: Float32Array,
): number {
  return tidy(() => {
    const given = new Map<number, Tensor>();
    network.inputs.forEach((of, i) => {
      const name = network.inputNames[i]!;
      const values = name === view ? PLANES[view] : others[name]!;
      given.set(of.id, tensor(values, name === 'present' ? [1, 2] : [1, SIDE, SIDE, 1]));
    });
    given.set(network.getLayer(layer).output instanceof Array ? -1 : (network.getLayer(layer).output as { id: number }).id, tensor(activations, [1, ...shape]));
    return evaluate(network.outputs[output]!, given).dataSync()[1]!;
  });
}
