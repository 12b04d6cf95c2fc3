import { unzipSync } from 'fflate';
import { OverreadError } from '../../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { PickleObject, readPickle } from './pickle.ts';
import { bytesPerValue, type CheckpointTensor, type StateDict } from './state-dict.ts';
import { TorchHooks, TorchTensor, typeName } from './torch-objects.ts';

/** The first pickle of every legacy file. */
const LEGACY_MAGIC = 119547037146038801333356n;
/** More than this, unpacked, is a zip bomb and no network for a browser. */
const MOST_BYTES = 2 ** 32;
/** Modules may share children, so a few of them can make a tree without end; ours have some hundreds. */
const MOST_MODULES = 100_000;
/** How many dicts a state dict may lie in. */
const MOST_WRAPPED = 8;

/**
 * Reads a file that `torch.save` wrote (zip format since 1.6, or the legacy one) as a state dict. The file may hold a
 * state dict, a dict with one under `state_dict`, `model_state_dict`, `model` or `net`, or a whole pickled module, whose
 * `_modules`, `_parameters` and `_buffers` are read as plain data. Nothing in the file is ever executed.
 * @param where the file's name, for messages
 * @throws OverreadError `input/truncated`; `model/checkpoint` when it is no such file, or wants a function called
 */
export function readPyTorch(bytes: Uint8Array, where: string): StateDict {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return stateDictOf(readZip(bytes, where), where);
  // PROTO, or LONG of protocols 0 and 1.
  if (bytes[0] === 0x80 || bytes[0] === 0x4c) return stateDictOf(readLegacy(bytes, where), where);
  const start = String.fromCharCode(...bytes.subarray(0, 12)).replace(/[^ -~]/g, '.');
  throw new OverreadError('model/checkpoint',
    `${where} is no PyTorch checkpoint: expected a zip archive or a pickle, got ${bytes.length} bytes that begin with "${start}". Check that the download is not an error page.`,
    { where, expected: 'zip or pickle', got: start });
}

function readZip(bytes: Uint8Array, where: string): unknown {
  const sizes = new Map<string, number>();
  let total = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: file => {
        total += file.originalSize;
        if (total > MOST_BYTES) throw new OverreadError('model/checkpoint', `${where} unpacks to more than ${MOST_BYTES} bytes; expected the weights of a network. It was not read.`, { where, expected: MOST_BYTES, got: total });
        sizes.set(file.name, file.originalSize);
        return true;
      },
    });
  } catch (cause) {
    if (cause instanceof OverreadError) throw cause;
    // The directory of a zip is at its end, so a file that was cut short has none.
    throw truncated(where, 'a zip archive with its directory at the end', `${bytes.length} bytes without a readable one`, cause);
  }
  const main = [...sizes.keys()].find(name => name === 'data.pkl' || /^[^/]+\/data\.pkl$/.test(name));
  if (!main) throw unreadable(where, 'a zip archive without data.pkl', 'an archive that torch.save wrote');
  const root = main.slice(0, -'data.pkl'.length);
  if (sizes.has(`${root}constants.pkl`)) throw unreadable(where, 'a TorchScript archive', 'a state dict or a module; save model.state_dict() by torch.save');
  const order = files[`${root}byteorder`];
  if (order && new TextDecoder().decode(order) !== 'little') throw unreadable(where, 'big-endian data', 'little-endian data');
  for (const [name, size] of sizes) {
    const got = files[name]?.length ?? 0;
    if (got !== size) throw truncated(where, `${size} bytes of ${name}`, `${got}`);
  }

  const hooks = new TorchHooks(where);
  const { value } = readPickle(files[main]!, hooks, where);
  for (const storage of hooks.storages.values()) {
    const data = files[`${root}data/${storage.key}`];
    const expected = storage.count * bytesPerValue(storage.dtype);
    if (!data || data.length < expected) throw truncated(where, `${expected} bytes of storage ${storage.key}`, `${data?.length ?? 'no such entry'}`);
    storage.bytes = data;
  }
  return value;
}

