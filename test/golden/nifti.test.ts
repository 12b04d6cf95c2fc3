import fs from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { niftiGz } from '../../src/cli/io/nifti.ts';

/** The fields of a NIfTI-1 file that place its voxels. */
function parse(gzipped: Buffer) {
  const file = gunzipSync(gzipped);
  const offset = file.readFloatLE(108);
  return {
    magic: file.toString('latin1', 344, 347),
    headerSize: file.readInt32LE(0),
    dim: [0, 1, 2, 3].map(i => file.readInt16LE(40 + 2 * i)),
    datatype: file.readInt16LE(70),
    bits: file.readInt16LE(72),
    spacing: [1, 2, 3].map(i => file.readFloatLE(76 + 4 * i)),
    units: file.readUInt8(123) & 7,
    sform: Array.from({ length: 12 }, (_, i) => file.readFloatLE(280 + 4 * i)),
    sformKnown: file.readInt16LE(254) > 0,
    values: [...file.subarray(offset)],
  };
}

test('an oblique volume is placed as nibabel places it', () => {
  const golden = parse(fs.readFileSync(path.join(__dirname, 'oblique.nii.gz')));
  const ours = parse(niftiGz({
    shape: [4, 3, 2],
    values: Uint8Array.from({ length: 24 }, (_, i) => i % 5),
    indexToPatient: [0.5, -0.25, 0.1, -30, 0.2, 0.6, -0.3, 40.5, -0.1, 0.2, 2.5, -100.25, 0, 0, 0, 1],
  }));
  expect(golden.sformKnown).toBe(true);
  const { spacing, sform, ...exact } = ours;
  const { spacing: goldenSpacing, sform: goldenSform, ...goldenExact } = golden;
  expect(exact).toEqual(goldenExact);
  spacing.forEach((v, i) => expect(v).toBeCloseTo(goldenSpacing[i]!, 5));
  sform.forEach((v, i) => expect(v).toBeCloseTo(goldenSform[i]!, 5));
});
