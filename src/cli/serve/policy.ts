import { createHash } from 'node:crypto';

/**
 * Content security policies: nothing is loaded from, sent to, or framed by another origin.
 * Inline scripts are named by their hash; inline styles cannot be (the viewer and its tools set them at run time).
 */
export function pagePolicy(html: string): string {
  const hashes = [...html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)]
    .map(([, script]) => `'sha256-${createHash('sha256').update(script!).digest('base64')}'`);
  return [
    "default-src 'none'",
    `script-src 'self' 'wasm-unsafe-eval' ${[...new Set(hashes)].join(' ')}`.trimEnd(),
    "worker-src 'self' blob:",
    "connect-src 'self' blob: data:",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self' data:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ');
}

/**
 * For scripts: it rules where a script starts a worker and nowhere else. OHIF's decoders need eval (the JPEG-LS codec
 * is compiled that way); ours and tfjs's need blob workers for threads, and no eval.
 */
export function workerPolicy(owner: 'viewer' | 'plugin'): string {
  const scripts = owner === 'viewer' ? "'self' blob: 'wasm-unsafe-eval' 'unsafe-eval'" : "'self' blob: 'wasm-unsafe-eval'";
  return `default-src 'none'; script-src ${scripts}; worker-src 'self' blob:; connect-src 'self' blob: data:`;
}
