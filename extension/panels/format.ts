import { isInstanceReference, type ImageReference } from '../../src/image/image.ts';
import type { ObjectCount } from '../../src/results/block-instances.ts';
import type { DeviceDescription, Result, Segment, Timing } from '../../src/results/result.ts';
import { picturesOf } from '../identity.ts';

const BACKENDS: { readonly [B in DeviceDescription['backend']]: string } = {
  webgpu: 'WebGPU', webgl: 'WebGL', wasm: 'WebAssembly', cpu: 'JavaScript',
};

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
/** Of a nucleus or two, in mm². */
const twoDigits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
const tenths = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1, minimumFractionDigits: 1 });

/** '24,130 mm²' where the spacing is known, the number of pixels where it is not. Below 100 with one decimal, below 1 with two digits. */
export function formatSize({ areaMm2, volumeMm3, pixels }: Segment): string {
  if (areaMm2 !== undefined) return `${formatNumber(areaMm2)} mm²`;
  if (volumeMm3 !== undefined) return volumeMm3 >= 1000 ? `${formatNumber(volumeMm3 / 1000)} mL` : `${formatNumber(volumeMm3)} mm³`;
  return `${whole.format(pixels)} pixels`;
}

/** Whether sizes are in pixels because the image states no spacing. */
export function lacksSpacing(segments: readonly Segment[]): boolean {
  return segments.some(segment => segment.areaMm2 === undefined && segment.volumeMm3 === undefined);
}

function formatNumber(value: number): string {
  if (value !== 0 && Math.abs(value) < 1) return twoDigits.format(value);
  return (value !== 0 && Math.abs(value) < 100 ? tenths : whole).format(value);
}

/** '840 ms', '1.24 s', '16.1 s', '2 min 05 s'. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
}

/** What the run itself took; loading the model is told apart, since it is paid once. */
export function runMs({ encode, predict, decode }: Timing): number {
  return encode + predict + decode;
}

/** 'prepare 12 ms · network 840 ms · draw 31 ms · load 2.10 s' */
export function formatStages({ load, encode, predict, decode }: Timing): string {
  const stages = [`prepare ${formatDuration(encode)}`, `network ${formatDuration(predict)}`, `result ${formatDuration(decode)}`];
  return [...stages, load > 0 ? `loading the model ${formatDuration(load)}` : 'the model was loaded already'].join(' · ');
}

/** 'WebGPU · google swiftshader (software)' */
export function formatDevice({ backend, adapter, software }: DeviceDescription): string {
  const name = [BACKENDS[backend], adapter].filter(Boolean).join(' · ');
  return software && !/software/i.test(name) ? `${name} (software)` : name;
}

/** '14:03' today, '23 Nov, 14:03' on another day; in the browser's time zone. */
export function formatWhen(createdAt: string, now = new Date()): string {
  const date = new Date(createdAt);
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (date.toDateString() === now.toDateString()) return time;
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${time}`;
}

/** Which image a result is of: 'CR · PA · Chest', with the frame where there are several; of two views, both. */
export function describeSource(result: Result): string {
  return picturesOf(result).map(describePicture).join(' + ');
}

function describePicture({ sources, modality, attributes: { viewPosition, seriesDescription } }: ImageReference): string {
  const [first] = sources;
  const frame = first && isInstanceReference(first) && first.frame > 1 ? `frame ${first.frame}` : undefined;
  const slices = sources.length > 1 ? `${sources.length} slices` : undefined;
  return [modality, viewPosition, seriesDescription, frame, slices].filter(Boolean).join(' · ');
}

/** '312 objects, 14 at the border; median 48.2 µm²'; what is smaller than a hundredth of a square millimetre is in µm². */
export function formatObjects({ count, atBorder, sizes }: Pick<ObjectCount, 'count' | 'atBorder' | 'sizes'>, spacingMm: readonly [number, number] | undefined): string {
  const mm2 = sizes && spacingMm && sizes.median * spacingMm[0] * spacingMm[1];
  const area = mm2 === undefined ? undefined : mm2 < 0.01 ? `${(mm2 * 1e6).toPrecision(3)} µm²` : `${mm2.toPrecision(3)} mm²`;
  const median = area ?? (sizes && `${Number(sizes.median.toFixed(1))} pixels`);
  return [`${count} ${count === 1 ? 'object' : 'objects'}${atBorder ? `, ${atBorder} at the border` : ''}`, ...(median ? [`median ${median}`] : [])].join('; ');
}

/** '340 kB', '12.4 MB' */
export function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${tenths.format(bytes / 1e6)} MB`;
}

/** '1 label', '3 labels' */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** A time that is foretold: '40 s', '12 min', '2 h 5 min'. */
export function formatLeft(seconds: number): string {
  if (seconds < 55) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
