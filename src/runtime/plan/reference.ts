import { activate } from '../kernels/activation.ts';
import { slopeAt } from '../kernels/gate.ts';
import type { Before, Node, PlaneShape } from './ops.ts';

/** What a node's input holds for one of a batch: a value for each (row · columns + column) · channels + channel. */
export interface Given {
  readonly shape: PlaneShape;
  value(index: number): number;
}

/** One value of what a node gives, in float64 from the definition alone. */
export type ValueAt = (row: number, column: number, channel: number) => number;

/**
 * What a kernel is held against: the same layer, one value at a time, in float64 and with no thought of speed. It knows
 * nothing of quads, tiles or places.
 */
export function referenceOf({ op, shape }: Node, inputs: readonly Given[]): ValueAt {
  const x = inputs[0]!;
  const at = ({ shape: { rows, columns, channels }, value }: Given, row: number, column: number, channel: number): number | undefined =>
    row < 0 || row >= rows || column < 0 || column >= columns ? undefined : value((row * columns + column) * channels + channel);
  const inside = (of: Given, row: number, column: number, channel: number) => at(of, row, column, channel)!;
  const after = (pre: Before | undefined, value: number, channel: number): number => {
    if (!pre) return value;
    const mapped = value * pre.scale[channel]! + pre.shift[channel]!;
    return pre.relu && mapped < 0 ? 0 : mapped;
  };

  switch (op.kind) {
    case 'input':
    case 'relane': return (r, c, k) => inside(x, r, c, k);
    case 'convolution': return (r, c, k) => {
      let sum = op.bias?.[k] ?? 0;
      for (let i = 0; i < op.size[0]; i++) for (let j = 0; j < op.size[1]; j++) for (let q = 0; q < x.shape.channels; q++) {
        const value = at(x, r * op.strides[0] - op.before[0] + i * op.rates[0], c * op.strides[1] - op.before[1] + j * op.rates[1], q);
        if (value !== undefined) sum += after(op.pre, value, q) * op.kernel[((i * op.size[1] + j) * x.shape.channels + q) * shape.channels + k]!;
      }
      if (op.gate) {
        const u = inside(inputs[1]!, r, c, k);
        if (op.gate === 'relu') sum = u > 0 ? sum : 0;
        else sum = u * op.gate.scale[k]! + op.gate.shift[k]! > 0 ? sum * op.gate.scale[k]! : 0;
      }
      return activate(op.activation, op.residual ? sum + inside(inputs.at(-1)!, r, c, k) : sum);
    };
    case 'depthwise': return (r, c, k) => {
      let sum = op.bias?.[k] ?? 0;
      for (let i = 0; i < op.size[0]; i++) for (let j = 0; j < op.size[1]; j++) {
        sum += (at(x, r * op.strides[0] - op.before[0] + i, c * op.strides[1] - op.before[1] + j, k) ?? 0) * op.kernel[(i * op.size[1] + j) * shape.channels + k]!;
      }
      return activate(op.activation, sum);
    };
    case 'transposed': return (r, c, k) => {
      let sum = op.bias?.[k] ?? 0;
      for (let i = 0; i < op.size[0]; i++) for (let j = 0; j < op.size[1]; j++) for (let q = 0; q < x.shape.channels; q++) {
        const row = (r + op.before[0] - i) / op.strides[0];
        const column = (c + op.before[1] - j) / op.strides[1];
        if (!Number.isInteger(row) || !Number.isInteger(column)) continue;
        sum += (at(x, row, column, q) ?? 0) * op.kernel[((i * op.size[1] + j) * x.shape.channels + q) * shape.channels + k]!;
      }
      return activate(op.activation, sum);
    };
    case 'dense': return (_r, _c, k) => {
      let sum = op.bias?.[k] ?? 0;
      for (let q = 0; q < x.shape.channels; q++) sum += x.value(q) * op.kernel[q * shape.channels + k]!;
      return activate(op.activation, sum);
    };
    case 'pooling': return (r, c, k) => {
      const seen: number[] = [];
      for (let i = 0; i < op.size[0]; i++) for (let j = 0; j < op.size[1]; j++) {
        const value = at(x, r * op.strides[0] - op.before[0] + i, c * op.strides[1] - op.before[1] + j, k);
        if (value !== undefined || op.zeros) seen.push(value ?? 0);
      }
      return op.of === 'max' ? Math.max(...seen) : seen.reduce((sum, value) => sum + value, 0) / seen.length;
    };
    case 'global': return (_r, _c, k) => {
      let joined = op.of === 'max' ? -Infinity : 0;
      for (let i = k; i < sizeOf(x.shape); i += x.shape.channels) {
        const value = after(op.pre, x.value(i), k);
        joined = op.of === 'max' ? Math.max(joined, value) : joined + value;
      }
      return op.of === 'max' ? joined : joined / (x.shape.rows * x.shape.columns);
    };
    case 'pointwise': return (r, c, k) => activate(op.activation, op.affine ? inside(x, r, c, k) * op.affine.scale[k]! + op.affine.shift[k]! : inside(x, r, c, k));
    case 'combination': return (r, c, k) => {
      const a = inside(x, r, c, k);
      const other = inputs[1]!;
      const b = other.shape.rows * other.shape.columns === 1 ? other.value(k) : inside(other, r, c, k);
      const joined = { add: a + b, multiply: a * b, maximum: Math.max(a, b), minimum: Math.min(a, b), average: (a + b) / 2 }[op.join];
      return activate(op.activation, joined);
    };
    case 'concatenation': return (r, c, k) => {
      let first = 0;
      for (const input of inputs) {
        if (k < first + input.shape.channels) return inside(input, r, c, k - first);
        first += input.shape.channels;
      }
      return NaN;
    };
    case 'resize': return (r, c, k) => {
      const [row, column] = [r / op.factors[0], c / op.factors[1]];
      const [top, left] = [Math.floor(row), Math.floor(column)];
      if (op.by === 'nearest') return inside(x, top, left, k);
      const [bottom, right] = [Math.min(top + 1, x.shape.rows - 1), Math.min(left + 1, x.shape.columns - 1)];
      const [down, across] = [row - top, column - left];
      return (inside(x, top, left, k) * (1 - across) + inside(x, top, right, k) * across) * (1 - down)
        + (inside(x, bottom, left, k) * (1 - across) + inside(x, bottom, right, k) * across) * down;
    };
    case 'shift': return (r, c, k) => at(x, r - op.at[0], c - op.at[1], k) ?? 0;
    case 'flatten': return (_r, _c, k) => x.value(k);
    case 'softmax': return (r, c, k) => {
      const all = Array.from({ length: shape.channels }, (_, q) => inside(x, r, c, q));
      const most = Math.max(...all);
      return Math.exp(all[k]! - most) / all.reduce((sum, value) => sum + Math.exp(value - most), 0);
    };
    case 'dot': return () => {
      let sum = 0;
      for (let q = 0; q < x.shape.channels; q++) sum += x.value(q) * inputs[1]!.value(q);
      return sum;
    };
    case 'gate': {
      const { by, residual } = op;
      const one = x.shape.rows * x.shape.columns === 1;
      return (r, c, k) => {
        const g = one ? x.value(k) : inside(x, r, c, k);
        const slope = by.of === 'activation' ? slopeAt(by.activation, inside(inputs[1]!, r, c, k))
          : by.positive && inside(inputs[1]!, r, c, k) * by.positive.scale[k]! + by.positive.shift[k]! <= 0 ? 0 : by.gain[k]!;
        return g * slope + (residual ? inside(inputs.at(-1)!, r, c, k) : 0);
      };
    }
    case 'unpooling': return (r, c, k) => {
      let sum = 0;
      for (let oy = 0; oy < x.shape.rows; oy++) for (let ox = 0; ox < x.shape.columns; ox++) {
        const met: { readonly own: boolean; readonly value: number }[] = [];
        for (let i = 0; i < op.size[0]; i++) for (let j = 0; j < op.size[1]; j++) {
          const [row, column] = [oy * op.strides[0] - op.before[0] + i, ox * op.strides[1] - op.before[1] + j];
          const there = row >= 0 && row < shape.rows && column >= 0 && column < shape.columns;
          if (there || op.zeros) met.push({ own: row === r && column === c, value: op.of === 'max' && there ? inside(inputs[1]!, row, column, k) : 0 });
        }
        if (!met.some(({ own }) => own)) continue;
        const most = Math.max(...met.map(({ value }) => value));
        if (op.of === 'average') sum += inside(x, oy, ox, k) / met.length;
        else if (met.find(({ value }) => value === most)!.own) sum += inside(x, oy, ox, k);
      }
      return sum;
    };
    case 'part': return (r, c, k) => inside(x, r, c, op.first + k);
    case 'unflatten': return (r, c, k) => x.value((r * shape.columns + c) * shape.channels + k);
    case 'moments': return (r, c, k) => {
      const channels = x.shape.channels;
      const present = inputs.at(-1)!;
      const values = inputs.slice(0, -1).flatMap((of, i) => (present.value(i) === 0 ? [] : [inside(of, r, c, k % channels)]));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      if (k < channels) return mean;
      return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(values.length - 1, 1);
    };
  }
}

export const sizeOf = ({ rows, columns, channels }: PlaneShape): number => rows * columns * channels;
