import { isOverreadError, type OverreadError } from '../../../../src/errors.ts';
import { readSafetensors } from '../../../../src/runtime/checkpoints/safetensors.ts';

function file(header: unknown, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + text.length + data.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  out.set(data, 8 + text.length);
  return out;
}

function errorOf(run: () => unknown): OverreadError {
  try {
    run();
  } catch (error) {
    if (isOverreadError(error)) return error;
    throw error;
  }
  throw new Error('expected an OverreadError');
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({ dtype, shape, data_offsets: [begin, end] });
const eight = new Uint8Array(new Float32Array([1, 2]).buffer);

describe('readSafetensors', () => {
  test('reads tensors in any order, with metadata beside', () => {
    const state = readSafetensors(file({ __metadata__: { format: 'pt' }, b: entry(4, 8), a: entry(0, 4) }, eight), 'x.safetensors');
    expect(Object.fromEntries([...state].map(([k, t]) => [k, [...t.values]]))).toEqual({ b: [2], a: [1] });
  });

  test.each([
    ['overlap', { a: entry(0, 8), b: entry(4, 8) }, /b to begin at 8/],
    ['a gap', { a: entry(0, 4), b: entry(8, 12) }, /b to begin at 4/],
    ['bytes that belong to no tensor', { a: entry(0, 4) }, /4 bytes of tensors, got 8/],
    ['a shape that its bytes do not hold', { a: entry(0, 8, [3]) }, /a to have 12 bytes/],
    ['a negative size', { a: entry(0, 8, [-2]) }, /tensor a .* shape \[-2\]/],
    ['an unknown type', { a: entry(0, 8, [2], 'F8_E4M3') }, /one of the types F64.*got F8_E4M3/],
    ['a type from the prototype', { a: entry(0, 8, [2], 'constructor') }, /one of the types/],
    ['offsets before the data', { a: entry(-4, 4, [2]) }, /a to have 8 bytes/],
    ['no tensors', {}, /at least one tensor/],
    ['no JSON', '{"a":', /a JSON header/],
    ['a list as header', '[1]', /a JSON object/],
  ])('refuses %s', (_, header, message) => {
    const error = errorOf(() => readSafetensors(file(header, eight), 'x.safetensors'));
    expect(error.code).toBe('model/checkpoint');
    expect(error.message).toMatch(message);
  });

  test('says truncated for a short header and for short data', () => {
    const whole = file({ a: entry(0, 8) }, eight);
    for (const length of [3, 20, whole.length - 1]) {
      expect(errorOf(() => readSafetensors(whole.slice(0, length), 'x.safetensors')).code).toBe('input/truncated');
    }
  });

  test('refuses a header longer than the format allows', () => {
    const whole = file({ a: entry(0, 8) }, eight);
    whole[5] = 1;
    expect(errorOf(() => readSafetensors(whole, 'x.safetensors')).message).toMatch(/at most 100000000 bytes/);
  });
});
