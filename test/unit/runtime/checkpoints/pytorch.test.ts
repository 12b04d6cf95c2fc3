import { zipSync } from 'fflate';
import { isOverreadError, type OverreadError } from '../../../../src/errors.ts';
import { readCheckpoint } from '../../../../src/runtime/checkpoints/read.ts';
import type { Dtype } from '../../../../src/runtime/checkpoints/state-dict.ts';
import { goldenBytes, goldenJson } from '../../../golden/torch-golden.ts';

const expected = goldenJson<Record<string, { shape: number[]; values: (number | string)[] }>>('checkpoints/tensors.json');
const bytes = (text: string) => Uint8Array.from(text, c => c.charCodeAt(0));
const zipped = (pickle: string, more: Record<string, Uint8Array> = {}) => zipSync({ 'net/data.pkl': bytes(pickle), ...more }, { level: 0 });
const text = (s: string) => `X${String.fromCharCode(s.length)}\0\0\0${s}`;
const storage = (count: number, type = 'FloatStorage') => `(${text('storage')}ctorch\n${type}\n${text('0')}${text('cpu')}K${String.fromCharCode(count)}tQ`;
/** A dict with one tensor of the storage 0. */
const tensor = (count: number, offset: number, shape: string, stride: string) =>
  `\x80\x02}${text('w')}ctorch._utils\n_rebuild_tensor_v2\n(${storage(count)}J${int32(offset)}(${shape}t(${stride}t\x89ccollections\nOrderedDict\n)RtRs.`;
const int32 = (v: number) => String.fromCharCode(...new Uint8Array(Int32Array.of(v).buffer));

function errorOf(run: () => unknown): OverreadError {
  try {
    run();
  } catch (error) {
    if (isOverreadError(error)) return error;
    throw error;
  }
  throw new Error('expected an OverreadError');
}

