import { WORKGROUP } from './kernel.ts';

/** Workgroup memory for {@link reduced}. */
export const REDUCTION = `var<workgroup> parts: array<vec4f, ${WORKGROUP}>;`;

/**
 * Joins the vec4 `s` of a workgroup's invocations into `parts[0]`, halving the number of those that work each time. All
 * invocations of the group must get here.
 */
export function reduced(join: (a: string, b: string) => string): string {
  return `
  parts[lane] = s;
  workgroupBarrier();
  for (var step = ${WORKGROUP / 2}u; step > 0u; step >>= 1u) {
    if (lane < step) { parts[lane] = ${join('parts[lane]', 'parts[lane + step]')}; }
    workgroupBarrier();
  }`;
}
