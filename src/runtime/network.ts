import { dispose, io, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import type { ModelManifest } from '../manifest.ts';
import type { VerifiedModel } from './verified.ts';

/** A tfjs model whose input and output agree with its manifest. Its weights belong to the backend it was made on. */
export interface Network {
  /** [1, ...input.shape] → the last output tensor. */
  forward(input: Tensor): Tensor;
  /** Every tensor that a run makes, as far as the topology tells: name and shape, the batch being 1. */
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** False for a network that was saved for one input at a time. */
  readonly takesBatches: boolean;
  /** The model itself, where it is one of layers. */
  readonly layersModel?: LayersModel;
  dispose(): void;
}

/**
 * Makes the network from its verified files.
 * @throws OverreadError `model/graph` when tfjs cannot read it, or its shapes are not the manifest's;
 *   `model/manifest` when it names a weight file that has no SHA-256
 */
export async function buildNetwork(model: VerifiedModel): Promise<Network> {
  const { manifest } = model;
  const artifacts = await artifactsOf(model);
  let network: Network & { readonly input: Shape; readonly output: Shape };
  try {
    network = manifest.graph.format === 'layers' ? await layersNetwork(artifacts) : await graphNetwork(artifacts);
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new OverreadError(
      'model/graph',
      `Expected a tfjs ${manifest.graph.format} model in ${manifest.graph.url} of ${manifest.id}, got one that does not load: ${got}. Convert the model again.`,
      { expected: `tfjs ${manifest.graph.format} model`, got },
      error,
    );
  }
  try {
    checkShapes(network.input, network.output, manifest);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return network;
}

type Shape = readonly (number | null)[] | undefined;

async function artifactsOf({ manifest, files }: VerifiedModel): Promise<io.ModelArtifacts> {
  const { url } = manifest.graph;
  let json: io.ModelJSON;
  try {
    json = JSON.parse(new TextDecoder().decode(files.get(url))) as io.ModelJSON;
  } catch (error) {
    throw new OverreadError('model/graph', `Expected JSON in ${url} of ${manifest.id}, got something else. Convert the model again.`, { expected: 'JSON' }, error);
  }
  // tfjs would load the weights first, fail on the topology, and leave the weights behind.
  const found = topologyFormat(json.modelTopology);
  if (found !== manifest.graph.format) {
    throw new OverreadError(
      'model/graph',
      `Expected a tfjs ${manifest.graph.format} model in ${url} of ${manifest.id}, got ${found ? `a ${found} model` : 'neither a graph nor a layers model'}. Mend graph.format or convert the model again.`,
      { expected: manifest.graph.format, got: found },
    );
  }
  const folder = url.includes('/') ? url.slice(0, url.lastIndexOf('/') + 1) : '';
  return io.getModelArtifactsForJSON(json, async groups => {
    const buffers = groups.flatMap(group => group.paths).map(path => fileNamed(folder + path));
    return [groups.flatMap(group => group.weights), joined(buffers)];
  });

  function fileNamed(path: string): Uint8Array {
    const bytes = files.get(path);
    if (bytes) return bytes;
    throw new OverreadError(
      'model/manifest',
      `The graph of ${manifest.id} reads ${path}, but graph.sha256 of its manifest has no such entry. Add the file with its SHA-256.`,
      { expected: path, got: [...files.keys()] },
    );
  }
}

function topologyFormat(topology: unknown): 'graph' | 'layers' | undefined {
  if (!topology || typeof topology !== 'object') return undefined;
  if ('node' in topology) return 'graph';
  return 'model_config' in topology || 'class_name' in topology ? 'layers' : undefined;
}

function joined(parts: readonly Uint8Array[]): ArrayBuffer {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole.buffer;
}

async function layersNetwork(artifacts: io.ModelArtifacts): Promise<Network & { input: Shape; output: Shape }> {
  const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
  const model = await loadLayersModel(io.fromMemory(artifacts));
  const last = model.outputs.at(-1);
  return {
    input: model.inputs.length === 1 ? model.inputs[0]?.shape : undefined,
    output: last?.shape,
    tensors: layerTensors(model),
    takesBatches: model.inputs[0]?.shape[0] == null,
    layersModel: model,
    forward: input => lastOf(model.predict(input)),
    dispose: () => void model.dispose(),
  };
}

async function graphNetwork(artifacts: io.ModelArtifacts): Promise<Network & { input: Shape; output: Shape }> {
  const { loadGraphModel } = await import('@tensorflow/tfjs-converter');
  const model = await loadGraphModel(io.fromMemory(artifacts));
  return {
    input: model.inputs.length === 1 ? known(model.inputs[0]?.shape) : undefined,
    output: known(model.outputs.at(-1)?.shape),
    tensors: Object.entries(model.weights).flatMap(([name, tensors]) => tensors.map(({ shape }) => ({ name, shape }))),
    takesBatches: known(model.inputs[0]?.shape)?.[0] === null,
    forward: input => lastOf(model.predict(input)),
    dispose: () => model.dispose(),
  };
}

/** The converter writes -1 for what it does not know. */
function known(shape: readonly number[] | undefined): Shape {
  return shape?.map(size => (size < 0 ? null : size));
}

function lastOf(outputs: Tensor | Tensor[] | Record<string, Tensor>): Tensor {
  if (!Array.isArray(outputs)) {
    if (typeof (outputs as Tensor).dataSync === 'function') return outputs as Tensor;
    outputs = Object.values(outputs as Record<string, Tensor>);
  }
  const last = outputs.pop();
  if (!last) throw new OverreadError('model/graph', 'Expected an output tensor, got none. Convert the model again.');
  dispose(outputs);
  return last;
}

function layerTensors(model: LayersModel): Network['tensors'] {
  const tensors: { name: string; shape: readonly number[] }[] = [];
  for (const layer of model.layers) {
    for (const weight of layer.weights) tensors.push({ name: weight.name, shape: weight.shape.map(size => size ?? 1) });
    const shapes = (Array.isArray(layer.outputShape[0]) ? layer.outputShape : [layer.outputShape]) as (number | null)[][];
    for (const shape of shapes) tensors.push({ name: layer.name, shape: shape.map(size => size ?? 1) });
  }
  return tensors;
}

function checkShapes(input: Shape, output: Shape, manifest: ModelManifest): void {
  const wanted = [1, ...manifest.input.shape];
  if (!input || input.length !== wanted.length || !input.every((size, i) => size === null || size === wanted[i])) {
    throw new OverreadError(
      'model/graph',
      `Expected the graph of ${manifest.id} to have one input of shape [${wanted}] as its manifest says, got ${describe(input)}. Mend input.shape or convert the model again.`,
      { expected: wanted, got: input },
    );
  }
  const targets = manifest.output.targets.length;
  // Softmax may carry a background class before the targets.
  const channels = manifest.output.activation === 'softmax' ? [targets, targets + 1] : [targets];
  const got = output?.at(-1);
  if (got != null && !channels.includes(got)) {
    throw new OverreadError(
      'model/graph',
      `Expected the graph of ${manifest.id} to give ${channels.join(' or ')} channels for its ${targets} target(s), got ${describe(output)}. Mend output.targets or convert the model again.`,
      { expected: channels, got: output },
    );
  }
}

function describe(shape: Shape): string {
  return shape ? `[${shape.map(size => size ?? 'any').join(',')}]` : 'no single known shape';
}
