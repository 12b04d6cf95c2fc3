import { WORKGROUP, type Dialect } from './kernel.ts';

const JOINS = {
  sum: { none: 'vec4f()', join: (a: string, b: string) => `${a} + ${b}`, across: 'subgroupAdd' },
  max: { none: 'vec4f(-3.4e38)', join: (a: string, b: string) => `max(${a}, ${b})`, across: 'subgroupMax' },
} as const;

/**
 * Declares `reduced(s, lane)`, which joins the vec4 of all invocations of a workgroup; all of them must get there, and what it gives is what the
 * first (`lane` 0) has.
 *
 * By workgroup memory: the number of those that work is halved each time, with a barrier each.
 *
 * By subgroups: each joins its own and writes that down at its smallest lane, nothing at its other lanes; after the one barrier each goes
 * through all that was written. That holds for subgroups of any size, of one invocation or all, and however lanes fall to them: nothing is said of that by WGSL.
 */
export function reduction(of: keyof typeof JOINS): (dialect: Dialect) => string {
  const { none, join, across } = JOINS[of];
  return ({ subgroups }) => `
var<workgroup> parts: array<vec4f, ${WORKGROUP}>;
fn reduced(s: vec4f, lane: u32) -> vec4f {${subgroups ? `
  let own = ${across}(s);
  parts[lane] = select(${none}, own, lane == subgroupMin(lane));
  workgroupBarrier();
  let count = subgroupAdd(1u);
  var whole = ${none};
  for (var i = subgroupExclusiveAdd(1u); i < ${WORKGROUP}u; i += count) { whole = ${join('whole', 'parts[i]')}; }
  return ${across}(whole);` : `
  parts[lane] = s;
  workgroupBarrier();
  for (var step = ${WORKGROUP / 2}u; step > 0u; step >>= 1u) {
    if (lane < step) { parts[lane] = ${join('parts[lane]', 'parts[lane + step]')}; }
    workgroupBarrier();
  }
  return parts[0];`}
}`;
}
