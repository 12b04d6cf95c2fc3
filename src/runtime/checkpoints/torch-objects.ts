import { OverreadError } from '../../errors.ts';
import { latin1 } from './byte-reader.ts';
import { PickleGlobal, PickleObject, type PickleHooks } from './pickle.ts';
import { bytesPerValue, countOf, decodeValues, isDtype, type CheckpointTensor, type Dtype } from './state-dict.ts';
import { strided } from '../strided.ts';

/** The raw values that tensors are views of; legacy files bring `bytes` after the pickle. */
export interface TorchStorage {
  readonly key: string;
  readonly dtype: Dtype;
  /** Values of `dtype`. */
  readonly count: number;
  bytes?: Uint8Array;
  /** Where a view of another storage begins in it, in values. */
  readonly start: number;
}

/** What Python's `os` is called in a pickle. */
const SYSTEM = new Set(['posix', 'nt']);

/** A tensor of more values than its storage may have this many. */
const MOST_REPEATED = 2 ** 20;

/** A strided view of a storage, as the pickle describes it. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage, readonly dtype: Dtype, readonly offset: unknown,
    readonly shape: readonly unknown[], readonly stride: readonly unknown[],
  ) {}

  /**
   * The tensor's values in row-major order.
   * @throws OverreadError `model/checkpoint` when shape, stride and offset leave the storage; `input/truncated`
   */
  read(name: string): CheckpointTensor {
    const count = countOf(this.shape, name);
    const shape = this.shape as readonly number[];
    const stride = this.stride as readonly number[];
    const offset = this.offset as number;
    const size = bytesPerValue(this.dtype);
    const available = Math.floor((this.storage.count * bytesPerValue(this.storage.dtype)) / size);
    const sound = (n: unknown) => typeof n === 'number' && Number.isInteger(n) && n >= 0;
    const isView = stride.length === shape.length && stride.every(sound) && sound(offset);
    const last = isView ? shape.reduce((sum, n, i) => sum + (n - 1) * stride[i]!, offset) : NaN;
    // Stride 0 repeats values: a few bytes could ask for gigabytes.
    const repeats = count > Math.max(available, MOST_REPEATED);
    if (repeats || !isView || (count > 0 && last >= available)) {
      throw new OverreadError('model/checkpoint',
        `The tensor ${name} of shape [${shape.join(', ')}], stride [${stride.map(String).join(', ')}] and offset ${String(offset)} does not lie within its storage of ${available} values. The checkpoint is damaged; save or download it again.`,
        { name, expected: available, got: String(last + 1) });
    }
    const { bytes, start } = this.storage;
    const needed = count === 0 ? 0 : (start + last + 1) * size;
    if (!bytes || bytes.length < needed) {
      throw new OverreadError('input/truncated',
        `The data of tensor ${name} is cut short: expected at least ${needed} bytes in storage ${this.storage.key}, got ${bytes?.length ?? 0}. Copy or download the checkpoint again.`,
        { name, expected: needed, got: bytes?.length ?? 0 });
    }
    if (isContiguous(shape, stride)) {
      return { dtype: this.dtype, shape, values: decodeValues(bytes, this.dtype, start + offset, count) };
    }
    const all = decodeValues(bytes, this.dtype, start, count === 0 ? 0 : last + 1);
    return { dtype: this.dtype, shape, values: strided(all, shape, stride, offset) };
  }
}

const STORAGES: Readonly<Record<string, Dtype>> = {
  FloatStorage: 'float32', DoubleStorage: 'float64', HalfStorage: 'float16', BFloat16Storage: 'bfloat16', LongStorage: 'int64',
  IntStorage: 'int32', ShortStorage: 'int16', CharStorage: 'int8', ByteStorage: 'uint8', BoolStorage: 'bool', UntypedStorage: 'uint8',
};

/**
 * What a PyTorch pickle may ask for: its tensor reconstructors and a few pure containers. Anything else that it wants
 * called is refused by name.
 */
export class TorchHooks implements PickleHooks {
  /** By key, each once, however many tensors share it. */
  readonly storages = new Map<string, TorchStorage>();

  constructor(private readonly where: string) {}

