import { dispose, tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-web';
import { OverreadError } from '../errors.ts';
import { inputNames, outputsRead, type ModelManifest } from '../manifest.ts';
import type { DeviceDescription } from '../results/result.ts';
import type { Port, Shaped } from './network.ts';
import { channelsFirst, channelsLast, shapeChannelsLast } from './onnx-layout.ts';
import { openOnnx, textOf, type OnnxPlace, type OnnxSession } from './onnx-session.ts';
import type { VerifiedModel } from './verified.ts';

/**
 * An ONNX model on onnxruntime-web. Its pictures are NCHW and float32: tensors are laid out anew on the way in and out.
 * @throws OverreadError `model/graph` when it cannot be read or takes other than float32; `device/unavailable` when
 *   onnxruntime does not start
 */
export async function onnxNetwork({ manifest, files }: VerifiedModel, place: OnnxPlace): Promise<Shaped> {
  const { id, graph: { url } } = manifest;
  const others = new Map([...files].filter(([path]) => path !== url));
  const opened = await openOnnx(files.get(url)!, others, `${url} of ${id}`, place);
  const { session, device } = opened;
  try {
    const given = portsOf(session.inputMetadata, id);
    const names = inputNames(manifest);
    const inputs = names?.length === given.length ? names.map(name => given.find(port => port.name === name) ?? { name: '', shape: undefined }) : given;
    const outputs = portsOf(session.outputMetadata.slice(-outputsRead(manifest)), id);
    return {
      inputs,
      outputs: session.outputMetadata.map(of => (of.isTensor ? shapeChannelsLast(of.shape) : undefined)),
      tensors: [...inputs, ...outputs].map(({ name, shape }) => ({ name, shape: (shape ?? []).map(size => size ?? 1) })),
      takesBatches: inputs[0]?.shape?.[0] === null,
      device,
      forward: tensors => run(opened, tensors, inputs, outputs, manifest),
      dispose: () => release(session),
    };
  } catch (error) {
    release(session);
    throw error;
  }
}

/** Inputs or outputs of an ONNX model, with their shapes channels last. */
export function portsOf(metadata: readonly InferenceSession.ValueMetadata[], id: string): Port[] {
  return metadata.map(value => {
    if (value.isTensor && value.type === 'float32') return { name: value.name, shape: shapeChannelsLast(value.shape) };
    const got = value.isTensor ? value.type : 'no tensor';
    throw new OverreadError('model/graph', `Expected the ONNX model of ${id} to take and give float32, got ${got} for ${value.name}. Export it in float32.`, { expected: 'float32', got });
  });
}

async function run({ ort, session, device }: OnnxSession, tensors: readonly Tensor[], inputs: readonly Port[], outputs: readonly Port[], { id }: ModelManifest): Promise<Tensor[]> {
  const read = await Promise.all(tensors.map(async of => channelsFirst(await of.data(), of.shape)));
  const feeds = Object.fromEntries(read.map(({ values, shape }, i) => [inputs[i]!.name, new ort.Tensor('float32', values, shape)]));
  let made: Record<string, OnnxTensor>;
  try {
    made = (await session.run(feeds, outputs.map(({ name }) => name))) as Record<string, OnnxTensor>;
  } catch (error) {
    throw runError(error, device, id);
  }
  const results: Tensor[] = [];
  try {
    for (const { name } of outputs) {
      const of = made[name]!;
      const { values, shape } = channelsLast((await of.getData()) as Float32Array, of.dims);
      results.push(tensor(values, [...shape]));
    }
    return results;
  } catch (error) {
    dispose(results);
    throw runError(error, device, id);
  } finally {
    for (const of of [...Object.values(feeds), ...Object.values(made)]) of.dispose();
  }
}

function runError(error: unknown, { backend }: DeviceDescription, id: string): OverreadError {
  const got = textOf(error);
  const gpu = backend === 'webgpu';
  return new OverreadError(
    gpu ? 'device/gpu-error' : 'model/graph',
    `Expected the ONNX model ${id} to run on ${backend}, got an error: ${got} ${gpu ? 'Choose the wasm backend' : 'Export the model again'}.`,
    { expected: `a model that runs on ${backend}`, got },
    error,
  );
}

/** What onnxruntime frees it frees later; a session of a lost device cannot be freed and need not be. */
function release(session: InferenceSession): void {
  void session.release().catch(() => {});
}
