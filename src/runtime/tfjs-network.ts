import { dispose, getBackend, io, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import { inputNames, outputsRead, type ModelManifest } from '../manifest.ts';
import type { Network, NetworkPlan, Port, Shape, Shaped } from './network.ts';
import type { OnnxPlace } from './onnx-session.ts';
import { SliceNetwork } from './slice-network.ts';
import type { VolumeShape } from './slice-schedule.ts';
import type { VerifiedModel } from './verified.ts';

/**
 * A layers or a graph model, on tfjs's backend.
 * @throws OverreadError `model/graph` when tfjs cannot read it; `model/manifest` when it names a weight file that has no SHA-256
 */
export async function tfjsNetwork(model: VerifiedModel, place: OnnxPlace = {}): Promise<Shaped> {
  const { manifest } = model;
  const artifacts = await artifactsOf(model);
  try {
    return manifest.graph.format === 'layers' ? await layersNetwork(artifacts, model, place) : await graphNetwork(artifacts, manifest);
  } catch (error) {
    if (error instanceof OverreadError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    throw new OverreadError(
      'model/graph',
      `Expected a tfjs ${manifest.graph.format} model in ${manifest.graph.url} of ${manifest.id}, got one that does not load: ${got}. Convert the model again.`,
      { expected: `tfjs ${manifest.graph.format} model`, got },
      error,
    );
  }
}

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

async function layersNetwork(artifacts: io.ModelArtifacts, { manifest, identity }: VerifiedModel, place: OnnxPlace): Promise<Shaped> {
  const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
  // tfjs knows a layer of ours by its class, once that is there.
  if (manifest.input.fusion === 'hemis') await import('./view-moments.ts');
  if (manifest.input.modalities) await import('./modality-moments.ts');
  const model = await loadLayersModel(io.fromMemory(artifacts));
  const names = inputNames(manifest);
  // Of the layers: tfjs gives tensors other names when a second model has the same ones.
  const inputs = model.inputs.map(({ shape }, i) => ({ name: model.inputNames[i]!, shape }));
  const order = orderOf(inputs, names);
  const shared = {
    inputs: ordered(inputs, order),
    outputs: model.outputs.map(({ shape }) => shape),
    takesBatches: model.inputs[0]?.shape[0] == null,
    layersModel: model,
  };
  if (manifest.input.layout === 'NDHWC') return { ...shared, ...(await slicedNetwork(model, manifest, place)) };
  const plan = await planFor(model, manifest, identity.sha256, place);
  return {
    ...shared,
    ...(plan && { plan }),
    tensors: layerTensors(model),
    forward: given => {
      const fed = fedIn(given, order);
      const finish = (outputs?: Tensor[]) => lastOf(outputs ?? [model.predict(fed) as Tensor | Tensor[]].flat(), manifest);
      const outputs = plan?.run([fed].flat());
      return outputs instanceof Promise ? outputs.then(finish) : finish(outputs);
    },
    dispose() {
      plan?.dispose();
      model.dispose();
    },
  };
}

/** Kernels that are quicker than tfjs's on the backend at hand. */
async function planFor(model: LayersModel, { id, graph, input }: ModelManifest, identity: string, place: OnnxPlace): Promise<NetworkPlan | undefined> {
  const backend = getBackend();
  if (backend === 'webgpu') return new (await import('./plan/planned-network.ts')).PlannedNetwork(model, identity, graph.precision === 'float16-allowed' ? input.valueRange : undefined);
  // What is built to be trained or explained says nothing of where it is to run.
  if (backend === 'wasm' && place.on) return new (await import('./onnx-plan.ts')).OnnxPlan(model, `${graph.url} of ${id}`, place);
  return undefined;
}

async function slicedNetwork(model: LayersModel, { id, graph, input: { shape } }: ModelManifest, place: OnnxPlace): Promise<Pick<Network, 'sliced' | 'plan' | 'tensors' | 'forward' | 'dispose'>> {
  let sliced: SliceNetwork;
  try {
    sliced = new SliceNetwork(model, shape as unknown as VolumeShape);
  } catch (error) {
    model.dispose();
    throw error;
  }
  const plan = getBackend() === 'wasm' && place.on ? new (await import('./onnx-slices.ts')).OnnxSlices(model, shape as unknown as VolumeShape, `${graph.url} of ${id}`, place) : undefined;
  return {
    sliced,
    ...(plan && { plan }),
    tensors: [...weightTensors(model), ...sliced.tensors],
    forward: () => {
      throw new OverreadError('internal', `Expected ${id} to be run slice by slice, as a network of volumes is. Please report this.`);
    },
    dispose() {
      plan?.dispose();
      sliced.dispose();
      model.dispose();
    },
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
  const tensors = [...weightTensors(model)];
  for (const layer of model.layers) {
    const shapes = (Array.isArray(layer.outputShape[0]) ? layer.outputShape : [layer.outputShape]) as (number | null)[][];
    for (const shape of shapes) tensors.push({ name: layer.name, shape: shape.map(size => size ?? 1) });
  }
  return tensors;
}

function weightTensors(model: LayersModel): Network['tensors'] {
  return model.layers.flatMap(({ weights }) => weights.map(({ name, shape }) => ({ name, shape: shape.map(size => size ?? 1) })));
}
