import { throwIfAborted } from './errors.ts';
import type { Image } from './image/image.ts';
import { look, type InferOptions } from './infer.ts';
import type { LoadedModel, Runtime } from './runtime/types.ts';
import { taskOf } from './tasks/index.ts';
import { askedPictures } from './tasks/saliency/index.ts';

/**
 * Image → tensor → what the network's last layer reads: beside `infer`, and with its gate. Of a model of two views, what it reads of
 * each picture, one after the other.
 * @throws OverreadError as `infer`; `model/graph` for a graph or ONNX model, or one of volumes
 */
export async function featuresOf(runtime: Runtime, model: LoadedModel, images: readonly Image[], options: InferOptions = {}): Promise<Float32Array> {
  const { manifest } = model;
  taskOf(manifest).accept(images, manifest);
  await runtime.ready();
  throwIfAborted(options.signal);
  const features: number[] = [];
  for (const { input, gradients } of await askedPictures(model, await look(images, manifest, options))) {
    features.push(...(await gradients.features(input, options.signal ? { signal: options.signal } : {})));
  }
  return Float32Array.from(features);
}
