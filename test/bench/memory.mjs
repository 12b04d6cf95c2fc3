/**
 * Runs in a page before all else and counts what engines take: bytes of GPU buffers that stand at once, and the
 * WebAssembly memories, which never shrink. The same count for every engine; the JavaScript heap is not in it.
 */
export function countMemory() {
  const count = { gpu: 0, peakGpu: 0, wasm: new Set() };
  if (globalThis.GPUDevice) {
    const sizes = new WeakMap();
    // A buffer that is dropped without destroy() is freed by the garbage collector; it counts until then.
    const dropped = new FinalizationRegistry((held) => { if (!held.freed) { held.freed = true; count.gpu -= held.size; } });
    const createBuffer = GPUDevice.prototype.createBuffer;
    GPUDevice.prototype.createBuffer = function (descriptor) {
      const buffer = createBuffer.call(this, descriptor);
      const held = { size: descriptor.size, freed: false };
      sizes.set(buffer, held);
      dropped.register(buffer, held);
      count.gpu += held.size;
      count.peakGpu = Math.max(count.peakGpu, count.gpu);
      return buffer;
    };
    const destroy = GPUBuffer.prototype.destroy;
    GPUBuffer.prototype.destroy = function () {
      const held = sizes.get(this);
      if (held && !held.freed) { held.freed = true; count.gpu -= held.size; }
      return destroy.call(this);
    };
  }
  const Memory = WebAssembly.Memory;
  const keep = (memory) => { count.wasm.add(memory); return memory; };
  WebAssembly.Memory = new Proxy(Memory, { construct: (target, args) => keep(Reflect.construct(target, args)) });
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const result = await original.apply(WebAssembly, args);
      const { exports } = result.instance ?? result;
      for (const value of Object.values(exports)) if (value instanceof Memory) keep(value);
      return result;
    };
  }
  globalThis.peakBytes = () => count.peakGpu + [...count.wasm].reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
}
