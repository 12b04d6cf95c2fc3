import { decodeText } from '../../../src/dicom/charset.ts';

/** `\e` stands for the escape character. */
const bytes = (text: string): Uint8Array => Uint8Array.from(text.replaceAll('\\e', '\x1b'), (c) => c.charCodeAt(0));
const hex = (text: string): Uint8Array => Uint8Array.from(text.split(' '), (h) => Number.parseInt(h, 16));

/** Names of PS3.5 annexes H to K, and of the single-byte sets. */
describe('decodeText', () => {
  it.each([
    ['Latin-1', ['ISO_IR 100'], hex('c4 6e 65 61 73 5e 52 fc 64 69 67 65 72'), 'Äneas^Rüdiger'],
    ['Cyrillic', ['ISO_IR 144'], hex('bb ee da 63 65 dc d1 79 70 d3'), 'Люкceмбypг'],
    ['UTF-8', ['ISO_IR 192'], hex('e7 8e 8b 5e e5 b0 8f e6 9d b1'), '王^小東'],
    ['GB18030', ['GB18030'], hex('cd f5 5e d0 a1 b6 ab'), '王^小东'],
    ['Japanese, H.3.1', ['', 'ISO 2022 IR 87'], bytes('Yamada^Tarou=\\e$B;3ED\\e(B^\\e$BB@O:\\e(B=\\e$B$d$^$@\\e(B^\\e$B$?$m$&\\e(B'), 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
    ['half-width katakana, H.3.2', ['ISO 2022 IR 13', 'ISO 2022 IR 87'], bytes('\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\\e$B;3ED\\e(J^\\e$BB@O:\\e(J'), 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎'],
    ['Korean, I.2', ['', 'ISO 2022 IR 149'], bytes('Hong^Gildong=\\e$)C\xfb\xf3^\\e$)C\xd1\xce\xd4\xd7'), 'Hong^Gildong=洪^吉洞'],
    ['Chinese, K', ['', 'ISO 2022 IR 58'], bytes('Zhang=\\e$)A\xd5\xc5^\\e$)A\xd0\xa1\xb6\xab'), 'Zhang=张^小东'],
    ['no set', [], bytes('plain'), 'plain'],
    ['a set that is none', ['ISO_IR 999'], bytes('plain'), 'plain'],
  ])('%s', (_, terms, text, expected) => expect(decodeText(text, terms)).toBe(expected));
});
