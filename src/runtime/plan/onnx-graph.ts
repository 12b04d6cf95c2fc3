import { encode, Float, type Field, type Message } from '../onnx-wire.ts';

const OPSET = 13;
const IR_VERSION = 8;
const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const;

export type Attributes = Readonly<Record<string, number | Float | string | readonly number[]>>;
/** A size that is open until the model runs is a name. */
type Dimensions = readonly (number | string)[];

/** An ONNX graph as it is put together: nodes and constants by the names of their values. Field numbers are onnx.proto's. */
export class OnnxGraph {
  readonly #nodes: Field[] = [];
  readonly #constants: Field[] = [];
  readonly #inputs: Field[] = [];
  readonly #outputs: Field[] = [];
  #made = 0;

  input(name: string, shape: Dimensions): string {
    this.#inputs.push([11, valueInfo(name, shape)]);
    return name;
  }

  /** @returns the name of what the node gives */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodes(op, inputs, 1, attributes)[0]!;
  }

  /** A node that gives several values. */
  nodes(op: string, inputs: readonly string[], count: number, attributes: Attributes = {}): readonly string[] {
    const given = Array.from({ length: count }, () => `v${this.#made++}`);
    const written = Object.entries(attributes).map(([name, value]): Field => [5, attribute(name, value)]);
    this.#nodes.push([1, [...inputs.map((i): Field => [1, i]), ...given.map((o): Field => [2, o]), [3, `${op} ${given[0]}`], [4, op], ...written]]);
    return given;
  }

  output(name: string, value: string, shape: Dimensions): void {
    this.#nodes.push([1, [[1, value], [2, name], [4, 'Identity']]]);
    this.#outputs.push([12, valueInfo(name, shape)]);
  }

  floats(shape: readonly number[], values: Float32Array): string {
    return this.#constant(shape, FLOAT, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  integers(values: readonly number[]): string {
    return this.#constant([values.length], INT64, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  bytes(): Uint8Array {
    return encode([
      [1, IR_VERSION], [2, 'overread'],
      [7, [...this.#nodes, [2, 'network'], ...this.#constants, ...this.#inputs, ...this.#outputs]],
      [8, [[1, ''], [2, OPSET]]],
    ]);
  }

  #constant(shape: readonly number[], type: number, raw: Uint8Array): string {
    const name = `w${this.#made++}`;
    this.#constants.push([5, [...shape.map((n): Field => [1, n]), [2, type], [8, name], [9, raw]]]);
    return name;
  }
}

function attribute(name: string, value: Attributes[string]): Message {
  if (typeof value === 'number') return [[1, name], [3, value], [20, ATTRIBUTE.int]];
  if (value instanceof Float) return [[1, name], [2, value], [20, ATTRIBUTE.float]];
  if (typeof value === 'string') return [[1, name], [4, value], [20, ATTRIBUTE.string]];
  return [[1, name], ...value.map((v): Field => [8, v]), [20, ATTRIBUTE.ints]];
}

function valueInfo(name: string, shape: Dimensions): Message {
  const sizes = shape.map((size): Field => [1, typeof size === 'number' ? [[1, size]] : [[2, size]]]);
  return [[1, name], [2, [[1, [[1, FLOAT], [2, sizes]]]]]];
}
