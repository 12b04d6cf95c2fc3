import { dispose } from '@tensorflow/tfjs-core';
import { OverreadError, throwIfAborted } from './errors.ts';
import type { Image } from './image/image.ts';
import type { View } from './image/view.ts';
import type { Placed } from './image/resample.ts';
import type { ModelManifest } from './manifest.ts';
import type { OutOfDistribution, Result } from './results/result.ts';
import type { LoadedModel, OnProgress, Runtime } from './runtime/types.ts';
import { judge, worstVerdict } from './tasks/gate.ts';
import { judgeSynthesis } from './tasks/synthesised.ts';
import { readsWhole, taskOf } from './tasks/index.ts';
import type { Finding } from './tasks/task.ts';
import type { Picture } from './tasks/picture.ts';
import { readsVolumes, segmentVolume } from './tasks/segment-volume.ts';
import { readsModalities } from './tasks/modalities.ts';
import { segmentModalities } from './tasks/modalities-segment.ts';
import { countWhole } from './tasks/count-whole.ts';
import { isTiled } from './tasks/tiled.ts';
import { segmentWhole } from './tasks/tiled-segment.ts';
import { viewOfImage } from './tasks/views.ts';

export interface InferOptions {
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** What loading the model took, for the result's timing; 0 when it was in memory. */
  readonly loadMs?: number;
  /** The model that judges every picture first: the one that the manifest's `input.gate` names. */
  readonly gate?: LoadedModel;
  /** Read what the gate refuses, or what was synthesised, all the same; the result says so. */
  readonly force?: boolean;
  /** Of MR series: register them with the first, whatever frame of reference they state. */
  readonly register?: boolean;
}

/**
 * Image → tensor → model → result on the source grid: the whole way of the data, in one direction.
 * @param images one, or the views of one study for a model that reads several
 * @throws OverreadError `input/refused`, `input/views` when the model was not made for such images;
 *   `input/out-of-distribution` when its gate refuses one, or one was synthesised; `device/*` when the device failed; `job/cancelled`. There is no
 *   other way out: a result is whole or absent.
 */
export async function infer(runtime: Runtime, model: LoadedModel, images: readonly Image[], options: InferOptions = {}): Promise<Result> {
  const { onProgress, signal, loadMs = 0 } = options;
  const { manifest, identity } = model;
  const task = taskOf(manifest);
  task.accept(images, manifest);
  await runtime.ready();
  throwIfAborted(signal);

  const looked = await timed(() => look(images, manifest, options));
  const pictures = looked.value;
  const outOfDistribution = worstVerdict(pictures.flatMap(({ verdict }) => verdict ?? []));

  const provenance = (device: Result['device'], ms: Pick<Result['timingMs'], 'encode' | 'predict' | 'decode'>) => ({
    ...(outOfDistribution && { outOfDistribution }),
    model: identity,
    device,
    timingMs: { load: loadMs, ...(options.gate && { gate: looked.ms }), ...ms },
    createdAt: new Date().toISOString(),
  });
  if (isTiled(manifest)) {
    const field = await model.receptiveField(signal);
    // Tiles are read, run and stitched in turn: all of it is the prediction.
    const finding = await timed<Finding>(() => (task.kind === 'points' ? countWhole : segmentWhole)(model, images[0]!, { field, signal, onProgress }));
    return { ...finding.value, ...provenance(model.device ?? runtime.device, { encode: 0, predict: finding.ms, decode: 0 }) };
  }
  if (readsVolumes(manifest)) {
    const finding = await timed(() => segmentVolume(model, images[0] as Image & Placed, { signal, onProgress }));
    return { ...finding.value, ...provenance(model.device ?? runtime.device, { encode: 0, predict: finding.ms, decode: 0 }) };
  }

  if (readsModalities(manifest)) {
    const finding = await timed(() => segmentModalities(model, images, options));
    return { ...finding.value, ...provenance(model.device ?? runtime.device, { encode: 0, predict: finding.ms, decode: 0 }) };
  }

  if (!readsWhole(task)) throw new OverreadError('internal', `Expected a task that reads a picture in one piece, got ${task.id}. Please report this.`, { got: task.id });
  onProgress?.({ stage: 'encode' });
  const encoded = await timed(() => task.encode(pictures, manifest));
  try {
    throwIfAborted(signal);
    onProgress?.({ stage: 'infer' });
    const outputs = await timed(() => model.predict(encoded.value.inputs, signal));
    try {
      throwIfAborted(signal);
      onProgress?.({ stage: 'decode' });
      const finding = await timed(() => task.decode(outputs.value, encoded.value, pictures, manifest));
      throwIfAborted(signal);
      return {
        ...finding.value,
        ...provenance(model.device ?? runtime.device, { encode: encoded.ms, predict: outputs.ms, decode: finding.ms }),
      };
    } finally {
      dispose([...outputs.value]);
    }
  } finally {
    dispose([...encoded.value.inputs]);
  }
}

/**
 * What is known of each image before the model reads it: its view, and whether the gate lets it through.
 * @throws OverreadError `input/out-of-distribution`, unless forced
 */
export async function look(images: readonly Image[], manifest: ModelManifest, { gate, force, signal, onProgress }: InferOptions): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const image of images) {
    if (gate) onProgress?.({ stage: 'gate' });
    const judged = gate && (await judge(gate, image, manifest, signal));
    const known = viewOfImage(image, manifest, judged?.view);
    const ofGate = judged && (images.length > 1 ? ofView(judged.verdict, known.view) : judged.verdict);
    // It is a picture of another kind, however well it is drawn.
    const verdict = judgeSynthesis(image, manifest) ?? ofGate;
    if (verdict?.refused && !force) {
      throw new OverreadError('input/out-of-distribution', `${manifest.name} was not made for this picture: ${verdict.reason}. Choose another picture, or run it anyway (on the command line with --force): the result is then marked.`, {
        expected: verdict.threshold, got: verdict.score, reason: verdict.reason, outOfDistribution: verdict,
      });
    }
    pictures.push({ image, ...known, ...(verdict && { verdict }) });
  }
  return pictures;
}

/** Of several pictures: which one the reason speaks of. */
function ofView(verdict: OutOfDistribution, view: View | undefined): OutOfDistribution {
  if (verdict.reason === undefined) return verdict;
  const name = view ? { PA: 'the frontal view', L: 'the lateral view' }[view] : 'the picture without a view';
  return { ...verdict, reason: `${name}: ${verdict.reason}` };
}

async function timed<T>(run: () => T | Promise<T>): Promise<{ value: T; ms: number }> {
  const start = performance.now();
  const value = await run();
  return { value, ms: performance.now() - start };
}
