import type { Image } from '../../../src/image/image.ts';
import type { ModelManifest } from '../../../src/manifest.ts';
import { referenceOf } from '../../../src/image/image.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import type { ModelRunner } from '../../../src/cli/model-runner.ts';

const device = { backend: 'cpu', adapter: 'none', software: true, reason: 'a test' } as const;
const identity = { id: 'bright', version: '1.0.0', name: 'Bright', sha256: 'ab'.repeat(32), notice: 'Research use only.' };
export const target = { label: 'bright', concept: { codeValue: '1', codingSchemeDesignator: '99TEST', codeMeaning: 'bright' } };

const manifest = { id: 'bright', task: 'segment', input: { layout: 'NHWC' } } as unknown as ModelManifest;

/** A picture of modality 'DX', one value a pixel. */
export function picture(columns: number, rows: number, pixels: ArrayLike<number>, more: Partial<Image> = {}): Image {
  return {
    sources: [{ file: 'picture.png' }], modality: 'DX', shape: [columns, rows, 1], channels: 1, attributes: {},
    pixels: Float32Array.from(pixels), representableRange: [0, 255], ...more,
  };
}

/** Finds pixels of 128 and above; `refuse` may throw for an image first. */
export function fakeRunner(refuse: (image: Image) => void = () => {}, volumes = false): ModelRunner {
  return {
    manifest: volumes ? ({ ...manifest, input: { layout: 'NDHWC' } } as ModelManifest) : manifest,
    identity, device,
    async run(images) {
      const [image] = images as [Image];
      refuse(image);
      const labels = Uint8Array.from(image.pixels, v => Number(v >= 128));
      const pixels = labels.reduce((sum, v) => sum + v, 0);
      const result: LabelmapResult = {
        kind: 'labelmap', labels, model: identity, device, source: referenceOf(image), createdAt: '2026-01-01T00:00:00.000Z',
        timingMs: { load: 1, encode: 2, predict: 3, decode: 4 },
        segments: [{ target, segmentNumber: 1, pixels, ...(image.spacingMm && { areaMm2: pixels * image.spacingMm[0] * image.spacingMm[1] }) }],
      };
      return result;
    },
    close: async () => {},
  };
}
