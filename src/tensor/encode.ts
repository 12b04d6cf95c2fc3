import { tensor4d } from '@tensorflow/tfjs-core';
import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { InputSpec } from '../manifest.ts';
import type { EncodedPlane } from '../tasks/task.ts';
import { applyChannels, planChannels } from './channels.ts';
import { normalise } from './normalise.ts';
import { cropPlane, fitPlane, padPlane } from './place.ts';
import { resize, type Plane } from './resize.ts';

/** An {@link EncodedPlane} before it is a tensor. */
export interface EncodedValues extends Pick<EncodedPlane, 'placement'> {
  /** rows · columns · channels of the network's input */
  readonly values: Float32Array;
}

/**
 * One plane of an image → [1, rows, columns, channels]: channels, normalise (over all source pixels), crop, resize
 * with antialiasing, pad.
 * @param slice which plane, from 0
 * @throws OverreadError `input/refused`, `input/unsupported-pixels`
 */
export function encodePlane(image: Image, spec: InputSpec, slice = 0): EncodedPlane {
  const { values, placement } = encodePlaneValues(image, spec, slice);
  return { tensor: tensor4d(values, [1, ...spec.shape] as [number, number, number, number]), placement };
}

/** As {@link encodePlane}, without a device. */
export function encodePlaneValues(image: Image, spec: InputSpec, slice = 0): EncodedValues {
  const plan = planChannels(image, spec);
  const source = applyChannels(image, plan);
  const [columns, rows] = source.shape;
  const [inputRows, inputColumns, inputChannels] = spec.shape as [number, number, number];

  const values = normalise(source, spec);
  const plane: Plane = { values: planeOf(values, columns * rows * source.channels, slice), columns, rows, channels: source.channels };
  const { crop, size, at, placement } = fitPlane(planeFit(spec), [columns, rows], [inputColumns, inputRows]);
  const placed = padPlane(resize(cropPlane(plane, crop), size), [inputColumns, inputRows], at, spec.valueRange[0]);
  return { values: plan === 'replicate grey' ? replicate(placed.values, inputChannels) : placed.values, placement };
}

/** The manifest's schema lets volumes alone be conformed. */
function planeFit({ fit }: InputSpec): Exclude<InputSpec['fit'], 'conform'> {
  if (fit !== 'conform') return fit;
  throw new OverreadError('internal', "Expected a fit of planes, got 'conform', which is for volumes. Please report this.", { got: fit });
}

function planeOf(values: Float32Array, size: number, slice: number): Float32Array {
  return values.subarray(slice * size, (slice + 1) * size);
}

function replicate(values: Float32Array, channels: number): Float32Array {
  const out = new Float32Array(values.length * channels);
  for (let i = 0; i < values.length; i++) out.fill(values[i]!, i * channels, (i + 1) * channels);
  return out;
}
