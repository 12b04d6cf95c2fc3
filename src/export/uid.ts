/** DICOM UIDs of the form 2.25.<128-bit integer> (PS3.5 B.2), which need no registered root. */

/** A new UID, unlike any other. */
export function freshUid(): string {
  const bytes = new Uint8Array(16);
  globalThis.crypto.getRandomValues(bytes);
  return uidOfBytes(bytes);
}

/** The same UID for the same words, on every machine: for demo data, so that a second run replaces the first. */
export function seededUid(...words: readonly (string | number)[]): string {
  const text = words.join('\u001f');
  const bytes = new Uint8Array(16);
  // FNV-1a over the text, once for each four bytes, each with another start.
  for (let part = 0; part < 4; part++) {
    let hash = 0x811c9dc5 ^ Math.imul(part + 1, 0x9e3779b1);
    for (let i = 0; i < text.length; i++) {
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash ^= hash >>> 13;
    for (let k = 0; k < 4; k++) bytes[part * 4 + k] = (hash >>> (8 * k)) & 255;
  }
  return uidOfBytes(bytes);
}

/** With the version and variant bits of a random UUID, as PS3.5 B.2 wants. */
function uidOfBytes(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return `2.25.${value}`;
}

/** True for a UID that DICOM allows: digits and dots, at most 64 characters, no component with a leading zero. */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/.test(text);
}
