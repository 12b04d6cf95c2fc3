/** What the browser's adapter can do at best, with the limits that it has. */
import { ceilings } from '../ceilings.ts';

window.ceilings = async () => {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('There is no adapter.');
  const device = await adapter.requestDevice();
  const found = await ceilings(device);
  device.destroy();
  return found;
};
