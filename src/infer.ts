import { throwIfAborted } from './errors.ts';
import type { Image } from './image/image.ts';
import type { Result } from './results/result.ts';
import type { LoadedModel, OnProgress, Runtime } from './runtime/types.ts';
import { taskOf } from './tasks/index.ts';

export interface InferOptions {
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** What loading the model took, for the result's timing; 0 when it was in memory. */
  readonly loadMs?: number;
}

/**
 * Image → tensor → model → result on the source grid: the whole way of the data, in one direction.
 * @throws OverreadError `input/refused` when the model was not made for such an image; `device/*` when the device failed;
 *   `job/cancelled`. There is no other way out: a result is whole or absent.
 */
export async function infer(runtime: Runtime, model: LoadedModel, image: Image, options: InferOptions = {}): Promise<Result> {
  const { onProgress, signal, loadMs = 0 } = options;
  const { manifest, identity } = model;
  const task = taskOf(manifest);
  task.accept(image, manifest);
  await runtime.ready();
  throwIfAborted(signal);

  onProgress?.({ stage: 'encode' });
  const encoded = await timed(() => task.encode(image, manifest));
  try {
    throwIfAborted(signal);
    onProgress?.({ stage: 'infer' });
    const output = await timed(() => model.predict(encoded.value.tensor, signal));
    try {
      throwIfAborted(signal);
      onProgress?.({ stage: 'decode' });
      const finding = await timed(() => task.decode(output.value, encoded.value, image, manifest));
      throwIfAborted(signal);
      return {
        ...finding.value,
        model: identity,
        device: runtime.device,
        timingMs: { load: loadMs, encode: encoded.ms, predict: output.ms, decode: finding.ms },
        createdAt: new Date().toISOString(),
      };
    } finally {
      output.value.dispose();
    }
  } finally {
    encoded.value.tensor.dispose();
  }
}

async function timed<T>(run: () => T | Promise<T>): Promise<{ value: T; ms: number }> {
  const start = performance.now();
  const value = await run();
  return { value, ms: performance.now() - start };
}