  persistent(id: unknown): unknown {
    if (!Array.isArray(id)) throw this.#unknown('an outside object that is no storage');
    // Legacy files give a module's class with its source code: we keep the name.
    if (id[0] === 'module' && id[1] instanceof PickleGlobal) return id[1];
    const [kind, type, key, , count, view] = id as unknown[];
    if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string' || typeof count !== 'number') {
      throw this.#unknown(`an outside object of the kind ${String(kind)}`);
    }
    const dtype = Object.hasOwn(STORAGES, type.name) && /^torch(\.cuda|\.storage)?$/.test(type.module) ? STORAGES[type.name]! : undefined;
    if (!dtype) throw this.#unknown(`a tensor of the storage type ${type}`);
    let storage = this.storages.get(key);
    if (!storage) this.storages.set(key, (storage = { key, dtype, count: countOf([count], `of storage ${key}`), start: 0 }));
    if (!Array.isArray(view)) return storage;
    const [viewKey, start, viewCount] = view as unknown[];
    return this.#view(storage, String(viewKey), start, viewCount);
  }

  call(callable: PickleGlobal, args: readonly unknown[]): unknown {
    switch (callable.toString()) {
      case 'torch._utils._rebuild_tensor':
      case 'torch._utils._rebuild_tensor_v2': return this.#tensor(args);
      case 'torch._utils._rebuild_tensor_v3': return this.#tensor(args, args[6]);
      case 'torch._utils._rebuild_parameter':
      case 'torch._utils._rebuild_parameter_with_state': return args[0];
      // A tensor with attributes: (function, type, arguments, attributes).
      case 'torch._tensor._rebuild_from_type_v2':
        // Never one in another: its arguments may hold themselves.
        if (args[0] instanceof PickleGlobal && args[0].name !== callable.name && Array.isArray(args[2])) return this.call(args[0], args[2]);
        break;
      case 'torch.Size': return args[0];
      case 'collections.OrderedDict': return mapOf(args[0]);
      case 'collections.defaultdict': return mapOf(args[1]);
      case '__builtin__.set': case 'builtins.set': case '__builtin__.frozenset': case 'builtins.frozenset':
        return new Set(Array.isArray(args[0]) ? args[0] : []);
      // How protocol 2 writes bytes.
      case '_codecs.encode': return typeof args[0] === 'string' ? Uint8Array.from(args[0], c => c.charCodeAt(0)) : new Uint8Array();
      case 'builtins.bytearray': case '__builtin__.bytearray': return args[0] ?? new Uint8Array();
      // An instance of args[0], without its constructor.
      case 'copyreg._reconstructor': case 'copy_reg._reconstructor':
        if (args[0] instanceof PickleGlobal) return new PickleObject(args[0]);
        break;
      // Notes beside the weights (thresholds, dates of training, devices): kept as names, their values are not needed.
      case 'torch.device': case 'numpy.dtype':
      case 'numpy.core.multiarray._reconstruct': case 'numpy._core.multiarray._reconstruct':
      case 'numpy.core.multiarray.scalar': case 'numpy._core.multiarray.scalar':
        return new PickleObject(callable);
    }
    throw new OverreadError('model/checkpoint',
      `${this.where} wants to call ${callable.name} of the Python module ${callable.module}${SYSTEM.has(callable.module) ? ', which is os' : ''}. It was refused, nothing was run: a checkpoint should hold tensors only. If you trust its source, save its state_dict() by PyTorch, or as .safetensors, and import that.`,
      { where: this.where, module: callable.module, callable: callable.name, got: callable.toString() });
  }

  #tensor(args: readonly unknown[], type?: unknown): TorchTensor {
    const [storage, offset, shape, stride] = args;
    if (!isStorage(storage) || !Array.isArray(shape) || !Array.isArray(stride)) throw this.#unknown('a tensor without storage, shape or stride');
    if (type === undefined) return new TorchTensor(storage, storage.dtype, offset, shape, stride);
    if (!(type instanceof PickleGlobal) || type.module !== 'torch' || !isDtype(type.name)) throw this.#unknown(`a tensor of the type ${String(type)}`);
    return new TorchTensor(storage, type.name, offset, shape, stride);
  }

  /** A part of a storage under a key of its own. Its bytes are the root's, which legacy files bring later. */
  #view(root: TorchStorage, key: string, start: unknown, count: unknown): TorchStorage {
    if (typeof start !== 'number' || typeof count !== 'number' || start < 0 || start + countOf([count], `of storage ${key}`) > root.count) {
      throw this.#unknown(`the storage view ${key} outside of its storage`);
    }
    return { key, dtype: root.dtype, count, start, get bytes() { return root.bytes; } } as TorchStorage;
  }

  #unknown(what: string): OverreadError {
    return new OverreadError('model/checkpoint',
      `${this.where} holds ${what}, which we do not read. Expected dense tensors of ${Object.keys(STORAGES).slice(0, 10).join(', ')}; save the model's state_dict() in float32.`,
      { where: this.where, got: what });
  }
}

function isStorage(value: unknown): value is TorchStorage {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'key' in value && 'count' in value;
}

function mapOf(pairs: unknown): Map<unknown, unknown> {
  if (pairs instanceof Map) return pairs;
  return new Map(Array.isArray(pairs) ? pairs.filter(p => Array.isArray(p) && p.length === 2) as [unknown, unknown][] : []);
}

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    // The stride of a dimension of one is never used.
    if (shape[i] !== 1 && stride[i] !== expected) return false;
    expected *= shape[i]!;
  }
  return true;
}

/** The class name of a module, for messages. */
export function typeName(value: unknown): string {
  if (value instanceof PickleObject) return value.type.toString();
  if (value instanceof Map) return 'dict';
  if (value instanceof Uint8Array) return `bytes ${JSON.stringify(latin1(value.subarray(0, 16)))}`;
  return Array.isArray(value) ? 'list' : String(value);
}
