/**
 * A colour profile that says: these are sRGB values (matrix and gamma 2.2; ICC.1:2001-04, input device class). Whole
 * slide images must carry one.
 */
export function srgbProfile(): ArrayBuffer {
  const xyz = (values: readonly [number, number, number]): Uint8Array => {
    const out = new DataView(new ArrayBuffer(20));
    ascii(out, 0, 'XYZ ');
    values.forEach((value, i) => out.setInt32(8 + 4 * i, Math.round(value * 65536)));
    return new Uint8Array(out.buffer);
  };
  const description = 'sRGB';
  const desc = new DataView(new ArrayBuffer(92 + description.length));
  ascii(desc, 0, 'desc');
  desc.setUint32(8, description.length + 1);
  ascii(desc, 12, description);
  const copyright = new DataView(new ArrayBuffer(28));
  ascii(copyright, 0, 'text');
  ascii(copyright, 8, 'No rights reserved.');
  const curve = new DataView(new ArrayBuffer(16));
  ascii(curve, 0, 'curv');
  curve.setUint32(8, 1);
  curve.setUint16(12, Math.round(2.2 * 256));
  const gamma = new Uint8Array(curve.buffer);
  // Primaries and white adapted to D50.
  const tags: [string, Uint8Array][] = [
    ['desc', new Uint8Array(desc.buffer)],
    ['cprt', new Uint8Array(copyright.buffer)],
    ['wtpt', xyz([0.9642, 1, 0.8249])],
    ['rXYZ', xyz([0.436, 0.2225, 0.0139])],
    ['gXYZ', xyz([0.3851, 0.7169, 0.0971])],
    ['bXYZ', xyz([0.1431, 0.0606, 0.7141])],
    ['rTRC', gamma],
    ['gTRC', gamma],
    ['bTRC', gamma],
  ];
  const start = 128 + 4 + 12 * tags.length;
  const size = tags.reduce((sum, [, data]) => sum + aligned(data.length), start);
  const profile = new DataView(new ArrayBuffer(size));
  profile.setUint32(0, size);
  profile.setUint32(8, 0x02400000);
  ascii(profile, 12, 'scnrRGB XYZ ');
  [2001, 1, 1, 0, 0, 0].forEach((value, i) => profile.setUint16(24 + 2 * i, value));
  ascii(profile, 36, 'acsp');
  [0.9642, 1, 0.8249].forEach((value, i) => profile.setInt32(68 + 4 * i, Math.round(value * 65536)));
  profile.setUint32(128, tags.length);
  let at = start;
  for (const [i, [name, data]] of tags.entries()) {
    ascii(profile, 132 + 12 * i, name);
    profile.setUint32(136 + 12 * i, at);
    profile.setUint32(140 + 12 * i, data.length);
    new Uint8Array(profile.buffer).set(data, at);
    at += aligned(data.length);
  }
  return profile.buffer;
}

const aligned = (length: number): number => Math.ceil(length / 4) * 4;

function ascii(view: DataView, offset: number, text: string): void {
  for (let i = 0; i < text.length; i++) view.setUint8(offset + i, text.charCodeAt(i));
}
