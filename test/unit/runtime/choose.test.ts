import { chooseDevice, type Openers } from '../../../src/runtime/choose.ts';
import { isSoftwareName, NEVER, type Device, type Refusal } from '../../../src/runtime/device.ts';
import type { Backend } from '../../../src/runtime/types.ts';

const device = (backend: Backend, reason: string): Device => ({
  description: { backend, adapter: 'a', software: false, reason },
  maxTensor: { bytes: 1, limit: 'l' },
  lost: NEVER,
  broken: () => undefined,
  guard: work => work(),
  lose: () => {},
  retire: () => {},
  close: () => {},
});

/** What each backend answers: a device, a refusal, or an error. */
function openers(answers: Partial<Record<Backend, string | Error>>, tried: Backend[] = []): Openers {
  const opener = (backend: Backend) => async (reason: string): Promise<Device | Refusal> => {
    tried.push(backend);
    const answer = answers[backend];
    if (answer instanceof Error) throw answer;
    return answer === undefined ? device(backend, reason) : { refused: answer };
  };
  return { webgpu: opener('webgpu'), webgl: opener('webgl'), wasm: opener('wasm'), cpu: opener('cpu') };
}

describe('chooseDevice', () => {
  test('takes the best, and says so', async () => {
    const tried: Backend[] = [];
    expect((await chooseDevice({}, openers({}, tried))).device.description).toMatchObject({ backend: 'webgpu', reason: 'WebGPU is the fastest' });
    expect(tried).toEqual(['webgpu']);
  });

  test('says why each better one was not taken', async () => {
    const { device: taken } = await chooseDevice({}, openers({ webgpu: 'no adapter', webgl: new Error('context denied') }));
    expect(taken.description).toMatchObject({ backend: 'wasm', reason: 'WebGPU: no adapter; WebGL: context denied' });
  });

  test('never falls to plain JavaScript', async () => {
    const tried: Backend[] = [];
    await expect(chooseDevice({}, openers({ webgpu: 'a', webgl: 'b', wasm: 'c' }, tried))).rejects.toMatchObject({
      code: 'device/unavailable',
      fields: { got: ['WebGPU: a', 'WebGL: b', 'WebAssembly: c'] },
    });
    expect(tried).toEqual(['webgpu', 'webgl', 'wasm']);
  });

  test('what is asked for is taken or refused, nothing else is tried', async () => {
    const tried: Backend[] = [];
    const all = openers({ webgl: 'only a software renderer' }, tried);
    await expect(chooseDevice({ backend: 'webgl' }, all)).rejects.toMatchObject({ code: 'device/unavailable', fields: { expected: 'WebGL' } });
    expect(tried).toEqual(['webgl']);
    expect((await chooseDevice({ backend: 'cpu' }, all)).device.description).toMatchObject({ backend: 'cpu', reason: 'plain JavaScript was asked for' });
  });

  test('opens the same backend again, for the same reason, or says that it is gone', async () => {
    const answers: Partial<Record<Backend, string>> = { webgpu: 'no adapter' };
    const { reopen } = await chooseDevice({}, openers(answers));
    expect((await reopen()).description).toMatchObject({ backend: 'webgl', reason: 'WebGPU: no adapter' });
    answers.webgl = 'gone';
    await expect(reopen()).rejects.toMatchObject({ code: 'device/unavailable', fields: { got: ['gone'] } });
  });
});

test.each([
  ['google swiftshader', true],
  ['ANGLE (Mesa, llvmpipe (LLVM 15.0.7, 256 bits), OpenGL 4.5)', true],
  ['ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11)', true],
  ['nvidia hopper', false],
  ['ANGLE (Apple, ANGLE Metal Renderer: Apple M2, Unspecified Version)', false],
  ['intel gen-12lp', false],
])('%s is software: %p', (name, software) => {
  expect(isSoftwareName(name)).toBe(software);
});
