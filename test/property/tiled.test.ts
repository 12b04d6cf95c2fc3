import '@tensorflow/tfjs-backend-cpu';
import { memory, setBackend, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { isOverreadError } from '../../src/errors.ts';
import type { Image } from '../../src/image/image.ts';
import { outwardsFrom, planTiles, tileSourceOf, type TileAxis } from '../../src/image/tiles.ts';
import type { ModelManifest } from '../../src/manifest.ts';
import { receptiveField, type ReceptiveField } from '../../src/runtime/receptive-field.ts';
import type { LoadedModel } from '../../src/runtime/types.ts';
import { fixedNormalisation } from '../../src/tasks/fixed-normalisation.ts';
import { predictTiles, tilePlanOf } from '../../src/tasks/tiled.ts';
import { encodePlane } from '../../src/tensor/encode.ts';
import { picture, tinyManifest } from '../unit/runtime/tiny.ts';
import { networkOf, steps, type Step } from './windowed-networks.ts';

beforeAll(() => setBackend('cpu'));

const NORMALISATIONS: readonly ModelManifest['input']['normalisation'][] = [{ kind: 'percentile', low: 1, high: 99 }, { kind: 'zscore' }, { kind: 'representable' }];

function manifestFor(rows: number, columns: number, normalisation: ModelManifest['input']['normalisation']): ModelManifest {
  return tinyManifest('tiny-bright', m => ({ ...m, input: { ...m.input, shape: [rows, columns, 1], normalisation, tiling: { overlap: 'receptive-field', padding: 'edge' } } }));
}

function loaded(manifest: ModelManifest, network: LayersModel): LoadedModel {
  return { manifest, predict: async (inputs: readonly Tensor[]) => [network.predict(inputs[0]!) as Tensor] } as unknown as LoadedModel;
}

/** The field at the smallest input size, of a random start, whose tiles are large enough; nothing for networks that are none. */
function fieldWithTiles(list: readonly Step[], start: number): ReceptiveField | undefined {
  for (let side = start, tries = 0; tries < 8; tries++) {
    try {
      const network = networkOf(list, [side, side]);
      try {
        const field = receptiveField(network);
        planTiles({ columns: side + 1, rows: side + 1 }, field);
        return field;
      } finally {
        network.dispose();
      }
    } catch (error) {
      if (isOverreadError(error) && typeof error.fields.expected === 'number') side = error.fields.expected;
      else side++;
    }
    if (side > 44) return undefined;
  }
  return undefined;
}

/** The plane continued by its last column and row. */
function continuedTo(image: Image, columns: number, rows: number): Image {
  const [width, height] = image.shape;
  return { ...picture(columns, rows, (x, y) => image.pixels[Math.min(y, height - 1) * width + Math.min(x, width - 1)]!), representableRange: image.representableRange };
}

test('tiled equals untiled, for any network of windows and any size, borders included', async () => {
  let several = 0;
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(
      steps, fc.integer({ min: 9, max: 20 }), fc.integer({ min: 1, max: 70 }), fc.integer({ min: 20, max: 50 }), fc.integer({ min: 1, max: 1000 }), fc.constantFrom(...NORMALISATIONS),
      async (list, start, columns, rows, seed, normalisation) => {
        const field = fieldWithTiles(list, start);
        fc.pre(field !== undefined);
        const side = field!.columns.input;
        const manifest = manifestFor(side, side, normalisation);
        const image = picture(columns, rows, (x, y) => 100 + 90 * Math.sin(x * 12.9898 + y * 78.233 + seed) + x);
        const source = tileSourceOf(image);
        const plan = tilePlanOf(source, field!);

        const { spec, representableRange } = fixedNormalisation(image, manifest.input);
        const large = networkOf(list, [plan.padded.rows, plan.padded.columns], seed);
        const { tensor } = encodePlane({ ...continuedTo(image, plan.padded.columns, plan.padded.rows), representableRange }, { ...spec, shape: [plan.padded.rows, plan.padded.columns, 1] });
        const output = large.predict(tensor) as Tensor;
        expect(output.shape.slice(1, 3)).toEqual([plan.output.rows, plan.output.columns]);
        const channels = output.shape[3]!;
        const whole = output.dataSync();
        output.dispose();
        tensor.dispose();
        large.dispose();

        const network = networkOf(list, [side, side], seed);
        const seen = new Uint8Array(plan.output.columns * plan.output.rows);
        let worst = 0;
        const before = memory();
        for await (const part of predictTiles(loaded(manifest, network), source, plan, { field: field! })) {
          if ('error' in part) throw part.error;
          const { output: kept, kept: at } = part.tile;
          for (let y = 0; y < kept.rows; y++) {
            for (let x = 0; x < kept.columns; x++) {
              const to = (kept.y + y) * plan.output.columns + kept.x + x;
              seen[to]!++;
              for (let c = 0; c < channels; c++) {
                const [got, wanted] = [part.values[((at.y + y) * part.shape[1] + at.x + x) * channels + c]!, whole[to * channels + c]!];
                worst = Math.max(worst, Math.abs(got - wanted) / Math.max(1, Math.abs(wanted)));
              }
            }
          }
        }
        expect(memory()).toEqual(before);
        network.dispose();
        expect(worst).toBeLessThan(1e-5);
        // Tiles that show nothing but what continues the image are left out.
        const last = plan.tiles.at(-1)!.output;
        for (let y = 0; y < last.y + last.rows; y++) for (let x = 0; x < last.x + last.columns; x++) expect(seen[y * plan.output.columns + x]).toBe(1);
        compared++;
        if (plan.tiles.length > 1) several++;
      },
    ),
    { numRuns: 15 },
  );
  expect(compared).toBe(15);
  expect(several).toBeGreaterThan(2);
});

