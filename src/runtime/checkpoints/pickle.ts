import { OverreadError } from '../../errors.ts';
import { ByteReader } from './byte-reader.ts';

/** A name from a pickle (`os.system`): text only, it is looked up nowhere and nothing of that name is ever run. */
export class PickleGlobal {
  constructor(readonly module: string, readonly name: string) {}
  toString(): string { return `${this.module}.${this.name}`; }
}

/** An instance of a class that we hold as plain data: its attributes, and its items when it is a container. */
export class PickleObject {
  readonly attributes = new Map<unknown, unknown>();
  readonly items = new Map<unknown, unknown>();
  constructor(readonly type: PickleGlobal) {}
}

/** What a pickle may ask for beyond plain data. Each answers with inert data or throws. */
export interface PickleHooks {
  /** A call of `callable`, by REDUCE, INST, OBJ or NEWOBJ with arguments. */
  call(callable: PickleGlobal, args: readonly unknown[]): unknown;
  /** An object kept outside of the pickle. */
  persistent(id: unknown): unknown;
}

export interface Unpickled {
  readonly value: unknown;
  /** Where the byte after STOP is. */
  readonly end: number;
}

const MARK = Symbol('mark');

/** More integers of this length are an attack on the time that bigint takes, not weights. */
const LONGEST_INTEGER = 1024;

/**
 * Reads one pickle (protocols 0 to 5, all opcodes but extensions and out-of-band buffers) as plain data: list and tuple
 * → array, dict → Map, set → Set, None → null, bytes → Uint8Array, a class or function → {@link PickleGlobal}, an
 * instance → {@link PickleObject}. No code is run whatever the pickle says: a call goes to `hooks.call`, which knows a
 * few pure reconstructors and refuses the rest.
 * @throws OverreadError `input/truncated`; `model/checkpoint` for an unknown opcode or a malformed stack
 */
export function readPickle(bytes: Uint8Array, hooks: PickleHooks, where: string, start = 0): Unpickled {
  const reader = new ByteReader(bytes, start, where);
  const machine = new PickleMachine(reader, hooks, where);
  let result = machine.step();
  while (!result) result = machine.step();
  return { value: result.value, end: reader.position };
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** Python's escapes in protocol 0 text. */
function unescape(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))/gi, (_, x?: string, u?: string, c?: string) =>
    c !== undefined ? ESCAPES[c] ?? c : String.fromCharCode(parseInt((x ?? u)!, 16)));
}

class PickleMachine {
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(private readonly r: ByteReader, private readonly hooks: PickleHooks, private readonly where: string) {}

