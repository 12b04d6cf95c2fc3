/** A browser with WebGPU on a real adapter where there is one, else on Chromium's SwiftShader. */
import { chromium } from 'playwright-core';
import { findBrowser } from '../../src/cli/setup/browser.mjs';

const COMMON = ['--no-sandbox', '--disable-background-networking', '--no-first-run', '--enable-unsafe-webgpu'];
const REAL = [...COMMON, '--enable-features=Vulkan', '--ignore-gpu-blocklist'];
const SOFTWARE = [...COMMON, '--use-webgpu-adapter=swiftshader'];

/** @returns {Promise<{browser, version: string, adapter: string, software: boolean}>} `adapter` is 'none' without WebGPU */
export async function launchBrowser(origin) {
  const found = await findBrowser({ install: true });
  if (!found.path) throw new Error(`The benchmark needs a browser: ${found.reason}`);
  for (const args of [REAL, SOFTWARE]) {
    const browser = await chromium.launch({ executablePath: found.path, headless: true, args });
    const info = await adapterOf(browser, origin);
    const software = !info || /swiftshader|llvmpipe|lavapipe|software/i.test(info);
    if (!software || args === SOFTWARE) return { browser, version: browser.version(), adapter: info ?? 'none', software };
    await browser.close();
  }
}

async function adapterOf(browser, origin) {
  const page = await browser.newPage();
  try {
    await page.goto(`${origin}/blank.html`);
    return await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
      return adapter ? [adapter.info.vendor, adapter.info.architecture, adapter.info.device, adapter.info.description].filter(Boolean).join(' ') : undefined;
    });
  } finally {
    await page.close();
  }
}