const axis: fc.Arbitrary<TileAxis> = fc
  .record({ alignment: fc.constantFrom(1, 2, 4, 8, 16), units: fc.integer({ min: 1, max: 8 }), before: fc.integer({ min: 0, max: 9 }), after: fc.integer({ min: 0, max: 9 }) })
  .map(({ alignment, units, before, after }) => ({ input: alignment * units, output: alignment * units, stride: 1, alignment, lost: { before, after } }));

test('what tiles cover partitions the image, and each keeps only what it has right', () => {
  fc.assert(
    fc.property(axis, axis, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 }), (across, down, columns, rows) => {
      let plan;
      try {
        plan = planTiles({ columns, rows }, { columns: across, rows: down });
      } catch (error) {
        expect(error).toMatchObject({ code: 'model/graph' });
        return;
      }
      const covered = new Uint8Array(columns * rows);
      for (const { input, output, covers, kept } of plan.tiles) {
        for (let y = 0; y < covers.rows; y++) for (let x = 0; x < covers.columns; x++) covered[(covers.y + y) * columns + covers.x + x]!++;
        expect(input.x % across.alignment === 0 && input.y % down.alignment === 0).toBe(true);
        expect(input.x + input.columns <= plan.padded.columns && input.y + input.rows <= plan.padded.rows && input.x < columns && input.y < rows).toBe(true);
        if (input.x > 0) expect(kept.x).toBeGreaterThanOrEqual(across.lost.before);
        if (input.x + input.columns < plan.padded.columns) expect(kept.x + output.columns).toBeLessThanOrEqual(across.output - across.lost.after);
        if (input.y > 0) expect(kept.y).toBeGreaterThanOrEqual(down.lost.before);
        if (input.y + input.rows < plan.padded.rows) expect(kept.y + output.rows).toBeLessThanOrEqual(down.output - down.lost.after);
      }
      expect(covered.every(count => count === 1)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('the order goes outwards: no tile comes before one that is nearer to the region', () => {
  const [side, lost] = [16, { before: 2, after: 2 }];
  const same = { input: side, output: side, stride: 1, alignment: 1, lost };
  const { tiles } = planTiles({ columns: 120, rows: 90 }, { columns: same, rows: same });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 110 }), fc.integer({ min: 0, max: 80 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (x, y, columns, rows) => {
      const distances = outwardsFrom(tiles, { x, y, columns, rows }).map(({ covers }) => {
        const [left, top] = [Math.max(covers.x - x - columns, x - covers.x - covers.columns, 0), Math.max(covers.y - y - rows, y - covers.y - covers.rows, 0)];
        return left ** 2 + top ** 2;
      });
      expect(distances).toHaveLength(tiles.length);
      expect(distances).toEqual([...distances].sort((a, b) => a - b));
    }),
  );
});
