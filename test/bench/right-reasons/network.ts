import { initializers, input, layers as tfl, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { identityOf, sha256 } from '../../../src/runtime/sha256.ts';
import type { VerifiedModel } from '../../../src/runtime/verified.ts';
import { classifierFolder } from '../classifier-folder.ts';
import { SIDE } from './pictures.ts';

/** Three convolutions, the largest of each feature (a mean would drown a disc of 38 pixels), one score. */
export async function untrained(seed: number): Promise<VerifiedModel> {
  let drawn = 0;
  const kernelInitializer = () => initializers.heNormal({ seed: 1000 * seed + drawn++ });
  const conv = (filters: number, x: SymbolicTensor) => tfl.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: kernelInitializer() }).apply(x) as SymbolicTensor;
  const image = input({ shape: [SIDE, SIDE, 1], name: 'image' });
  const half = tfl.maxPooling2d({ poolSize: 2 }).apply(conv(12, conv(12, image))) as SymbolicTensor;
  const vector = tfl.globalMaxPooling2d({}).apply(conv(24, half)) as SymbolicTensor;
  const score = tfl.dense({ units: 1, kernelInitializer: kernelInitializer() }).apply(vector) as SymbolicTensor;
  const network = modelOf({ inputs: image, outputs: score });
  const { manifest, hashes, files } = await classifierFolder(network, {
    id: 'discs', name: 'Discs', labels: ['Disc'], normalisation: { kind: 'zscore' }, intendedUse: 'The right-reasons experiment.', notice: 'Knows discs in noise only. Not for diagnosis.',
  });
  return { manifest, identity: { id: 'discs', version: '1.0.0', name: 'Discs', notice: manifest.notice, sha256: await identityOf(await sha256(new Uint8Array()), hashes) }, files, bytes: [...files.values()].reduce((sum, { length }) => sum + length, 0) };
}
