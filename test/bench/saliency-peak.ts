/**
 * How often the peak of a heat map lies in the finding that was planted, on generated chests, through the engine:
 *
 *     node --import ./test/generators/typescript.mjs test/bench/saliency-peak.ts --model models/phantom-chest-fusion --count 40
 *
 * A model of PA and lateral is asked for its fused score, both films being there; a model of one picture gets the PA. Counted
 * is each finding in each film that shows it: whether the peak lies in the finding's mask, and in the mask widened by one
 * cell of Grad-CAM's feature map, which is as sharp as that map can be.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Image } from '../../src/image/image.ts';
import { createNodeEngine } from '../../src/node.ts';
import { CHEST_FINDINGS, FINDING_LABELS, type ChestFindingKind } from '../../src/phantoms/chest-findings.ts';
import { chestPhantom, type ChestPhantom } from '../../src/phantoms/chest.ts';
import { hashIntegers, seededRandom } from '../../src/phantoms/random.ts';
import { heatmapPeak } from '../../src/results/heatmap-peak.ts';
import type { ScoresResult } from '../../src/results/result.ts';
import type { Backend } from '../../src/runtime/types.ts';
import { SALIENCY_METHODS, type SaliencyRequest } from '../../src/tasks/saliency/index.ts';

const { values: options } = parseArgs({ options: {
  model: { type: 'string', default: 'models/phantom-chest-fusion' },
  methods: { type: 'string', default: 'grad-cam,input-gradient,smooth-grad' },
  backend: { type: 'string', default: 'cpu' },
  // Seeds that no part of the fusion experiment has.
  first: { type: 'string', default: '500000' },
  count: { type: 'string', default: '20' },
  size: { type: 'string' },
  samples: { type: 'string', default: '10' },
  report: { type: 'string' },
} });
const [first, count] = [Number(options.first), Number(options.count)];
const methods = options.methods.split(',') as SaliencyRequest['method'][];
if (![first, count].every(Number.isInteger) || count < 1 || !methods.every(method => SALIENCY_METHODS.includes(method))) {
  throw new Error(`expected --first SEED --count N --methods of ${SALIENCY_METHODS.join(',')}`);
}

interface Row {
  readonly method: string;
  readonly view: 'PA' | 'L';
  readonly target: string;
  films: number;
  inMask: number;
  inMaskOrCellBeside: number;
  /** Of the films whose score is at or above the operating point. */
  called: number;
  calledInMaskOrCellBeside: number;
  suspicious: number;
}

/** As in the fusion experiment: each finding in two of five patients. */
function findingsOf(seed: number): ChestFindingKind[] {
  const random = seededRandom(hashIntegers(seed, 6));
  return CHEST_FINDINGS.filter(() => random.chance(0.4));
}

function film({ pixels, columns, rows }: ChestPhantom, seed: number, view: 'PA' | 'LL'): Image {
  return {
    pixels: Float32Array.from(pixels), representableRange: [0, 4095], modality: 'DX', shape: [columns, rows, 1], channels: 1,
    attributes: { patientID: String(seed), viewPosition: view, bodyPartExamined: 'CHEST' },
    sources: [{ studyInstanceUID: `2.25.${seed}`, seriesInstanceUID: `2.25.${seed}.1`, sopInstanceUID: `2.25.${seed}.${view === 'PA' ? 2 : 3}`, frame: 1 }],
  };
}

/** Whether the mask has a pixel within so many columns and rows. */
function near(mask: Uint8Array, columns: number, [x, y]: readonly [number, number], [byRows, byColumns]: readonly [number, number]): boolean {
  const rows = mask.length / columns;
  for (let row = Math.max(0, y - byRows); row <= Math.min(rows - 1, y + byRows); row++) {
    for (let column = Math.max(0, x - byColumns); column <= Math.min(columns - 1, x + byColumns); column++) if (mask[row * columns + column]) return true;
  }
  return false;
}