describe('readCheckpoint of PyTorch files', () => {
  test.each(['tensors.pt', 'tensors-legacy.pt', 'tensors-protocol5.pt', 'tensors-protocol1.pt'])('reads every type and stride of %s', file => {
    const state = readCheckpoint(goldenBytes(`checkpoints/${file}`), file);
    expect([...state.keys()]).toEqual(Object.keys(expected));
    for (const [name, { shape, values }] of Object.entries(expected)) {
      const got = state.get(name)!;
      expect([name, got.shape]).toEqual([name, shape]);
      expect([name, Array.from(got.values, String)]).toEqual([name, values.map(v => String(Number(v === 'inf' ? Infinity : v)))]);
      if (name in { float16: 1, bfloat16: 1, int64: 1, uint8: 1 }) expect(got.dtype).toBe(name as Dtype);
    }
  });

  test.each(['module.pt', 'module-legacy.pt', 'state-legacy.pth', 'trainer.pt', 'model.safetensors'])('%s holds what state.pt holds', file => {
    const state = readCheckpoint(goldenBytes('densenet/state.pt'), 'state.pt');
    const other = readCheckpoint(goldenBytes(`densenet/${file}`), file);
    const prefix = file === 'trainer.pt' ? 'module.' : '';
    expect([...other.keys()].sort()).toEqual([...state.keys()].map(name => prefix + name).sort());
    for (const [name, t] of state) expect(other.get(prefix + name)).toEqual(t);
  });

  test.each(['hostile.pt', 'hostile-legacy.pt'])('refuses the os.system of %s by name', file => {
    const error = errorOf(() => readCheckpoint(goldenBytes(`checkpoints/${file}`), file));
    expect(error.code).toBe('model/checkpoint');
    expect(error.fields).toMatchObject({ module: 'posix', callable: 'system' }); // what Python calls os.system
    expect(error.message).toMatch(/wants to call system of the Python module posix, which is os\. .*nothing was run/);
  });

  test.each([
    ['builtins', 'eval'], ['builtins', 'exec'], ['subprocess', 'Popen'], ['os', 'system'], ['builtins', 'getattr'], ['torch', 'load'],
    ['torch.nn.modules.conv', 'Conv2d'], ['__builtin__', 'constructor'], ['torch.hub', 'load'],
  ])('refuses a call of %s.%s', (module, name) => {
    const error = errorOf(() => readCheckpoint(zipped(`\x80\x02c${module}\n${name}\n${text('1')}\x85R.`), 'x.pt'));
    expect(error.fields).toMatchObject({ module, callable: name });
  });

  test('a name that is not called is only a name', () => {
    const pickle = tensor(1, 0, 'K\x01', 'K\x01').replace('\x80\x02}', `\x80\x02}${text('hook')}cos\nsystem\ns`);
    const state = readCheckpoint(zipped(pickle, { 'net/data/0': new Uint8Array(new Float32Array([7]).buffer) }), 'x.pt');
    expect([...state.keys()]).toEqual(['w']);
    expect(state.get('w')!.values).toEqual(new Float32Array([7]));
  });

  test('says truncated when a file is cut short', () => {
    for (const file of ['densenet/state.pt', 'densenet/module-legacy.pt', 'densenet/model.safetensors']) {
      const whole = goldenBytes(file);
      for (const part of [0.02, 0.3, 0.7, 0.999]) {
        expect([file, part, errorOf(() => readCheckpoint(whole.slice(0, Math.floor(whole.length * part)), file)).code]).toEqual([file, part, 'input/truncated']);
      }
    }
  });

  test.each([
    ['offset and shape past the storage', tensor(4, 2, 'K\x03', 'K\x01')],
    ['a negative offset', tensor(4, -1, 'K\x01', 'K\x01')],
    ['a negative stride', tensor(4, 3, 'K\x02', `J${int32(-1)}`)],
    ['a negative size', tensor(4, 0, `J${int32(-2)}`, 'K\x01')],
    ['more strides than sizes', tensor(4, 0, 'K\x02', 'K\x01K\x01')],
    ['a shape of 2^62 values with stride 0', tensor(4, 0, `J${int32(2 ** 30)}J${int32(2 ** 30)}K\x04`, 'K\x00K\x00K\x00')],
    ['four values repeated two million times', tensor(4, 0, `J${int32(2 ** 21)}K\x04`, 'K\x00K\x01')],
    ['a size that is text', tensor(4, 0, text('a'), 'K\x01')],
  ])('refuses %s', (_, pickle) => {
    const error = errorOf(() => readCheckpoint(zipped(pickle, { 'net/data/0': new Uint8Array(16) }), 'x.pt'));
    expect(error.code).toBe('model/checkpoint');
    expect(error.message).toContain('tensor w');
  });

  test('says truncated when a storage is missing or short', () => {
    const pickle = tensor(4, 0, 'K\x04', 'K\x01');
    expect(errorOf(() => readCheckpoint(zipped(pickle), 'x.pt')).message).toMatch(/16 bytes of storage 0, got no such entry/);
    expect(errorOf(() => readCheckpoint(zipped(pickle, { 'net/data/0': new Uint8Array(12) }), 'x.pt')).code).toBe('input/truncated');
  });

  test.each([
    ['TorchScript', zipped('\x80\x02N.', { 'net/constants.pkl': new Uint8Array() }), /TorchScript archive/],
    ['big-endian data', zipped('\x80\x02N.', { 'net/byteorder': bytes('big') }), /big-endian/],
    ['another zip', zipSync({ 'a.txt': bytes('a') }), /without data.pkl/],
    ['a pickle that torch.save did not write', bytes('\x80\x02]K\x01a.'), /torch.save did not write/],
    ['an empty dict', zipped('\x80\x02}.'), /dict without a tensor/],
    ['an error page', bytes('<!doctype html><p>Not found'), /begins? with "<!doctype ht"/],
    ['a quantised storage', zipped(tensor(1, 0, 'K\x01', 'K\x01').replace('FloatStorage', 'QInt8Storage')), /storage type torch.QInt8Storage/],
    ['a module that holds itself', zipped(`\x80\x02ca\nNet\n)\x81q\0}(${text('_parameters')}}${text('_buffers')}}${text('_modules')}}${text('me')}h\0sub.`), /holds itself/],
  ])('refuses %s', (_, file, message) => {
    const error = errorOf(() => readCheckpoint(file, 'x.pt'));
    expect(error.code).toBe('model/checkpoint');
    expect(error.message).toMatch(message);
  });
});
