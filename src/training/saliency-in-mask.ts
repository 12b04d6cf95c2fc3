import { abs, avgPool, grad, mean, mul, sum, tensor, tensor2d, tidy, type Tensor4D } from '@tensorflow/tfjs-core';
import type { Device } from '../runtime/device.ts';
import { buildNetwork } from '../runtime/network.ts';
import type { VerifiedModel } from '../runtime/verified.ts';
import type { Example } from './examples.ts';
import { TrainableNetwork } from './trainable.ts';

/** Pixels over which the derivative is averaged: single ones of it are noise. */
const SMOOTHED = 3;

/**
 * Where a classifier's scores come from, against masks of where they should: of each picture that has a mask and a finding,
 * the strongest pixels of the derivative of its findings' logits, as many as the mask has, against the mask, as intersection
 * over union. A saliency that lies in the mask does not prove that a model is right, nor the other way round (Viviano et al.
 * 2019, arXiv 1910.00199): read it beside the area under the curve only.
 * @returns 0..1 by the example's id; examples without a mask, with a mask of everything, or without a finding are left out
 */
export async function saliencyInMasks(device: Device, verified: VerifiedModel, examples: readonly Example[]): Promise<ReadonlyMap<string, number>> {
  const asked = examples.filter(({ classes, labels }) => labels?.includes(1) && classes?.includes(1) && classes.includes(0));
  if (asked.length === 0) return new Map();
  const network = await buildNetwork(verified);
  try {
    const trainable = new TrainableNetwork(network.layersModel!, { layers: 'all', norms: 'frozen' });
    const found = new Map<string, number>();
    for (const { id, picture, rows, columns, channels, labels, classes } of asked) {
      const slope = tidy(() => {
        const findings = tensor2d(Float32Array.from(labels!, label => Number(label === 1)), [1, labels!.length]);
        const of = grad(x => sum(mul(trainable.compute([x]).outputs[0]!, findings)))(tensor(picture, [1, rows, columns, channels]));
        return avgPool(mean(abs(of), 3, true) as Tensor4D, SMOOTHED, 1, 'same');
      });
      try {
        found.set(id, overlap((await device.guard(() => slope.data())) as Float32Array, classes!));
      } finally {
        slope.dispose();
      }
    }
    return found;
  } finally {
    network.dispose();
  }
}

/** The strongest pixels, as many as are in the mask, against it: intersection over union. */
function overlap(saliency: Float32Array, mask: Uint8Array): number {
  const count = mask.reduce((total, inside) => total + Number(inside > 0), 0);
  const strongest = [...saliency.keys()].sort((a, b) => saliency[b]! - saliency[a]!).slice(0, count);
  const both = strongest.reduce((total, i) => total + Number(mask[i]! > 0), 0);
  return both / (2 * count - both);
}
