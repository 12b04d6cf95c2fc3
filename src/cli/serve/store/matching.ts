import type { DicomJsonElement } from '../../../dicom/dicomjson.ts';

/**
 * Attribute matching of PS3.4 C.2.2.2: single value, list of UIDs, wild cards, date and time ranges. Person names, and
 * everything when fuzzy, match without regard to case and accents; fuzzy names match by the beginning of their words.
 * @param asked values apart by backslash; for UIDs and codes by comma too
 */
export function matches({ vr, Value = [] }: DicomJsonElement, asked: string, { fuzzy = false } = {}): boolean {
  const values = Value.filter((v) => v !== null).flatMap((v) => (vr === 'PN' ? Object.values(v as Record<string, string>) : [String(v)]));
  const alternatives = asked.split(vr === 'UI' || vr === 'CS' ? /[\\,]/ : '\\').map((a) => a.trim()).filter(Boolean);
  return alternatives.some((alternative) => {
    if (/^(DA|TM|DT)$/.test(vr)) return values.some((v) => inRange(v, alternative, vr));
    if (vr === 'UI') return values.includes(alternative);
    if (vr === 'PN' && fuzzy) return values.some((v) => namesStart(v, alternative));
    if (vr === 'IS' || vr === 'DS' || /^[FSU][DLSV]$/.test(vr)) return values.some((v) => Number(v) === Number(alternative));
    const folded = vr === 'PN' || fuzzy;
    const pattern = wildCard(folded ? fold(alternative) : alternative);
    return values.some((v) => pattern.test(folded ? fold(v) : v));
  });
}

/** `20240101`, `20240101-20240131`, `-20240131`, `20240101-`; times may be given to the hour or the minute. */
function inRange(value: string, asked: string, vr: string): boolean {
  const plain = (text: string) => text.replace(vr === 'DA' ? /[.-]/g : /[:]/g, '');
  // A time zone's minus is no range.
  const at = vr === 'DT' ? asked.search(/-(?!\d{4}$)/) : asked.indexOf('-');
  const have = plain(value);
  if (at < 0) return have.startsWith(plain(asked));
  const from = plain(asked.slice(0, at));
  const to = plain(asked.slice(at + 1));
  return have !== '' && (from === '' || have.slice(0, Math.max(from.length, 1)) >= from) && (to === '' || have.slice(0, to.length) <= to);
}

function wildCard(pattern: string): RegExp {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function namesStart(value: string, asked: string): boolean {
  const words = (text: string) => fold(text).replaceAll('*', '').split(/[\s^,=]+/).filter(Boolean);
  const have = words(value);
  return words(asked).every((word) => have.some((h) => h.startsWith(word)));
}
