import { backend, env, findBackendFactory, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import { OverreadError } from '../errors.ts';
import { isSoftwareName, type Device, type Refusal } from './device.ts';
import type { RuntimeOptions } from './types.ts';

interface WebGLBackendParts {
  readonly gpgpu: { readonly gl: WebGL2RenderingContext };
}

/** Opens tfjs's WebGL backend when the page's WebGL 2 runs on a real GPU with 32-bit float textures. */
export async function openWebGL(options: RuntimeOptions, reason: string): Promise<Device | Refusal> {
  const renderer = rendererName();
  if (renderer === undefined) return { refused: 'not offered here' };
  const software = isSoftwareName(renderer);
  if (software && !options.allowSoftware) return { refused: `only a software renderer (${renderer})` };

  const webgl = await import('@tensorflow/tfjs-backend-webgl');
  if (software) env().set('SOFTWARE_WEBGL_ENABLED', true);
  // Half floats lose the fourth digit of a logit without a word.
  if (!env().getBool('WEBGL_RENDER_FLOAT32_CAPABLE')) return { refused: `no 32-bit float textures (${renderer})` };
  if (findBackendFactory('webgl')) removeBackend('webgl');
  registerBackend('webgl', () => new webgl.MathBackendWebGL(), 2);
  if (!(await setBackend('webgl'))) return { refused: `tfjs did not start on ${renderer}` };
  return new WebGLDevice((backend() as unknown as WebGLBackendParts).gpgpu.gl, { backend: 'webgl', adapter: renderer, software, reason });
}

class WebGLDevice implements Device {
  readonly lost: Promise<string>;
  readonly maxTensor: Device['maxTensor'];
  #lostBecause: string | undefined;
  #error: string | undefined;
  #closed = false;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    readonly description: Device['description'],
  ) {
    const side = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
    this.maxTensor = { bytes: side * side * 16, limit: 'MAX_TEXTURE_SIZE' };
    this.lost = new Promise(resolve => {
      gl.canvas.addEventListener('webglcontextlost', () => {
        if (this.#closed) return;
        this.#lostBecause = 'webglcontextlost';
        resolve(this.#lostBecause);
      });
    });
  }

  broken(): string | undefined {
    if (this.gl.isContextLost()) this.#lostBecause ??= 'webglcontextlost';
    return this.#lostBecause ?? this.#error;
  }

  async guard<T>(work: () => Promise<T>): Promise<T> {
    const value = await Promise.race([work().catch((error: unknown) => this.#explain(error)), this.lost.then(() => this.#explain())]);
    if (this.gl.isContextLost()) this.#explain();
    const code = this.gl.getError();
    if (code !== this.gl.NO_ERROR) {
      this.#error = `WebGL error 0x${code.toString(16)}`;
      throw new OverreadError(
        'device/gpu-error',
        `The GPU reported ${this.#error}, so the result was thrown away. The device is made anew for the next run; ` +
          'if it happens again, choose the wasm backend.',
        { expected: 'no GPU error', got: code },
      );
    }
    return value;
  }

  lose(): void {
    this.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  retire(): void {
    this.#closed = true;
  }

  close(): void {
    this.retire();
    if (findBackendFactory('webgl')) removeBackend('webgl');
  }

  #explain(error?: unknown): never {
    if (this.broken() === undefined && error !== undefined) throw error;
    throw new OverreadError(
      'device/lost',
      'The WebGL context was lost during the run. Nothing was kept of it; run again, the device is made anew.',
      { expected: 'a context until the end of the run', got: this.#lostBecause },
      error,
    );
  }
}

/** The renderer's own name, or undefined where there is no WebGL 2. */
function rendererName(): string | undefined {
  if (typeof OffscreenCanvas === 'undefined') return undefined;
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (!gl) return undefined;
  const debug = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(debug ? debug.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  // Browsers allow few contexts: this one was only for its name.
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return name;
}