  /** Runs one opcode; gives the value at STOP. */
  step(): { value: unknown } | undefined {
    const r = this.r;
    const at = r.position;
    const code = r.uint8();
    switch (String.fromCharCode(code)) {
      case '\x80': { // PROTO
        const protocol = r.uint8();
        if (protocol > 5) throw this.#malformed(`has pickle protocol ${protocol}; protocols up to 5 are known`);
        return;
      }
      case '\x95': r.length64(); return; // FRAME: a hint for streaming
      case '.': return { value: this.#pop() }; // STOP
      case '(': this.#stack.push(MARK); return;
      case '0': this.#popAny(); return; // POP
      case '1': this.#popMark(); return; // POP_MARK
      case '2': this.#push(this.#top()); return; // DUP

      case 'N': return this.#push(null);
      case '\x88': return this.#push(true);
      case '\x89': return this.#push(false);
      case 'J': return this.#push(r.int32());
      case 'K': return this.#push(r.uint8());
      case 'M': return this.#push(r.uint16());
      case 'I': return this.#push(this.#textInteger(r.line())); // INT, which also says 00 and 01 for booleans
      case 'L': return this.#push(this.#textInteger(r.line().replace(/L$/, ''))); // LONG
      case '\x8a': return this.#push(r.integer(r.uint8())); // LONG1
      case '\x8b': { // LONG4
        const count = r.uint32();
        if (count > LONGEST_INTEGER) throw this.#malformed(`has an integer of ${count} bytes at ${at}`);
        return this.#push(r.integer(count));
      }
      case 'G': return this.#push(r.float64BigEndian());
      case 'F': return this.#push(Number(r.line()));

      case 'X': return this.#push(r.utf8(r.uint32()));
      case '\x8c': return this.#push(r.utf8(r.uint8()));
      case '\x8d': return this.#push(r.utf8(r.length64()));
      case 'U': return this.#push(r.latin1(r.uint8())); // Python 2's str
      case 'T': return this.#push(r.latin1(r.uint32()));
      case 'S': return this.#push(unescape(r.line().slice(1, -1))); // quoted text of protocol 0
      case 'V': return this.#push(unescape(r.line()));
      case 'B': return this.#push(r.take(r.uint32()));
      case 'C': return this.#push(r.take(r.uint8()));
      case '\x8e': case '\x96': return this.#push(r.take(r.length64())); // BINBYTES8, BYTEARRAY8

      case ']': return this.#push([]);
      case 'l': case 't': return this.#push(this.#popMark()); // LIST, TUPLE
      case 'a': { const value = this.#pop(); this.#append([value]); return; }
      case 'e': { const values = this.#popMark(); this.#append(values); return; }
      case ')': return this.#push([]);
      case '\x85': return this.#push(this.#popN(1));
      case '\x86': return this.#push(this.#popN(2));
      case '\x87': return this.#push(this.#popN(3));
      case '}': return this.#push(new Map());
      case 'd': { const pairs = this.#popMark(); this.#push(new Map()); this.#setItems(pairs); return; }
      case 's': { const pair = this.#popN(2); this.#setItems(pair); return; }
      case 'u': { const pairs = this.#popMark(); this.#setItems(pairs); return; }
      case '\x8f': return this.#push(new Set());
      case '\x90': { // ADDITEMS
        const values = this.#popMark();
        const set = this.#top();
        if (!(set instanceof Set)) throw this.#malformed(`adds to what is no set at ${at}`);
        for (const value of values) set.add(value);
        return;
      }
      case '\x91': return this.#push(new Set(this.#popMark())); // FROZENSET

      case 'p': return this.#put(this.#index(r.line()));
      case 'q': return this.#put(r.uint8());
      case 'r': return this.#put(r.uint32());
      case '\x94': return this.#put(this.#memo.size); // MEMOIZE
      case 'g': return this.#get(this.#index(r.line()));
      case 'h': return this.#get(r.uint8());
      case 'j': return this.#get(r.uint32());

      case 'c': { const module = r.line(); return this.#push(new PickleGlobal(module, r.line())); }
      case '\x93': { // STACK_GLOBAL
        const [module, name] = this.#popN(2);
        if (typeof module !== 'string' || typeof name !== 'string') throw this.#malformed(`names a global by no text at ${at}`);
        return this.#push(new PickleGlobal(module, name));
      }
      case 'R': { const [callable, args] = this.#popN(2); return this.#push(this.#call(callable, args)); }
      case 'i': { // INST
        const callable = new PickleGlobal(r.line(), r.line());
        return this.#push(this.#call(callable, this.#popMark()));
      }
      case 'o': { const [callable, ...args] = this.#popMark(); return this.#push(this.#call(callable, args)); } // OBJ
      case '\x81': { const [type, args] = this.#popN(2); return this.#push(this.#instance(type, args, at)); }
      case '\x92': { // NEWOBJ_EX
        const [type, args, named] = this.#popN(3);
        if (!(named instanceof Map) || named.size > 0) throw this.#malformed(`makes an object by named arguments at ${at}`);
        return this.#push(this.#instance(type, args, at));
      }
      case 'b': { const state = this.#pop(); this.#build(this.#top(), state); return; }
      case 'P': return this.#push(this.hooks.persistent(r.line()));
      case 'Q': return this.#push(this.hooks.persistent(this.#pop()));
      default:
        throw this.#malformed(`has the opcode 0x${code.toString(16).padStart(2, '0')} at byte ${at}, which we do not know and never skip`);
    }
  }

  #push(value: unknown): undefined { this.#stack.push(value); return undefined; }

  #popAny(): unknown {
    if (this.#stack.length === 0) throw this.#malformed('takes from an empty stack');
    return this.#stack.pop();
  }

  #pop(): unknown {
    const value = this.#popAny();
    if (value === MARK) throw this.#malformed('takes a mark for a value');
    return value;
  }

  #popN(count: number): unknown[] {
    const values = Array.from({ length: count }, () => this.#pop());
    return values.reverse();
  }

  #popMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#malformed('ends a group that never began');
    const values = this.#stack.splice(mark);
    return values.slice(1);
  }

  #top(): unknown {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw this.#malformed('looks at an empty stack');
    return value;
  }

  #put(index: number): undefined { this.#memo.set(index, this.#top()); return undefined; }

  #get(index: number): undefined {
    if (!this.#memo.has(index)) throw this.#malformed(`recalls value ${index}, which was never kept`);
    return this.#push(this.#memo.get(index));
  }

  #append(values: readonly unknown[]): void {
    const list = this.#top();
    if (list instanceof PickleObject) return; // a list subclass: its items are no weights
    if (!Array.isArray(list)) throw this.#malformed('appends to what is no list');
    for (const value of values) list.push(value);
  }

  #setItems(pairs: readonly unknown[]): void {
    const top = this.#top();
    const map = top instanceof PickleObject ? top.items : top;
    if (!(map instanceof Map) || pairs.length % 2) throw this.#malformed('sets items of what is no dict');
    for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
  }

  #call(callable: unknown, args: unknown): unknown {
    if (!(callable instanceof PickleGlobal) || !Array.isArray(args)) throw this.#malformed('calls what is no function');
    return this.hooks.call(callable, args);
  }

  /**
   * NEWOBJ without arguments makes an empty instance; Python runs no constructor then, and we nothing at all, so any
   * class will do. With arguments it is a call.
   */
  #instance(type: unknown, args: unknown, at: number): unknown {
    if (!(type instanceof PickleGlobal) || !Array.isArray(args)) throw this.#malformed(`makes an object of no class at ${at}`);
    return args.length > 0 ? this.hooks.call(type, args) : new PickleObject(type);
  }

  /** Attributes become data of a {@link PickleObject}; those of a dict or a tensor are notes that hold no weights. */
  #build(object: unknown, state: unknown): void {
    if (!(object instanceof PickleObject)) return;
    // (state, slots): what classes with __slots__ give.
    for (const part of Array.isArray(state) ? state : [state]) {
      if (part instanceof Map) for (const [key, value] of part) object.attributes.set(key, value);
    }
  }

  #textInteger(text: string): number | bigint | boolean {
    if (text === '00' || text === '01') return text === '01';
    if (!/^-?\d+$/.test(text) || text.length > LONGEST_INTEGER) throw this.#malformed(`has the integer ${JSON.stringify(text.slice(0, 32))}`);
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : BigInt(text);
  }

  #index(text: string): number {
    if (!/^\d{1,9}$/.test(text)) throw this.#malformed(`has the memo index ${JSON.stringify(text.slice(0, 32))}`);
    return Number(text);
  }

  #malformed(what: string): OverreadError {
    return new OverreadError('model/checkpoint',
      `${this.where} ${what}. Expected a pickle as PyTorch writes it; save the checkpoint again, best as a state dict or as .safetensors.`,
      { where: this.where, got: what });
  }
}
