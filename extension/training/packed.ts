/** Whole numbers in as few bytes as hold them exactly; others as they are. A film takes half or a quarter of the room. */
export function packed(values: Float32Array): Uint8Array | Uint16Array | Int16Array | Float32Array {
  let [least, most] = [0, 0];
  for (const value of values) {
    if (!Number.isInteger(value) || Object.is(value, -0)) return values;
    if (value < least) least = value;
    else if (value > most) most = value;
  }
  if (least >= 0 && most <= 0xff) return Uint8Array.from(values);
  if (least >= 0 && most <= 0xffff) return Uint16Array.from(values);
  return least >= -0x8000 && most <= 0x7fff ? Int16Array.from(values) : values;
}
