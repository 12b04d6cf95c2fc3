import type { Random } from '../../phantoms/random.ts';

/** Optical densities of haematoxylin, eosin and diaminobenzidine in red, green and blue (Ruifrok & Johnston 2001). */
const STAINS = [[0.65, 0.7, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]] as const;
const UNMIXED = inverse(STAINS);
/** Of a pixel that lets nothing through. */
const DARKEST = 1 / 255;

/**
 * Another laboratory's stains: the picture's optical density is taken apart into three stains, each is changed, and they
 * are put together again; in place.
 *
 * D. Tellez et al., "Whole-slide mitosis detection in H&E breast histology using PHH3 as a reference to train distilled
 * stain-invariant convolutional networks", IEEE Transactions on Medical Imaging 37, 2018.
 * @param picture red, green and blue in the value range, whose upper end is white
 * @param strength each stain is multiplied by 1 ± and has ± of a tenth of this added
 */
export function changeStain(picture: Float32Array, strength: number, [min, max]: readonly [number, number], random: Random): void {
  const change = STAINS.map(() => ({ factor: 1 + random.uniform(-strength, strength), added: 0.1 * random.uniform(-strength, strength) }));
  // density → stains → changed → density, as one linear map.
  const mixed = (row: readonly number[], column: number) => row.reduce((sum, share, s) => sum + share * change[s]!.factor * STAINS[s]![column]!, 0);
  const matrix = UNMIXED.map(row => [0, 1, 2].map(column => mixed(row, column)));
  const constant = [0, 1, 2].map(column => change.reduce((sum, { added }, s) => sum + added * STAINS[s]![column]!, 0));
  const width = max - min;
  for (let i = 0; i + 2 < picture.length; i += 3) {
    const density = [0, 1, 2].map(c => -Math.log(Math.min(1, Math.max(DARKEST, (picture[i + c]! - min) / width))));
    for (let c = 0; c < 3; c++) {
      const d = density[0]! * matrix[0]![c]! + density[1]! * matrix[1]![c]! + density[2]! * matrix[2]![c]! + constant[c]!;
      picture[i + c] = min + width * Math.min(1, Math.exp(-d));
    }
  }
}

function inverse(m: readonly (readonly number[])[]): number[][] {
  const at = (r: number, c: number) => m[r % 3]![c % 3]!;
  const cofactor = (r: number, c: number) => at(r + 1, c + 1) * at(r + 2, c + 2) - at(r + 1, c + 2) * at(r + 2, c + 1);
  const determinant = [0, 1, 2].reduce((sum, c) => sum + at(0, c) * cofactor(0, c), 0);
  return [0, 1, 2].map(r => [0, 1, 2].map(c => cofactor(c, r) / determinant));
}
