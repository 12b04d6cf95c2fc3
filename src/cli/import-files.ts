import fs from 'node:fs';
import path from 'node:path';
import { OverreadError } from '../errors.ts';
import { checkpointFile } from './checkpoint-file.ts';

/** A model as other programs save it, its files under the names that they get in the model folder. */
export interface GraphFiles {
  readonly format: 'layers' | 'graph' | 'onnx';
  /** For messages and the card. */
  readonly name: string;
  readonly from: string;
  readonly url: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** A file inside of the folder, without what a manifest cannot name. */
const PLAIN_PATH = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/;

/** True for a tfjs model (its folder or its model.json) and for an ONNX file; all else is a PyTorch checkpoint. */
export function isGraph(file: string): boolean {
  return /\.(onnx|json)$/i.test(file) || (fs.existsSync(file) && fs.statSync(file).isDirectory());
}

/**
 * Reads a tfjs model with its weight files, or an ONNX file with the weights that it keeps beside it.
 * @throws OverreadError `model/not-found`, `model/checkpoint` for a model.json that is none, `network/*`
 */
export async function graphFiles(from: string, note: (line: string) => void): Promise<GraphFiles> {
  return /\.onnx$/i.test(from) ? onnxFiles(from, note) : tfjsFiles(from, note);
}

/** PyTorch writes large weights to NAME.onnx.data, others to NAME.onnx_data; the .onnx knows them by that name. */
async function onnxFiles(from: string, note: (line: string) => void): Promise<GraphFiles> {
  const { name, bytes } = await checkpointFile(from, note);
  const beside = [`${name}.data`, `${name}_data`].filter(file => fs.existsSync(path.join(path.dirname(from), file)));
  for (const file of beside) checkPath(file, name);
  const others = beside.map(file => [file, new Uint8Array(fs.readFileSync(path.join(path.dirname(from), file)))] as const);
  return { format: 'onnx', name, from, url: 'model.onnx', files: new Map([['model.onnx', bytes], ...others]) };
}

async function tfjsFiles(from: string, note: (line: string) => void): Promise<GraphFiles> {
  if (/^https?:/.test(from)) throw new OverreadError('cli/usage', `Expected the folder of a tfjs model, got the address ${from}. Download model.json and its weight files, and give their folder.`, { got: from });
  const file = fs.existsSync(from) && fs.statSync(from).isDirectory() ? path.join(from, 'model.json') : from;
  const { name, bytes } = await checkpointFile(file, note);
  const { format, paths } = topologyOf(bytes, name);
  const files = new Map([['model.json', bytes]]);
  for (const each of paths) {
    checkPath(each, name);
    const weights = path.join(path.dirname(file), each);
    if (!fs.existsSync(weights)) {
      throw new OverreadError('model/not-found', `Expected the weight file ${each} that ${name} names, got none at ${weights}. Copy the whole folder of the model.`, { expected: each });
    }
    files.set(each, new Uint8Array(fs.readFileSync(weights)));
  }
  return { format, name, from, url: 'model.json', files };
}

function topologyOf(bytes: Uint8Array, name: string): { format: 'layers' | 'graph'; paths: string[] } {
  let json: { modelTopology?: object; weightsManifest?: { paths?: unknown }[] } | null;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes)) as typeof json;
  } catch (cause) {
    throw new OverreadError('model/checkpoint', `Expected JSON in ${name}, got something else: it may be cut short. Convert the model again.`, { expected: 'JSON' }, cause);
  }
  const topology = json?.modelTopology;
  const format = !topology || typeof topology !== 'object' ? undefined : 'node' in topology ? 'graph' : 'model_config' in topology || 'class_name' in topology ? 'layers' : undefined;
  const paths = Array.isArray(json?.weightsManifest) ? json.weightsManifest.flatMap(group => group?.paths) : undefined;
  if (!format || !paths || !paths.every(each => typeof each === 'string')) {
    throw new OverreadError('model/checkpoint', `Expected a tfjs layers or graph model in ${name}, got JSON without its modelTopology or weightsManifest. Give the model.json that tensorflowjs_converter wrote.`, { expected: ['modelTopology', 'weightsManifest'], got: Object.keys(json ?? {}) });
  }
  return { format, paths };
}

function checkPath(each: string, name: string): void {
  if (PLAIN_PATH.test(each)) return;
  throw new OverreadError('model/checkpoint', `Expected weight files inside the folder of ${name}, named by letters, digits, '_', '-' and '.', got ${each}. Convert the model again, or rename them there and on the disk.`, { got: each });
}
