/**
 * Does the audit of a translation find what was planted? Generated heads with lesions drawn into FLAIR, and a translation
 * of each in which some are gone, others are new and the rest is as it was, but with contrast, sharpness and noise of its
 * own; every third in another frame of reference, turned and shifted. `models/mri-hemis` looks for the lesions on both:
 *
 *     node --import ./test/generators/typescript.mjs test/bench/translation/audit.ts [--patients 30] [--seed 1]
 *
 * Writes audit.json and audit.md. A change is found when one of its kind is listed within 10 mm; what is listed and was
 * not planted is false, parts that grew or shrank included.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openModel } from '../../../src/cli/open-model.ts';
import { CHANGE_RULE } from '../../../src/evaluation/translation-changes.ts';
import { auditTranslation } from '../../../src/evaluation/translation.ts';
import { apply, multiply, type Point } from '../../../src/image/affine.ts';
import type { Affine, Image } from '../../../src/image/image.ts';
import { Trilinear } from '../../../src/image/resample.ts';
import { brainPhantom } from '../../../src/phantoms/brain.ts';
import { seededRandom, type Random } from '../../../src/phantoms/random.ts';
import { summaryOf, type Patient } from './audit-summary.ts';

const { values: options } = parseArgs({ options: { patients: { type: 'string', default: '30' }, seed: { type: 'string', default: '1' }, out: { type: 'string', default: import.meta.dirname } } });
const PATIENTS = Number(options.patients);
/** 5 mm slices about where the lesions are drawn. */
const GRID = { columns: 96, slices: 14, fieldMm: [-8, 62] } as const;
const FOUND_MM = 10;
/** FLAIR of oedema, as the generator has it. */
const BRIGHT = 900;

interface Ball {
  readonly at: Point;
  readonly radiusMm: number;
}
type Planted = Ball & { readonly kind: 'erased' | 'invented' | 'kept' };

/** Places that are tried for a lesion before all of them are placed anew: some that are there leave no room for another. */
const TRIES = 200;

/** Lesions apart from each other, in the white matter about the ventricles' height. */
function planted(random: Random): Planted[] {
  const kinds = [...Array<'erased'>(random.integer(3)).fill('erased'), ...Array<'invented'>(random.integer(3)).fill('invented'), ...Array<'kept'>(1 + random.integer(3)).fill('kept')];
  const balls: Planted[] = [];
  for (let tries = 0; balls.length < kinds.length; tries++) {
    if (tries === TRIES) {
      balls.length = 0;
      tries = 0;
    }
    const at: Point = [(random.chance(0.5) ? 1 : -1) * random.uniform(20, 38), random.uniform(-38, 38), random.uniform(12, 42)];
    const radiusMm = random.uniform(5, 10);
    if (balls.some(other => Math.hypot(...at.map((v, i) => v - other.at[i]!)) < 2 * FOUND_MM + radiusMm + other.radiusMm)) continue;
    balls.push({ kind: kinds[balls.length]!, at, radiusMm });
    tries = 0;
  }
  return balls;
}

function imageOf(name: string, shape: Image['shape'], pixels: Float32Array, indexToPatient: Affine, frameOfReferenceUID: string): Image {
  const along = (axis: number) => Math.hypot(indexToPatient[axis]!, indexToPatient[4 + axis]!, indexToPatient[8 + axis]!);
  return {
    sources: Array.from({ length: shape[2] }, (_, slice) => ({ file: `${name}-${slice + 1}`, study: 'one' })), frameOfReferenceUID, modality: 'MR', shape, channels: 1,
    indexToPatient, spacingMm: [along(0), along(1)], sliceSpacingMm: along(2), attributes: { patientID: 'P', seriesDescription: name, mrModality: 'FLAIR' }, pixels, representableRange: [0, 4095],
  };
}

/** A softly edged ball over what is there. */
function drawn(pixels: Float32Array, shape: Image['shape'], m: Affine, balls: readonly Ball[]): Float32Array {
  return pixels.map((value, i) => {
    const p = apply(m, [i % shape[0], Math.floor(i / shape[0]) % shape[1], Math.floor(i / (shape[0] * shape[1]))]);
    const share = Math.max(0, ...balls.map(({ at, radiusMm }) => Math.min(1, Math.max(0, (radiusMm - Math.hypot(...p.map((v, axis) => v - at[axis]!))) / 2 + 0.5))));
    return value + share * (BRIGHT - value);
  });
}

