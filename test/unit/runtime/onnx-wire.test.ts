import { encode, Float } from '../../../src/runtime/onnx-wire.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The examples of protobuf.dev/programming-guides/encoding. */
test.each([
  ['a number', [[1, 150]] as const, '089601'],
  ['a text', [[2, 'testing']] as const, '120774657374696e67'],
  ['a message inside', [[3, [[1, 150]]]] as const, '1a03089601'],
])('%s, as the specification writes it', (_, message, expected) => {
  expect(hex(encode(message))).toBe(expected);
});

test('a float is four bytes, little endian; field numbers above 15 take two', () => {
  expect(hex(encode([[2, new Float(1.5)], [20, 7]]))).toBe('15' + '0000c03f' + 'a001' + '07');
});

test('a negative number is ten bytes, as two\'s complement of 64 bits', () => {
  expect(hex(encode([[3, -1]]))).toBe('18' + 'ffffffffffffffffff01');
});
