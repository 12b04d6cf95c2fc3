import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { Attribution } from '../../../src/cli/audit/attribution.ts';
import type { ExplainingRunner } from '../../../src/cli/model-runner.ts';
import type { AuditedPicture } from '../../../src/evaluation/site-audit/audited.ts';
import type { Image } from '../../../src/image/image.ts';
import { createNodeEngine } from '../../../src/node.ts';
import { MARKER, type generated } from './generated.ts';
import { LABEL, spotModel } from './network.ts';

const SIDE = 64;

/** A network that answers to bright spots anywhere, the marker's among them, on plain JavaScript. */
export async function spotRunner(): Promise<ExplainingRunner> {
  await setBackend('cpu');
  const files = await spotModel();
  const engine = await createNodeEngine({ backend: 'cpu', fetchModel: () => files });
  const location = 'memory';
  const [manifest, device, identity] = [await engine.describe(location), await engine.start(), await engine.load(location)];
  let jobs = 0;
  const job = (images: readonly Image[]) => ({ jobId: `${++jobs}`, location, images });
  return { manifest, device, identity, run: images => engine.run(job(images)), explain: (images, request) => engine.explain({ ...job(images), request }), features: images => engine.features(job(images)), close: () => engine.dispose() };
}

/** The share of Grad-CAM maps on the marker's place, at the site that has it and at the other. */
export async function shareOnMarker(runner: ExplainingRunner, pictures: ReturnType<typeof generated>): Promise<{ readonly a: number; readonly b: number }> {
  const attribution = new Attribution({ runner, request: { method: 'grad-cam', target: LABEL }, curves: 0 });
  // A pixel of the map's grid, 32 a side, reaches into its neighbours.
  const near = (at: number) => at >= MARKER.from - 3 && at < MARKER.to + 3;
  const mask = Float32Array.from({ length: SIDE * SIDE }, (_, i) => Number(near(i % SIDE) && near(Math.floor(i / SIDE))));
  for (const picture of pictures) await attribution.look({ ...picture, image: imageOf(picture.thumbnail, picture.id), mask: async () => imageOf(mask, 'mask') }, picture);
  const { shares } = attribution.finish();
  const of = (group: string) => shares.find(share => share.region === 'mask' && share.factor === 'site' && share.group === group)!.share.value;
  return { a: of('A'), b: of('B') };
}

export function imageOf(pixels: AuditedPicture['thumbnail'], file: string): Image {
  return { pixels, shape: [SIDE, SIDE, 1], channels: 1, representableRange: [0, 1], sources: [{ file }], modality: 'OT', attributes: { viewPosition: 'PA' } };
}
