import { PNG } from 'pngjs';

/** 8-bit grey PNG. @param values one a pixel, row by row: columns·rows of them */
export function greyPng(values: Uint8Array, columns: number, rows: number): Buffer {
  return write(values, columns, rows, 0);
}

/** 8-bit RGB PNG. @param values interleaved, row by row: columns·rows·3 of them */
export function rgbPng(values: Uint8Array, columns: number, rows: number): Buffer {
  return write(values, columns, rows, 2);
}

/** 16-bit grey PNG. @param values 0..65535, one a pixel, row by row */
export function greyPng16(values: Uint16Array, columns: number, rows: number): Buffer {
  const format = { bitDepth: 16, colorType: 0, inputColorType: 0, inputHasAlpha: false } as const;
  const png = new PNG({ width: columns, height: rows, ...format });
  png.data = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return PNG.sync.write(png, format);
}

function write(values: Uint8Array, columns: number, rows: number, colorType: 0 | 2): Buffer {
  const png = new PNG({ width: columns, height: rows, bitDepth: 8, colorType, inputColorType: colorType, inputHasAlpha: false });
  png.data = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return PNG.sync.write(png, { bitDepth: 8, colorType, inputColorType: colorType, inputHasAlpha: false });
}
