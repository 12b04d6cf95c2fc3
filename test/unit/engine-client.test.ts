import { expose } from 'comlink';
import { connectEngine, type EngineClient } from '../../src/engine-client.ts';
import { createEngineService } from '../../src/engine-service.ts';
import type { WorkerOptions } from '../../src/engine-protocol.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import type { Progress } from '../../src/runtime/types.ts';
import { FIXTURES, WASM, disc } from './runtime/tiny.ts';
import { readFile } from 'node:fs/promises';

/** A worker without a thread: the service behind a real message port, so that everything is cloned and transferred. */
class PortWorker extends EventTarget {
  readonly #port: MessagePort;
  terminated = false;

  constructor(listening = true) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.#port = port2;
    if (listening) expose(createEngineService(), port1);
    this.addEventListener = (type: string, ...rest: unknown[]) => {
      if (type === 'error' || type === 'messageerror') super.addEventListener(type, ...(rest as [EventListener]));
      else (port2.addEventListener as (...all: unknown[]) => void)(type, ...rest);
    };
    this.removeEventListener = port2.removeEventListener.bind(port2) as EventTarget['removeEventListener'];
    port2.start();
  }
  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
  terminate(): void {
    this.terminated = true;
    this.#port.close();
  }
}

const BASE = 'https://models.invalid/';
const workers: PortWorker[] = [];
const connect = (options: WorkerOptions = {}, listening = true): EngineClient =>
  connectEngine(() => {
    const worker = new PortWorker(listening);
    workers.push(worker);
    return worker as unknown as Worker;
  }, { backend: 'wasm', wasmPath: WASM, ...options });

describe('the engine through its worker', () => {
  const realFetch = globalThis.fetch;
  let client: EngineClient;

  beforeAll(() => {
    globalThis.fetch = (async (url: string) => {
      try {
        return new Response(await readFile(url.replace(BASE, `${FIXTURES}/`)));
      } catch {
        return new Response('', { status: 404 });
      }
    }) as typeof fetch;
  });
  afterAll(() => {
    globalThis.fetch = realFetch;
  });
  afterEach(() => client.dispose());

  test('runs, reports progress, hands the pixels over and the result back', async () => {
    client = connect();
    const image = disc(40, 40);
    const stages: string[] = [];
    const result = (await client.run({ location: `${BASE}tiny-bright/`, images: [image] }, { onProgress: p => stages.push(p.stage) })) as LabelmapResult;
    expect(result.labels).toHaveLength(1600);
    expect(result.segments[0]!.pixels).toBeGreaterThan(0);
    expect(image.pixels).toHaveLength(0);
    expect(stages).toEqual(expect.arrayContaining(['download', 'compile', 'infer', 'decode']));
    expect(await client.memory()).toMatchObject({ models: 1 });
  });

  test('explains a score: the map is handed back, a cancelled one stops', async () => {
    client = connect();
    const image = disc(40, 30);
    const location = `${BASE}tiny-scores/`;
    const fractions: number[] = [];
    const onProgress = ({ fraction, stage }: Progress) => stage === 'infer' && fraction !== undefined && fractions.push(fraction);
    const [map, ...others] = await client.explain({ location, images: [image], request: { method: 'occlusion', target: 'Bright', size: 8, stride: 8 } }, { onProgress });
    expect(others).toEqual([]);
    expect(map).toMatchObject({ kind: 'heatmap', target: { label: 'Bright' }, saliency: { method: 'occlusion', parameters: { size: 8, stride: 8 } }, source: { shape: [40, 30, 1] } });
    expect(map!.values).toHaveLength(1200);
    // What is brighter than the mean makes the score of brightness.
    expect(map!.values[15 * 40 + 20]).toBeGreaterThan(0);
    // The model sees the square in the middle only.
    expect(map!.values[8]).toBeLessThan(0);
    expect(map!.values[0]).toBe(0);
    expect(image.pixels).toHaveLength(0);
    expect(fractions.at(-1)).toBe(1);

    const stop = new AbortController();
    const stopped = client.explain({ location, images: [disc(40, 30)], request: { method: 'occlusion', target: 'Bright', size: 4, stride: 1 } }, {
      signal: stop.signal, onProgress: ({ fraction }) => fraction !== undefined && stop.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'job/cancelled' });
    await expect(client.explain({ location, images: [disc(8, 8)], request: { method: 'grad-cam', target: 'Bright' } })).rejects.toMatchObject({
      code: 'device/unavailable', message: expect.stringContaining('Choose occlusion'),
    });
  });

  test('a view into a larger buffer is copied, not taken away', async () => {
    client = connect();
    const whole = new Float32Array(100).fill(1);
    const image = { ...disc(8, 8), pixels: whole.subarray(10, 74) };
    await client.run({ location: `${BASE}tiny-bright`, images: [image] });
    expect(whole).toHaveLength(100);
  });

  test('errors keep their code, fields and text', async () => {
    client = connect();
    await expect(client.load(`${BASE}nothing`)).rejects.toMatchObject({
      name: 'OverreadError', code: 'model/not-found', fields: { got: 404 }, message: expect.stringContaining(`${BASE}nothing/manifest.json`),
    });
    await expect(client.describe(`${BASE}tiny-unet`)).resolves.toMatchObject({ id: 'tiny-unet' });
  });

  test('a cancelled run rejects at once and the engine goes on', async () => {
    client = connect();
    const stop = new AbortController();
    const run = client.run({ location: `${BASE}tiny-unet`, images: [disc(40, 40)] }, { signal: stop.signal });
    stop.abort();
    await expect(run).rejects.toMatchObject({ code: 'job/cancelled' });
    await expect(client.run({ location: `${BASE}tiny-bright`, images: [disc(8, 8)] })).resolves.toMatchObject({ kind: 'labelmap' });
    await expect(client.load(`${BASE}tiny-bright`, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'job/cancelled' });
  });

  test('a worker that dies rejects what is pending; the next call has another worker', async () => {
    client = connect();
    await client.start();
    const dying = workers.at(-1)!;
    const run = client.run({ location: `${BASE}tiny-bright`, images: [disc(8, 8)] });
    dying.dispatchEvent(Object.assign(new Event('error'), { message: 'out of memory' }));
    await expect(run).rejects.toMatchObject({ code: 'device/lost', message: expect.stringContaining('out of memory') });
    expect(dying.terminated).toBe(true);
    await expect(client.start()).resolves.toMatchObject({ backend: 'wasm' });
    expect(workers.at(-1)).not.toBe(dying);
  });

  test('restart rejects what hangs', async () => {
    client = connect({}, false);
    const hanging = client.start();
    client.restart();
    await expect(hanging).rejects.toMatchObject({ code: 'device/lost' });
  });

  test('the device can be taken away only where that was asked for', async () => {
    client = connect();
    await expect(client.loseDevice()).rejects.toMatchObject({ code: 'config/invalid' });
    client.dispose();
    client = connect({ debug: true });
    await expect(client.loseDevice()).resolves.toBeUndefined();
  });

  test('a client that was disposed says so', async () => {
    client = connect();
    client.dispose();
    await expect(client.start()).rejects.toMatchObject({ code: 'internal' });
  });
});
