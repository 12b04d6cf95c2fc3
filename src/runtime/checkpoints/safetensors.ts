import { OverreadError } from '../../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { bytesPerValue, countOf, decodeValues, type CheckpointTensor, type Dtype, type StateDict } from './state-dict.ts';

const DTYPES: Readonly<Record<string, Dtype>> = {
  F64: 'float64', F32: 'float32', F16: 'float16', BF16: 'bfloat16', I64: 'int64', I32: 'int32', I16: 'int16', I8: 'int8', U8: 'uint8', BOOL: 'bool',
};
/** The format's own limit. */
const LONGEST_HEADER = 100_000_000;

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a `.safetensors` file: eight bytes of header length, a JSON header, raw little-endian tensors. As the format's
 * own reader does, it refuses tensors that overlap, leave gaps or reach past the end.
 * @throws OverreadError `input/truncated`, `model/checkpoint`
 */
export function readSafetensors(bytes: Uint8Array, where: string): StateDict {
  const reader = new ByteReader(bytes, 0, where);
  const length = reader.length64();
  if (length > LONGEST_HEADER) throw wrong(where, `a header of at most ${LONGEST_HEADER} bytes`, length);
  const entries = parseHeader(reader.utf8(length), where);
  const data = bytes.subarray(reader.position);

  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end) throw wrong(where, `${entry.name} to begin at ${end}, where the tensor before it ends`, entry.begin);
    end = entry.end;
  }
  if (end > data.length) {
    throw new OverreadError('input/truncated', `${where} is cut short: expected ${end} bytes of tensors, got ${data.length}. Copy or download the file again.`, { where, expected: end, got: data.length });
  }
  if (end < data.length) throw wrong(where, `${end} bytes of tensors`, data.length);

  const state = new Map<string, CheckpointTensor>();
  for (const { name, dtype, shape, begin, end: stop } of entries) {
    state.set(name, { dtype, shape, values: decodeValues(data.subarray(begin, stop), dtype, 0, (stop - begin) / bytesPerValue(dtype)) });
  }
  return state;
}

function parseHeader(text: string, where: string): Entry[] {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw wrong(where, 'a JSON header', text.slice(0, 40));
  }
  if (!isRecord(header)) throw wrong(where, 'a JSON object as header', text.slice(0, 40));
  const entries: Entry[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    if (!isRecord(entry)) throw wrong(where, `${name} to have dtype, shape and data_offsets`, entry);
    const { dtype: code, shape, data_offsets: offsets } = entry;
    const dtype = typeof code === 'string' && Object.hasOwn(DTYPES, code) ? DTYPES[code]! : undefined;
    if (!dtype) throw wrong(where, `${name} to have one of the types ${Object.keys(DTYPES).join(', ')}`, code);
    if (!Array.isArray(shape)) throw wrong(where, `${name} to have a shape`, shape);
    const count = countOf(shape, name);
    const [begin, end] = Array.isArray(offsets) ? offsets as unknown[] : [];
    if (!isOffset(begin) || !isOffset(end) || end - begin !== count * bytesPerValue(dtype)) {
      throw wrong(where, `${name} to have ${count * bytesPerValue(dtype)} bytes`, JSON.stringify(offsets));
    }
    entries.push({ name, dtype, shape: shape as number[], begin, end });
  }
  if (entries.length === 0) throw wrong(where, 'at least one tensor', 'none');
  return entries;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function wrong(where: string, expected: string, got: unknown): OverreadError {
  return new OverreadError('model/checkpoint', `${where} is no sound .safetensors file: expected ${expected}, got ${String(got)}. Save or download it again.`, { where, expected, got: String(got) });
}
