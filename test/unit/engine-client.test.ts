import { expose } from 'comlink';
import { connectEngine, type EngineClient } from '../../src/engine-client.ts';
import { createEngineService } from '../../src/engine-service.ts';
import type { WorkerOptions } from '../../src/engine-protocol.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import type { Progress } from '../../src/runtime/types.ts';
import type { EngineTrainingJob } from '../../src/engine-training.ts';
import type { FineTuneEvent } from '../../src/fine-tune.ts';
import { FIXTURES, WASM, disc, picture } from './runtime/tiny.ts';
import { memoryStore, recipe } from './training/made.ts';
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

  test('trains in turns with other runs; paused and gone on with by another worker it ends as one that was not', async () => {
    const job = (): EngineTrainingJob => {
      const inside = (i: number) => (x: number, y: number) => Math.hypot(x - 10 - 3 * i, y - 16) < 5;
      const items = [0, 1, 2, 3].map(i => ({ id: `${i}`, patientId: `p${i}`, images: [{ path: `${i}` }], mask: `${i} mask` }));
      const images = items.flatMap(({ id }, i) => [[id, picture(32, 32, (x, y) => 50 + 120 * Number(inside(i)(x, y)))], [`${id} mask`, picture(32, 32, (x, y) => Number(inside(i)(x, y)))]] as const);
      return { location: `${BASE}tiny-unet/`, recipe: recipe({ validation: { every: 6, share: 0.5 } }), dataset: { schemaVersion: 1, name: 'discs', licence: 'CC0', items }, images: new Map(images), id: 'mine', name: 'Mine', allowSlow: true };
    };
    client = connect();
    const store = memoryStore();
    const run = client.fineTune(job(), { checkpoints: store, onEvent: event => event.kind === 'step' && event.point.step === 5 && run.pause() });
    const [other] = await Promise.all([client.run({ location: `${BASE}tiny-bright/`, images: [disc(40, 40)] }), expect(run.result).rejects.toMatchObject({ code: 'job/cancelled' })]);
    expect(other.kind).toBe('labelmap');
    expect(store.bytes).toBeDefined();
    client.restart();
    const events: FineTuneEvent[] = [];
    const gone = await client.fineTune(job(), { checkpoints: store, onEvent: event => events.push(event) }).result;
    const whole = await client.fineTune(job()).result;
    expect(events.map(({ kind }) => kind).filter((kind, i, all) => kind !== all[i - 1])).toEqual(expect.arrayContaining(['data', 'start', 'step', 'validation', 'measuring']));
    expect(events.flatMap(event => (event.kind === 'start' ? [event.step] : []))[0]).toBeGreaterThanOrEqual(5);
    expect(gone.files.get('weights.bin')).toEqual(whole.files.get('weights.bin'));
    expect(gone.manifest).toMatchObject({ id: 'mine', name: 'Mine', training: { parent: { id: 'tiny-unet' }, dataset: { train: { patients: 2 }, validation: { patients: 2 } } } });
    expect(gone.report.curve).toEqual(whole.report.curve);
    // A mask that was drawn anew since is another run.
    const redrawn = job();
    redrawn.images.get('0 mask')!.pixels[0] = 1;
    redrawn.images.get('3 mask')!.pixels[0] = 1;
    await expect(client.fineTune(redrawn, { checkpoints: store }).result).rejects.toMatchObject({ code: 'store/invalid', message: expect.stringMatching(/another training/) });
    await expect(client.fineTune({ ...job(), allowSlow: false }).result).rejects.toMatchObject({ code: 'device/unavailable', message: expect.stringMatching(/GPU/) });
  });

  test('trains a classifier on findings, guided by masks, and measures areas; labels of one class or one patient are refused by name', async () => {
    client = connect();
    const location = `${BASE}tiny-scores/`;
    const { output: { targets: [first] }, input: { shape } } = await client.describe(location);
    const label = first!.label;
    const job = (count: number, value: (i: number) => 0 | 1): EngineTrainingJob => {
      const [rows, columns] = shape as readonly number[];
      const items = Array.from({ length: count }, (_, i) => ({ id: `${i}`, patientId: `p${i}`, images: [{ path: `${i}` }], mask: `${i} mask`, labels: { [label]: value(i) } }));
      const images = items.flatMap(({ id }, i) => [
        [id, picture(columns!, rows!, (x, y) => (Math.hypot(x - 12, y - 12) < 6 ? 90 + 80 * value(i) : 60 + ((7 * x + 5 * y + 11 * i) % 20)), { modality: 'CR', attributes: { viewPosition: 'PA' } })],
        [`${id} mask`, picture(columns!, rows!, (x, y) => Number(Math.hypot(x - 12, y - 12) < 6))],
      ] as const);
      const of = recipe({ steps: 6, loss: { kind: 'cross-entropy' }, guidance: { kind: 'rrr', weight: 1 }, sampler: 'balanced', validation: { every: 3, share: 0.5 } });
      return { location, recipe: of, dataset: { schemaVersion: 1, name: 'discs', licence: 'CC0', items }, images: new Map(images), id: 'mine', allowSlow: true };
    };
    const tuned = await client.fineTune(job(12, i => (i % 2 ? 1 : 0))).result;
    const area = tuned.report.metrics[`auc:${label}`]!;
    expect(area.difference.value).toBeCloseTo(area.tuned.value - area.base.value, 9);
    expect(tuned.report.curve.filter(({ loss }) => loss !== undefined)).toHaveLength(6);
    // Guided by masks: how far the derivatives lie in them stands beside the area, with its warning.
    const { base, tuned: after, difference } = tuned.report.metrics.saliencyIou!;
    expect([base, after].every(({ value }) => value >= 0 && value <= 1)).toBe(true);
    expect(difference.value).toBeCloseTo(after.value - base.value, 9);
    expect(tuned.card).toContain('does not prove that the model is right');
    // Every held-back picture is in one bin of the calibration.
    const held = tuned.report.dataset.validation.items;
    const { [label]: bins } = tuned.report.reliability!;
    for (const side of [bins!.base, bins!.tuned]) expect(side.reduce((sum, { n }) => sum + n, 0)).toBe(held);
    await expect(client.fineTune(job(6, () => 1)).result).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringMatching(new RegExp(`${label} 1 only`)) });
    await expect(client.fineTune(job(1, () => 1)).result).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringMatching(/at least two patients/) });
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
