import { throwIfAborted } from './errors.ts';
import type { Image } from './image/image.ts';
import { look, type InferOptions } from './infer.ts';
import type { LoadedModel, Runtime } from './runtime/types.ts';
import { worstVerdict } from './tasks/gate.ts';
import { taskOf } from './tasks/index.ts';
import { askedPictures, checkRequest, saliencyOf, type SaliencyRequest, type SaliencyResult } from './tasks/saliency/index.ts';

export type ExplainOptions = InferOptions;

/**
 * Image → tensor → what the score depends on → heat map on the source grid: beside `infer`, and with its gate. Of a
 * model of two views it is the fused score that is explained, by each view's picture, the other one staying as it is.
 * @param images one, or the views of one study for a model that reads several
 * @returns a map for each picture that was read, PA before L
 * @throws OverreadError as `infer`; `config/invalid` for a target, a method or a parameter that there is not;
 *   `model/graph` for a model that gives no scores, or for a derivative of a graph model; `device/unavailable` for a
 *   derivative on wasm
 */
export async function explain(
  runtime: Runtime, model: LoadedModel, images: readonly Image[], request: SaliencyRequest, options: ExplainOptions = {},
): Promise<readonly SaliencyResult[]> {
  const { onProgress, signal, loadMs = 0, gate } = options;
  const { manifest, identity } = model;
  checkRequest(request, manifest);
  taskOf(manifest).accept(images, manifest);
  await runtime.ready();
  throwIfAborted(signal);

  const begun = performance.now();
  const pictures = await look(images, manifest, options);
  const outOfDistribution = worstVerdict(pictures.flatMap(({ verdict }) => verdict ?? []));
  const looked = performance.now();
  onProgress?.({ stage: 'encode' });
  const asked = await askedPictures(model, pictures);
  const encoded = performance.now();

  const results: SaliencyResult[] = [];
  onProgress?.({ stage: 'infer' });
  for (const [i, picture] of asked.entries()) {
    throwIfAborted(signal);
    const onStep = (fraction: number) => onProgress?.({ stage: 'infer', fraction: (i + fraction) / asked.length });
    const { finding, predictMs, decodeMs } = await saliencyOf(picture, manifest, request, { signal, onStep });
    results.push({
      ...finding,
      ...(outOfDistribution && { outOfDistribution }),
      model: identity,
      device: model.device ?? runtime.device,
      // What was done once for all pictures stands with each.
      timingMs: { load: loadMs, ...(gate && { gate: looked - begun }), encode: encoded - looked, predict: predictMs, decode: decodeMs },
      createdAt: new Date().toISOString(),
    });
  }
  // One range for all, so that a colour means the same on each view's picture.
  const range = [Math.min(...results.map(map => map.range[0])), Math.max(...results.map(map => map.range[1]))] as const;
  return results.map(map => ({ ...map, range }));
}
