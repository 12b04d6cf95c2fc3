/**
 * sRGB 0..255 as DICOM writes a colour: CIELab of the D50 white, each component a 16-bit number (PS3.3 C.10.7.1.1).
 */
export function cielabOf([r, g, b]: readonly [number, number, number]): [number, number, number] {
  const linear = (value: number): number => {
    const v = value / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  };
  const [R, G, B] = [linear(r), linear(g), linear(b)];
  // Primaries adapted to D50, as ICC profiles have them.
  const x = (0.4360747 * R + 0.3850649 * G + 0.1430804 * B) / 0.9642;
  const y = 0.2225045 * R + 0.7168786 * G + 0.0606169 * B;
  const z = (0.0139322 * R + 0.0971045 * G + 0.7141733 * B) / 0.8249;
  const f = (t: number): number => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);
  const [l, a, bb] = [116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))];
  const word = (v: number): number => Math.min(65535, Math.max(0, Math.round(v)));
  return [word((l / 100) * 65535), word(((a + 128) / 255) * 65535), word(((bb + 128) / 255) * 65535)];
}

/** The other way. */
export function srgbOf([l16, a16, b16]: readonly [number, number, number]): [number, number, number] {
  const [l, a, b] = [(l16 / 65535) * 100, (a16 / 65535) * 255 - 128, (b16 / 65535) * 255 - 128];
  const fy = (l + 16) / 116;
  const inverse = (f: number): number => (f > 6 / 29 ? f ** 3 : 3 * (6 / 29) ** 2 * (f - 4 / 29));
  const [x, y, z] = [0.9642 * inverse(fy + a / 500), inverse(fy), 0.8249 * inverse(fy - b / 200)];
  const rgb = [3.1338561 * x - 1.6168667 * y - 0.4906146 * z, -0.9787684 * x + 1.9161415 * y + 0.033454 * z, 0.0719453 * x - 0.2289914 * y + 1.4052427 * z];
  return rgb.map(v => {
    const encoded = v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
    return Math.min(255, Math.max(0, Math.round(encoded * 255)));
  }) as [number, number, number];
}