function readLegacy(bytes: Uint8Array, where: string): unknown {
  const hooks = new TorchHooks(where);
  const magic = readPickle(bytes, hooks, where);
  if (magic.value !== LEGACY_MAGIC) throw unreadable(where, `a pickle of ${typeName(magic.value)} that torch.save did not write`, 'a checkpoint written by torch.save');
  const protocol = readPickle(bytes, hooks, where, magic.end);
  if (protocol.value !== 1001) throw unreadable(where, `the legacy protocol ${String(protocol.value)}`, 'protocol 1001');
  const system = readPickle(bytes, hooks, where, protocol.end);
  if (system.value instanceof Map && system.value.get('little_endian') === false) throw unreadable(where, 'big-endian data', 'little-endian data');
  const main = readPickle(bytes, hooks, where, system.end);
  const keys = readPickle(bytes, hooks, where, main.end);
  if (!Array.isArray(keys.value)) throw unreadable(where, 'no list of storages', 'a list of storages after the pickle');

  const reader = new ByteReader(bytes, keys.end, where);
  for (const key of keys.value as unknown[]) {
    const storage = hooks.storages.get(String(key));
    if (!storage) throw unreadable(where, `a storage ${String(key)} that no tensor has`, 'the storages of its tensors');
    const count = reader.length64();
    if (count !== storage.count) throw unreadable(where, `${count} values in storage ${storage.key}`, `${storage.count}`);
    storage.bytes = reader.take(count * bytesPerValue(storage.dtype));
  }
  return main.value;
}

/** A state dict, however it is wrapped. */
function stateDictOf(value: unknown, where: string, depth = 0): StateDict {
  const flat = new Map<string, CheckpointTensor>();
  if (isModule(value)) flatten(value, '', flat, { modules: 0 }, [], where);
  else if (value instanceof Map) {
    const inner = ['state_dict', 'model_state_dict', 'model', 'net'].map(key => value.get(key)).find(v => v instanceof Map || isModule(v));
    if (inner !== undefined && depth >= MOST_WRAPPED) throw unreadable(where, `a state dict in more than ${MOST_WRAPPED} dicts, or one that holds itself`, 'a state dict or a module');
    if (inner !== undefined) return stateDictOf(inner, where, depth + 1);
    for (const [name, tensor] of value) if (tensor instanceof TorchTensor) flat.set(String(name), tensor.read(String(name)));
  }
  if (flat.size === 0) throw unreadable(where, `${typeName(value)} without a tensor`, 'a state dict or a module');
  return flat;
}

function isModule(value: unknown): value is PickleObject {
  return value instanceof PickleObject && ['_modules', '_parameters', '_buffers'].every(name => value.attributes.get(name) instanceof Map);
}

/** What `module.state_dict()` gives, from the attributes alone. */
function flatten(module: PickleObject, prefix: string, into: Map<string, CheckpointTensor>, seen: { modules: number }, above: readonly PickleObject[], where: string): void {
  if (above.includes(module) || above.length > 100) throw unreadable(where, 'a module that holds itself', 'a tree of modules');
  if (++seen.modules > MOST_MODULES) throw unreadable(where, `a module of more than ${MOST_MODULES} modules`, 'a tree of modules');
  const part = (name: string) => module.attributes.get(name) as Map<unknown, unknown>;
  const transient = module.attributes.get('_non_persistent_buffers_set');
  for (const [name, tensor] of [...part('_parameters'), ...part('_buffers')]) {
    if (transient instanceof Set && transient.has(name)) continue;
    if (tensor instanceof TorchTensor) into.set(prefix + String(name), tensor.read(prefix + String(name)));
  }
  for (const [name, child] of part('_modules')) {
    if (isModule(child)) flatten(child, `${prefix}${String(name)}.`, into, seen, [...above, module], where);
  }
}

function unreadable(where: string, got: string, expected: string): OverreadError {
  return new OverreadError('model/checkpoint', `${where} is ${got}; expected ${expected}.`, { where, expected, got });
}

function truncated(where: string, expected: string, got: string, cause?: unknown): OverreadError {
  return new OverreadError('input/truncated',
    `${where} is cut short: expected ${expected}, got ${got}. Copy or download the file again.`, { where, expected, got }, cause);
}
