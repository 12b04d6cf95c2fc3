/** A NIfTI-1 volume of int16 with 1 mm voxels, for `overread dicomize`. */
export function nifti(columns, rows, slices, valueAt) {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [3, columns, rows, slices, 1, 1, 1, 1].forEach((v, i) => header.writeInt16LE(v, 40 + 2 * i));
  header.writeInt16LE(4, 70); // int16
  header.writeInt16LE(16, 72);
  [1, 1, 1, 1].forEach((v, i) => header.writeFloatLE(v, 76 + 4 * i));
  header.writeFloatLE(352, 108);
  header.writeFloatLE(1, 112);
  header[123] = 2; // mm
  header.writeInt16LE(1, 254); // sform
  [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]].forEach((row, r) => row.forEach((v, c) => header.writeFloatLE(v, 280 + 16 * r + 4 * c)));
  header.write('n+1\0', 344, 'latin1');
  const voxels = Buffer.alloc(2 * columns * rows * slices);
  for (let k = 0, n = 0; k < slices; k++) for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++, n++) voxels.writeInt16LE(valueAt(i, j, k), 2 * n);
  return Buffer.concat([header, voxels]);
}
