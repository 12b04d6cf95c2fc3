/**
 * Watches WebGPU inside the engine's worker from outside: its script is served with a few lines in front that remember
 * the devices and count live buffers. The product knows nothing of it.
 */
const WATCH = `
const watched = self.watchedGPU = { devices: [], buffers: new Set() };
if (self.GPUAdapter) {
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await request.apply(this, args);
    watched.devices.push(device);
    const create = device.createBuffer.bind(device);
    device.createBuffer = descriptor => {
      const buffer = create(descriptor);
      watched.buffers.add(buffer);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => { watched.buffers.delete(buffer); destroy(); };
      return buffer;
    };
    return device;
  };
}
`;
const WORKER = /\/overread\/chunks\/overread\.[0-9a-f]+\.js$/;

/** Call before the page runs a model. */
export async function watchGPU(page) {
  await page.route(WORKER, async route => {
    const response = await route.fetch();
    await route.fulfill({ response, body: WATCH + (await response.text()) });
  });
}

function engineWorker(page) {
  const worker = page.workers().find(w => WORKER.test(w.url()));
  if (!worker) throw new Error(`No engine worker among ${page.workers().map(w => w.url())}`);
  return worker;
}

/** Destroys the newest device, as a driver reset would. */
export function destroyDevice(page) {
  return engineWorker(page).evaluate(() => { self.watchedGPU.devices.at(-1).destroy(); });
}

/** Live buffers and their bytes. */
export function liveBuffers(page) {
  return engineWorker(page).evaluate(() => {
    const buffers = [...self.watchedGPU.buffers];
    return { count: buffers.length, bytes: buffers.reduce((sum, b) => sum + b.size, 0), devices: self.watchedGPU.devices.length };
  });
}
