import { dispose, io, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import { inputNames, outputsRead, type ModelManifest } from '../manifest.ts';
import type { DeviceDescription } from '../results/result.ts';
import type { VerifiedModel } from './verified.ts';

/** A model whose input and output agree with its manifest. Its weights belong to the backend it was made on. */
export interface Network {
  /**
   * [n, ...input.shape] each, in the order of the manifest's `inputNames` → the last tensors, as many as `outputsRead`.
   * A promise only where `device` is given.
   */
  forward(inputs: readonly Tensor[]): Tensor[] | Promise<Tensor[]>;
  /** Every tensor that a run makes, as far as the topology tells: name and shape, the batch being 1. */
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** False for a network that was saved for one input at a time. */
  readonly takesBatches: boolean;
  /** The model itself, where it is one of layers. */
  readonly layersModel?: LayersModel;
  /** What it runs on, where that is not tfjs's backend. */
  readonly device?: DeviceDescription;
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
  let network: Shaped;
  try {
    network = manifest.graph.format === 'layers' ? await layersNetwork(artifacts, manifest) : await graphNetwork(artifacts, manifest);
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
    checkInputs(network.inputs, manifest);
    checkOutputs(network.outputs, manifest);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return network;
}

type Shape = readonly (number | null)[] | undefined;

interface Port {
  readonly name: string;
  readonly shape: Shape;
}

type Shaped = Network & { readonly inputs: readonly Port[]; readonly outputs: readonly Shape[] };

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

async function layersNetwork(artifacts: io.ModelArtifacts, manifest: ModelManifest): Promise<Shaped> {
  const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
  // tfjs knows a layer of ours by its class, once that is there.
  if (manifest.input.fusion === 'hemis') await import('./view-moments.ts');
  const model = await loadLayersModel(io.fromMemory(artifacts));
  const names = inputNames(manifest);
  // Of the layers: tfjs gives tensors other names when a second model has the same ones.
  const inputs = model.inputs.map(({ shape }, i) => ({ name: model.inputNames[i]!, shape }));
  const order = orderOf(inputs, names);
  return {
    inputs: ordered(inputs, order),
    outputs: model.outputs.map(({ shape }) => shape),
    tensors: layerTensors(model),
    takesBatches: model.inputs[0]?.shape[0] == null,
    layersModel: model,
    forward: given => lastOf([model.predict(fedIn(given, order)) as Tensor | Tensor[]].flat(), manifest),
    dispose: () => void model.dispose(),
  };
}

async function graphNetwork(artifacts: io.ModelArtifacts, manifest: ModelManifest): Promise<Shaped> {
  const { loadGraphModel } = await import('@tensorflow/tfjs-converter');
  const model = await loadGraphModel(io.fromMemory(artifacts));
  const inputs = model.inputs.map(({ name, shape }) => ({ name: name.replace(/:0$/, ''), shape: known(shape) }));
  const order = orderOf(inputs, inputNames(manifest));
  return {
    inputs: ordered(inputs, order),
    outputs: model.outputs.map(({ shape }) => known(shape)),
    tensors: Object.entries(model.weights).flatMap(([name, tensors]) => tensors.map(({ shape }) => ({ name, shape }))),
    takesBatches: known(model.inputs[0]?.shape)?.[0] === null,
    forward: given => lastOf(asList(model.predict(fedIn(given, order))), manifest),
    dispose: () => model.dispose(),
  };
}

/** Where each input of the graph stands in `names`; undefined for a graph of one input. */
function orderOf(inputs: readonly Port[], names: readonly string[] | undefined): readonly number[] | undefined {
  return names && inputs.map(({ name }) => names.indexOf(name));
}

/** The graph's inputs in the order of the names. */
function ordered(inputs: readonly Port[], order: readonly number[] | undefined): readonly Port[] {
  if (!order) return inputs;
  return inputs.map((_, i) => inputs[order.indexOf(i)] ?? { name: '', shape: undefined });
}

/** What was given in the order of the names, in the graph's own order. */
function fedIn(given: readonly Tensor[], order: readonly number[] | undefined): Tensor | Tensor[] {
  if (given.length === 1) return given[0]!;
  return order ? order.map(at => given[at]!) : [...given];
}

function asList(outputs: Tensor | Tensor[] | Record<string, Tensor>): Tensor[] {
  if (Array.isArray(outputs)) return outputs;
  return typeof (outputs as Tensor).dataSync === 'function' ? [outputs as Tensor] : Object.values(outputs as Record<string, Tensor>);
}

/** The converter writes -1 for what it does not know. */
function known(shape: readonly number[] | undefined): Shape {
  return shape?.map(size => (size < 0 ? null : size));
}

/** The last tensors, as many as are read; the others are freed. */
function lastOf(outputs: Tensor[], manifest: ModelManifest): Tensor[] {
  const wanted = outputsRead(manifest);
  const last = outputs.slice(-wanted);
  dispose(outputs.slice(0, -wanted));
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

function checkInputs(inputs: readonly Port[], manifest: ModelManifest): void {
  const { id, input } = manifest;
  const names = inputNames(manifest);
  const wanted = [1, ...input.shape];
  if (!names) {
    const shape = inputs.length === 1 ? inputs[0]!.shape : undefined;
    if (shape && fits(shape, wanted)) return;
    throw new OverreadError(
      'model/graph',
      `Expected the graph of ${id} to have one input of shape [${wanted}] as its manifest says, got ${describe(shape)}. Mend input.shape or convert the model again.`,
      { expected: wanted, got: shape },
    );
  }
  const expected = names.map(name => (name === 'present' ? [1, names.length - 1] : wanted));
  const sound = inputs.length === names.length && names.every((name, i) => inputs[i]!.name === name && inputs[i]!.shape && fits(inputs[i]!.shape!, expected[i]!));
  if (sound) return;
  const got = inputs.map(({ name, shape }) => `${name || 'another'} ${describe(shape)}`).join(', ') || 'none';
  throw new OverreadError(
    'model/graph',
    `Expected the graph of ${id} to have the inputs ${names.map((name, i) => `${name} [${expected[i]}]`).join(', ')} for input.fusion ${input.fusion}, got ${got}. Mend input.fusion or convert the model again.`,
    { expected: names, got },
  );
}

/** The batch may be open, or of the one that is given. */
function fits(shape: readonly (number | null)[], wanted: readonly number[]): boolean {
  return shape.length === wanted.length && shape.every((size, i) => size === null || size === wanted[i]);
}

function checkOutputs(outputs: readonly Shape[], manifest: ModelManifest): void {
  const { id, output: { targets, activation }, gate } = manifest;
  const needed = outputsRead(manifest);
  if (outputs.length < needed) {
    throw new OverreadError(
      'model/graph',
      `Expected the graph of ${id} to give ${needed} tensors ${gate ? '(distance, scores), as a gate does' : `for input.fusion ${manifest.input.fusion}`}, got ${outputs.length}. Mend the manifest or convert the model again.`,
      { expected: needed, got: outputs.length },
    );
  }
  // Softmax may carry a background class before the targets.
  const channels = activation === 'softmax' ? [targets.length, targets.length + 1] : [targets.length];
  const scores = gate ? outputs.slice(-1) : outputs.slice(-needed);
  const wrong = scores.find(shape => shape?.at(-1) != null && !channels.includes(shape.at(-1)!));
  if (wrong) {
    throw new OverreadError(
      'model/graph',
      `Expected the graph of ${id} to give ${channels.join(' or ')} channels for its ${targets.length} target(s), got ${describe(wrong)}. Mend output.targets or convert the model again.`,
      { expected: channels, got: wrong },
    );
  }
}

function describe(shape: Shape): string {
  return shape ? `[${shape.map(size => size ?? 'any').join(',')}]` : 'no single known shape';
}
