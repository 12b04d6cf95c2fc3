/**
 * Text of DICOM string values, by Specific Character Set (0008,0005), PS3.3 C.12.1.1.2 and PS3.5 6.1.
 * Single-byte sets, UTF-8, GB18030 and GBK, and ISO 2022 code extensions (Japanese, Korean, Chinese, 8-bit sets).
 */

/** Defined term, without the `ISO 2022 IR` / `ISO_IR` prefix → label of the WHATWG encoding standard. */
const SETS: Readonly<Record<string, string>> = {
  '6': 'windows-1252', '100': 'windows-1252', '101': 'iso-8859-2', '109': 'iso-8859-3', '110': 'iso-8859-4',
  '144': 'iso-8859-5', '127': 'iso-8859-6', '126': 'iso-8859-7', '138': 'iso-8859-8', '148': 'windows-1254',
  '203': 'iso-8859-15', '166': 'windows-874', '13': 'shift_jis', '192': 'utf-8', GB18030: 'gb18030', GBK: 'gbk',
};

/** Escape sequence (without ESC) → the set that it switches to; `high` sets bit 8 of every byte first. */
const ESCAPES: readonly { readonly sequence: string; readonly label: string; readonly high?: true; readonly prefix?: number }[] = [
  { sequence: '(B', label: 'windows-1252' }, { sequence: '(J', label: 'shift_jis' }, { sequence: ')I', label: 'shift_jis' },
  { sequence: '$B', label: 'euc-jp', high: true }, { sequence: '$(D', label: 'euc-jp', high: true, prefix: 0x8f },
  { sequence: '$)C', label: 'euc-kr' }, { sequence: '$)A', label: 'gbk' },
  { sequence: '-A', label: 'windows-1252' }, { sequence: '-B', label: 'iso-8859-2' }, { sequence: '-C', label: 'iso-8859-3' },
  { sequence: '-D', label: 'iso-8859-4' }, { sequence: '-L', label: 'iso-8859-5' }, { sequence: '-G', label: 'iso-8859-6' },
  { sequence: '-F', label: 'iso-8859-7' }, { sequence: '-H', label: 'iso-8859-8' }, { sequence: '-M', label: 'windows-1254' },
  { sequence: '-b', label: 'iso-8859-15' }, { sequence: '-T', label: 'windows-874' },
];

const ESC = 0x1b;
/** Backslash, caret, equals and line controls put the first set back (PS3.5 6.1.2.5.3). */
const RESETS = new Set([0x5c, 0x5e, 0x3d, 0x0a, 0x0c, 0x0d, 0x09]);

const decoders = new Map<string, TextDecoder>();
function decode(bytes: Uint8Array, label: string): string {
  let decoder = decoders.get(label);
  if (!decoder) decoders.set(label, (decoder = new TextDecoder(label)));
  return decoder.decode(bytes);
}

/** The set named by the first value, Latin-1 when it is absent or unknown: ASCII comes out right in any case. */
function labelOf(term: string | undefined): string {
  const key = (term ?? '').trim().replace(/^ISO[ _](2022[ _])?IR[ _]/i, '');
  return SETS[key] ?? 'windows-1252';
}

/** @param terms values of Specific Character Set; the first one rules until an escape sequence says otherwise */
export function decodeText(bytes: Uint8Array, terms: readonly string[]): string {
  const first = labelOf(terms[0]);
  if (!bytes.includes(ESC)) return decode(bytes, first);
  let text = '';
  let start = 0;
  let current: { label: string; high?: true; prefix?: number } = { label: first };
  const flush = (end: number) => {
    if (end > start) text += decode(current.high ? raised(bytes.subarray(start, end), current.prefix) : bytes.subarray(start, end), current.label);
    start = end;
  };
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === ESC) {
      const next = ESCAPES.find(({ sequence }) => [...sequence].every((c, k) => bytes[i + 1 + k] === c.charCodeAt(0)));
      if (!next) continue;
      flush(i);
      i += next.sequence.length;
      start = i + 1;
      current = next;
    } else if (!current.high && RESETS.has(bytes[i]!)) {
      flush(i);
      current = { label: first };
    }
  }
  flush(bytes.length);
  return text;
}

/** JIS X 0208 and 0212 as they come (7 bit) → EUC-JP. */
function raised(bytes: Uint8Array, prefix?: number): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    if (prefix !== undefined && i % 2 === 0) out.push(prefix);
    out.push(bytes[i]! | 0x80);
  }
  return Uint8Array.from(out);
}