const location = path.resolve(options.model);
const engine = await createNodeEngine({ backend: options.backend as Backend, allowSoftware: true });
const manifest = await engine.describe(location);
const size = Number(options.size ?? manifest.input.shape[0]);
const views = manifest.input.fusion ? (['PA', 'LL'] as const) : (['PA'] as const);
const labels = new Set(manifest.output.targets.map(({ label }) => label));
const rows = new Map<string, Row>();
let jobs = 0;
const device = await engine.start();

for (let seed = first; seed < first + count; seed++) {
  const findings = findingsOf(seed);
  if (findings.length === 0) continue;
  const phantoms = views.map(view => chestPhantom({ seed, view, size, findings }));
  const images = () => phantoms.map((phantom, i) => film(phantom, seed, views[i]!));
  const { scores } = (await engine.run({ jobId: String(++jobs), location, images: images() })) as ScoresResult;
  for (const kind of findings.filter(of => labels.has(FINDING_LABELS[of]))) {
    const target = FINDING_LABELS[kind];
    const positive = scores.find(score => score.target.label === target)!.positive;
    const cells: (readonly [rows: number, columns: number])[] = [];
    for (const method of ['grad-cam', ...methods.filter(of => of !== 'grad-cam')] as const) {
      const request = { method, target, ...(method === 'smooth-grad' && { samples: Number(options.samples) }) } as SaliencyRequest;
      const maps = await engine.explain({ jobId: String(++jobs), location, images: images(), request });
      for (const [i, map] of maps.entries()) {
        const { columns, rows: height, findings: planted } = phantoms[i]!;
        // Each cell of the map over so many of the film's pixels.
        if (method === 'grad-cam') cells[i] = [Math.ceil(height / map.saliency.mapSize[0]), Math.ceil(columns / map.saliency.mapSize[1])];
        const mask = planted.find(of => of.kind === kind)?.mask;
        if (!mask || !methods.includes(method)) continue;
        const view = map.view ?? 'PA';
        const key = [method, view, target].join();
        const row = rows.get(key) ?? { method, view, target, films: 0, inMask: 0, inMaskOrCellBeside: 0, called: 0, calledInMaskOrCellBeside: 0, suspicious: 0 };
        rows.set(key, row);
        const peak = heatmapPeak(map);
        const hit = peak !== undefined && near(mask, columns, peak, cells[i]!);
        row.films++;
        if (peak && near(mask, columns, peak, [0, 0])) row.inMask++;
        if (hit) row.inMaskOrCellBeside++;
        if (positive) row.called++;
        if (positive && hit) row.calledInMaskOrCellBeside++;
        if ('suspicious' in map.saliency.randomisation && map.saliency.randomisation.suspicious) row.suspicious++;
      }
    }
  }
  process.stderr.write(`\r${seed - first + 1} of ${count} patients`);
}
process.stderr.write('\n');
const model = await engine.load(location);
await engine.dispose();

const percent = (part: number, of: number) => (of ? `${((100 * part) / of).toFixed(1)} %` : '-');
console.log('method, view, finding: films; peak in the mask; in it or a cell beside; of the films called positive, in it or a cell beside; warned of');
for (const { method, view, target, films, inMask, inMaskOrCellBeside, called, calledInMaskOrCellBeside, suspicious } of rows.values()) {
  console.log(`${method}, ${view}, ${target}: ${films}; ${percent(inMask, films)}; ${percent(inMaskOrCellBeside, films)}; ${percent(calledInMaskOrCellBeside, called)} of ${called}; ${suspicious}`);
}
if (options.report) {
  mkdirSync(path.dirname(path.resolve(options.report)), { recursive: true });
  const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length };
  const report = { at: new Date().toISOString(), machine, device, model: { id: model.id, version: model.version, sha256: model.sha256 }, first, count, size, samples: Number(options.samples), rows: [...rows.values()] };
  writeFileSync(options.report, `${JSON.stringify(report, undefined, 2)}\n`);
}
// Dawn's threads keep the process alive.
process.exit();
