/**
 * Generates chests for the fusion experiment, one patient a seed: films.bin (uint16, [n, 2 views, rows, columns], PA then
 * lateral), masks.bin (uint8, the same shape; bit k: finding k is seen there) and labels.json.
 *
 *     node --import ./test/generators/typescript.mjs test/bench/fusion/phantoms.ts --first SEED --count N --size N --out DIR
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CHEST_FINDINGS, FINDING_LABELS, type ChestFindingKind } from '../../../src/phantoms/chest-findings.ts';
import { chestPhantom } from '../../../src/phantoms/chest.ts';
import { hashIntegers, seededRandom } from '../../../src/phantoms/random.ts';

const VIEWS = ['PA', 'LL'] as const;
/** Of each finding, whatever else the patient has. */
const PREVALENCE = 0.4;

/** Which findings the patient of a seed has, by a stream of its own. */
export function findingsOf(seed: number): ChestFindingKind[] {
  const random = seededRandom(hashIntegers(seed, 6));
  return CHEST_FINDINGS.filter(() => random.chance(PREVALENCE));
}

const { values } = parseArgs({ options: {
  first: { type: 'string' }, count: { type: 'string' }, size: { type: 'string', default: '128' }, out: { type: 'string' },
} });
const [first, count, size] = [values.first, values.count, values.size].map(Number) as [number, number, number];
if (!values.out || ![first, count, size].every(Number.isInteger)) throw new Error('expected --first SEED --count N --out DIR, and --size N where it is not 128');

const films = new Uint16Array(count * 2 * size * size);
const masks = new Uint8Array(films.length);
const seeds = Array.from({ length: count }, (_, i) => first + i);
for (const [i, seed] of seeds.entries()) {
  for (const [v, view] of VIEWS.entries()) {
    const phantom = chestPhantom({ seed, view, size, findings: findingsOf(seed) });
    const at = (2 * i + v) * size * size;
    films.set(phantom.pixels, at);
    for (const { kind, mask } of phantom.findings) mask?.forEach((inside, p) => { masks[at + p]! |= inside << CHEST_FINDINGS.indexOf(kind); });
  }
}
mkdirSync(values.out, { recursive: true });
writeFileSync(join(values.out, 'films.bin'), films);
writeFileSync(join(values.out, 'masks.bin'), masks);
writeFileSync(join(values.out, 'labels.json'), JSON.stringify({
  size, seeds, targets: CHEST_FINDINGS.map(kind => FINDING_LABELS[kind]),
  labels: seeds.map(seed => CHEST_FINDINGS.map(kind => Number(findingsOf(seed).includes(kind)))),
}));