/** What a translator makes of it: another gain and contrast, a little blur, noise of its own, lesions a little larger or smaller. */
function translation(real: { readonly shape: Image['shape']; readonly pixels: Float32Array }, random: Random): Float32Array {
  const [gamma, gain, noise] = [random.uniform(0.9, 1.15), random.uniform(0.7, 1.4), random.uniform(6, 14)];
  const sampler = new Trilinear(real);
  return real.pixels.map((_, i) => {
    const [x, y, z] = [i % real.shape[0], Math.floor(i / real.shape[0]) % real.shape[1], Math.floor(i / (real.shape[0] * real.shape[1]))];
    const blurred = [-0.5, 0.5].reduce((sum, d) => sum + (sampler.at(x + d, y, z) ?? 0) + (sampler.at(x, y + d, z) ?? 0), 0) / 4;
    return Math.max(0, gain * 1000 * (blurred / 1000) ** gamma + noise * random.gaussian());
  });
}

function moved(random: Random): Affine {
  const angle = random.uniform(-0.1, 0.1);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [c, -s, 0, random.uniform(-8, 8), s, c, 0, random.uniform(-8, 8), 0, 0, 1, random.uniform(-5, 5), 0, 0, 0, 1];
}

const runner = await openModel({ model: 'mri-hemis', backend: 'wasm' }, line => console.error(line));
const patients: Patient[] = [];
for (let p = 0; p < PATIENTS; p++) {
  const seed = 10_000 * Number(options.seed) + p;
  const random = seededRandom(seed);
  const head = brainPhantom({ seed: 2_000_000 + seed, lesions: 'none', ...GRID });
  const [[sx, sy, sz], [ox, oy, oz]] = [head.spacingMm, head.origin];
  const m: Affine = [sx, 0, 0, ox, 0, sy, 0, oy, 0, 0, sz, oz, 0, 0, 0, 1];
  const balls = planted(random);
  const healthy = Float32Array.from(head.volumes.FLAIR);
  const real = imageOf('FLAIR', head.shape, drawn(healthy, head.shape, m, balls.filter(({ kind }) => kind !== 'invented')), m, '1.2.3');
  const lesions = balls.filter(({ kind }) => kind !== 'erased').map(ball => ({ ...ball, radiusMm: ball.radiusMm * random.uniform(0.92, 1.08) }));
  const made = { shape: head.shape, pixels: drawn(healthy, head.shape, m, lesions) };
  const elsewhere = p % 3 === 2;
  const synthetic = imageOf('FLAIR, translated', head.shape, translation(made, random), elsewhere ? multiply(moved(random), m) : m, elsewhere ? '1.2.4' : '1.2.3');
  const { changes, placement, lesions: counted } = await auditTranslation(runner, real, synthetic);
  const left = new Set(changes);
  const changed = balls.filter(({ kind }) => kind !== 'kept').map(({ kind, at, radiusMm }) => {
    const found = [...left].find(change => change.kind === kind && Math.hypot(...change.patientMm!.map((v, i) => v - at[i]!)) <= FOUND_MM);
    if (found) left.delete(found);
    return { kind, radiusMm: Number(radiusMm.toFixed(1)), found: found !== undefined, ...(found && { volumeMm3: Math.round(found.volumeMm3!), plantedMm3: Math.round((4 / 3) * Math.PI * radiusMm ** 3) }) };
  });
  const falseOnes = [...left].map(({ kind, volumeMm3, patientMm }) => ({ kind, volumeMm3: Math.round(volumeMm3!), patientMm: patientMm!.map(Math.round) }));
  patients.push({ seed, placement: placement.kind, lesions: counted, planted: changed, false: falseOnes });
  console.log(`patient ${p + 1}: ${changed.filter(({ found }) => found).length} of ${changed.length} found, ${falseOnes.length} false (${placement.kind})`);
}
await runner.close();

const report = summaryOf(patients);
writeFileSync(path.join(options.out, 'audit.md'), `${report.table}\n`);
writeFileSync(path.join(options.out, 'audit.json'), `${JSON.stringify({ model: runner.identity, rule: CHANGE_RULE, grid: GRID, foundWithinMm: FOUND_MM, seed: Number(options.seed), found: report.found, falsePerTenPatients: report.falsePerTen, patients }, undefined, 1)}\n`);
console.log(report.table);
