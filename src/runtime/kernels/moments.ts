import { groupsOf, kernel, repeat, valuesOf, type Launch, type Place } from './kernel.ts';

export interface Moments {
  readonly n: number;
  /** Of one plane. */
  readonly pixels: number;
  readonly quads: number;
  readonly variance: boolean;
  readonly present: Place;
  readonly xs: readonly Place[];
  /** Quads of the mean, then those of the variance. */
  readonly y: Place;
}

/**
 * Mean and unbiased variance over the inputs that are present (Havaei et al. 2016, arXiv 1607.05194); one invocation a
 * pixel and quad. The variance of a single input is zero. Reads present [n][inputs], then the inputs.
 */
export function moments({ n, pixels, quads, variance, present, xs, y }: Moments): Launch {
  const names = ['tasks', 'quads', 'pixels', 'yStride', 'yOffset', 'presentStride', 'presentOffset', ...xs.flatMap((_, i) => [`stride${i}`, `offset${i}`])];
  const tasks = n * pixels * quads;
  const sum = (code: (i: number) => string) => repeat(xs.length, code, ' + ');
  return {
    kernel: kernel({
      key: `moments/${xs.length}/${variance}`,
      params: names,
      reads: [['present', 'stored'], ...xs.map((_, i) => [`x${i}`, 'stored'] as const)],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  let start = pixel / p.pixels * p.presentStride + p.presentOffset;
${repeat(xs.length, i => `
  let h${i} = vec4f(present[start + ${i >> 2}u])[${i & 3}];
  let v${i} = vec4f(x${i}[pixel * p.stride${i} + p.offset${i} + c]);`, '')}
  let count = ${sum(i => `h${i}`)};
  let mean = (${sum(i => `v${i} * h${i}`)}) / count;
  let at = pixel * p.yStride + p.yOffset + c;
  y[at] = stored(mean);
  ${variance ? `y[at + p.quads] = stored((${sum(i => `(v${i} - mean) * (v${i} - mean) * h${i}`)}) / max(count - 1.0, 1.0));` : ''}`,
    }),
    params: valuesOf(names, {
      tasks, quads, pixels, yStride: y.stride, yOffset: y.offset, presentStride: present.stride, presentOffset: present.offset,
      ...Object.fromEntries(xs.flatMap(({ stride, offset }, i) => [[`stride${i}`, stride], [`offset${i}`, offset]])),
    }),
    workgroups: groupsOf(tasks),
  };
}
