import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { isOverreadError } from '../../src/errors.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';

const FILES = ['checkpoints/tensors.pt', 'checkpoints/tensors-legacy.pt', 'densenet/model.safetensors'];

/** Whatever the bytes are: a state dict or an error of ours, within ten seconds. */
function readsOrRefuses(bytes: Uint8Array): void {
  const start = performance.now();
  try {
    readCheckpoint(bytes, 'damaged.pt');
  } catch (error) {
    if (!isOverreadError(error)) throw error;
    expect(['input/truncated', 'model/checkpoint']).toContain(error.code);
  }
  expect(performance.now() - start).toBeLessThan(10_000);
}

test.each(FILES)('%s with a few bytes changed is read or refused', file => {
  const whole = new Uint8Array(readFileSync(join(__dirname, '../golden', file)));
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), changes => {
    const bytes = whole.slice();
    for (const [at, value] of changes) bytes[at] = value;
    readsOrRefuses(bytes);
  }), { numRuns: 500 });
});

test.each(FILES)('%s cut anywhere is refused', file => {
  const whole = new Uint8Array(readFileSync(join(__dirname, '../golden', file)));
  fc.assert(fc.property(fc.nat(whole.length - 1), length => {
    expect(() => readCheckpoint(whole.slice(0, length), 'cut.pt')).toThrow(expect.objectContaining({ name: 'OverreadError' }) as Error);
  }), { numRuns: 300 });
});

test('random opcodes after a pickle header are read or refused', () => {
  const opcode = fc.constantFrom(...'(.012NGIJKLMFTUVXSBC]latse)}duqhgprjRcbioQP', '\x80', '\x81', '\x85', '\x86', '\x87', '\x88', '\x89', '\x8a', '\x8b', '\x8c', '\x8d', '\x8e', '\x8f', '\x90', '\x91', '\x92', '\x93', '\x94', '\x95', '\x96');
  const argument = fc.constantFrom('', '\x00', '\x01', '\x05', '\n', 'os\n', 'system\n', '\xff\xff\xff\xff');
  fc.assert(fc.property(fc.array(fc.tuple(opcode, argument), { maxLength: 60 }), ops => {
    readsOrRefuses(Uint8Array.from(`\x80\x02${ops.flat().join('')}.`, c => c.charCodeAt(0)));
  }), { numRuns: 2000 });
});
