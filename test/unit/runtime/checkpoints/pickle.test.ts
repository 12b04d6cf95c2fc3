import { isOverreadError, type OverreadError } from '../../../../src/errors.ts';
import { PickleGlobal, PickleObject, readPickle, type PickleHooks } from '../../../../src/runtime/checkpoints/pickle.ts';

const refuse: PickleHooks = {
  call: callable => { throw new Error(`called ${callable}`); },
  persistent: id => ({ id }),
};

/** Latin-1 text is the clearest way to write opcodes. */
const bytes = (text: string) => Uint8Array.from(text, c => c.charCodeAt(0));
const read = (text: string, hooks = refuse) => readPickle(bytes(text), hooks, 'test.pkl').value;

function errorOf(run: () => unknown): OverreadError {
  try {
    run();
  } catch (error) {
    if (isOverreadError(error)) return error;
    throw error;
  }
  throw new Error('expected an OverreadError');
}

describe('readPickle', () => {
  // Written by python3: pickle.dumps(value, protocol).
  test.each([
    ['protocol 0', '(lp0\nI1\naI01\naF2.5\naVh\\u00e9\np1\na(I1\nI2\ntp2\na.', [1, true, 2.5, 'hé', [1, 2]]],
    ['protocol 2', '\x80\x02]q\x00(K\x01\x88G@\x04\x00\x00\x00\x00\x00\x00X\x03\x00\x00\x00h\xc3\xa9q\x01K\x01K\x02\x86q\x02e.', [1, true, 2.5, 'hé', [1, 2]]],
    ['protocol 4', '\x80\x04\x95\x1b\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01\x88G@\x04\x00\x00\x00\x00\x00\x00\x8c\x03h\xc3\xa9\x94K\x01K\x02\x86\x94e.', [1, true, 2.5, 'hé', [1, 2]]],
  ])('reads a list by %s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test('reads integers of every size', () => {
    expect(read('\x80\x02(J\xff\xff\xff\xffM\x00\x01\x8a\x05\x00\x00\x00\x00\x01\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01\x8a\x00t.'))
      .toEqual([-1, 256, 2 ** 32, 1n << 64n, 0]);
  });

  test('reads dicts, sets, bytes and shared values', () => {
    const value = read('\x80\x04(}\x94(\x8c\x01a\x94C\x02\x00\xff\x8c\x01b\x94h\x00u\x8f(K\x01K\x02\x90t.') as [Map<string, unknown>, Set<number>];
    expect(value[0].get('a')).toEqual(new Uint8Array([0, 255]));
    expect(value[0].get('b')).toBe(value[0]);
    expect(value[1]).toEqual(new Set([1, 2]));
  });

  test('keeps names as names and objects as data', () => {
    expect(read('cos\nsystem\n.')).toEqual(new PickleGlobal('os', 'system'));
    const object = read('\x80\x02ca.b\nNet\n)\x81}X\x01\x00\x00\x00kK\x07sb.') as PickleObject;
    expect(object.type.toString()).toBe('a.b.Net');
    expect(object.attributes).toEqual(new Map([['k', 7]]));
  });

  test('a key named __proto__ is a key and nothing else', () => {
    const value = read('\x80\x02}X\x09\x00\x00\x00__proto__}X\x01\x00\x00\x00xK\x01ss.') as Map<string, unknown>;
    expect(value.get('__proto__')).toEqual(new Map([['x', 1]]));
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  // Every opcode that can call something ends at the hook.
  test.each([
    ['REDUCE', 'cos\nsystem\n(S\'id\'\ntR.'],
    ['INST', '(S\'id\'\nios\nsystem\n.'],
    ['OBJ', '(cos\nsystem\nS\'id\'\no.'],
    ['NEWOBJ', '\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85\x81.'],
    ['NEWOBJ_EX', '\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85}\x92.'],
    ['STACK_GLOBAL and REDUCE', '\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.'],
  ])('%s asks the hook', (_, text) => {
    const asked: [string, readonly unknown[]][] = [];
    read(text, { ...refuse, call: (callable, args) => { asked.push([callable.toString(), args]); return null; } });
    expect(asked).toEqual([['os.system', ['id']]]);
  });

  test.each([
    ['EXT1', '\x80\x02\x82\x01.', '0x82'],
    ['NEXT_BUFFER', '\x80\x05\x97.', '0x97'],
    ['a byte that is no opcode', '\xfe.', '0xfe'],
  ])('refuses %s', (_, text, opcode) => {
    const error = errorOf(() => read(text));
    expect(error.code).toBe('model/checkpoint');
    expect(error.message).toContain(`the opcode ${opcode}`);
  });

  test.each([
    ['nothing to pop', 'R.'], ['a mark for a value', '(R.'], ['a group that never began', 't.'],
    ['an unknown memo', 'h\x05.'], ['items for a number', 'K\x01K\x02K\x03s.'], ['a call of a number', 'K\x01)R.'],
    ['an integer of a million bytes', '\x8b\x40\x42\x0f\x00.'], ['protocol 9', '\x80\x09.'], ['a text integer with letters', 'Iabc\n.'],
  ])('refuses %s', (_, text) => {
    expect(errorOf(() => read(text)).code).toBe('model/checkpoint');
  });

  test('says truncated wherever a pickle is cut', () => {
    const whole = '\x80\x04\x95\x1b\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01\x88G@\x04\x00\x00\x00\x00\x00\x00\x8c\x03h\xc3\xa9\x94K\x01K\x02\x86\x94e.';
    for (let length = 0; length < whole.length; length++) {
      expect(errorOf(() => read(whole.slice(0, length))).code).toBe('input/truncated');
    }
  });

  test('an enormous length is truncated, not allocated', () => {
    expect(errorOf(() => read('\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f')).code).toBe('input/truncated');
  });
});
