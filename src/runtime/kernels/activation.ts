/** What is applied to each value that a kernel gives. */
export type Activation =
  | { readonly kind: 'linear' | 'relu' | 'sigmoid' | 'tanh' | 'softplus' | 'softsign' | 'swish' | 'hardSigmoid' }
  /** Above `limit` it stays there: relu6. */
  | { readonly kind: 'clippedRelu'; readonly limit: number }
  /** Below zero times `slope`. */
  | { readonly kind: 'leakyRelu'; readonly slope: number }
  | { readonly kind: 'elu'; readonly alpha: number }
  | { readonly kind: 'selu' };

export const LINEAR: Activation = { kind: 'linear' };
export const SELU = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };

const PLAIN = ['linear', 'relu', 'sigmoid', 'tanh', 'softplus', 'softsign', 'swish', 'hardSigmoid', 'selu'] as const;

/** An activation by its name in tfjs's configurations; undefined for one that is not known here. */
export function activationOf(name: unknown): Activation | undefined {
  if (name == null || name === 'linear') return LINEAR;
  if (name === 'relu6') return { kind: 'clippedRelu', limit: 6 };
  if (name === 'elu') return { kind: 'elu', alpha: 1 };
  const plain = PLAIN.find(known => known === name);
  return plain && { kind: plain };
}

/** Part of the key of a kernel that has the activation in its code. */
export function activationKey(activation: Activation): string {
  return Object.values(activation).join(' ');
}

/**
 * The activation of a vec4 as an expression; `v` is the name of a variable. Comparisons are such that NaN stays NaN, which
 * is then seen in the output: `max` may take it for zero.
 */
export function activated(activation: Activation, v: string): string {
  switch (activation.kind) {
    case 'linear': return v;
    case 'relu': return `select(${v}, vec4f(), ${v} < vec4f())`;
    case 'clippedRelu': return `select(select(${v}, vec4f(), ${v} < vec4f()), vec4f(${float(activation.limit)}), ${v} > vec4f(${float(activation.limit)}))`;
    case 'leakyRelu': return `select(${v}, ${v} * ${float(activation.slope)}, ${v} < vec4f())`;
    case 'elu': return `select(${v}, (exp(min(${v}, vec4f())) - 1.0) * ${float(activation.alpha)}, ${v} < vec4f())`;
    case 'selu': return `(${float(SELU.scale)} * select(${v}, (exp(min(${v}, vec4f())) - 1.0) * ${float(SELU.alpha)}, ${v} < vec4f()))`;
    // Beyond ±80 exp overflows on some devices, and the value is 0 or 1 in 32 bits long before.
    case 'sigmoid': return `(1.0 / (1.0 + exp(-clamp(${v}, vec4f(-80.0), vec4f(80.0)))))`;
    case 'tanh': return `tanh(clamp(${v}, vec4f(-15.0), vec4f(15.0)))`;
    case 'softplus': return `(max(${v}, vec4f()) + log(1.0 + exp(-abs(${v}))))`;
    case 'softsign': return `(${v} / (1.0 + abs(${v})))`;
    case 'swish': return `(${v} / (1.0 + exp(-clamp(${v}, vec4f(-80.0), vec4f(80.0)))))`;
    case 'hardSigmoid': return `clamp(0.2 * ${v} + 0.5, vec4f(), vec4f(1.0))`;
  }
}

/** The same of one number, in float64. */
export function activate(activation: Activation, v: number): number {
  switch (activation.kind) {
    case 'linear': return v;
    case 'relu': return v < 0 ? 0 : v;
    case 'clippedRelu': return v < 0 ? 0 : v > activation.limit ? activation.limit : v;
    case 'leakyRelu': return v < 0 ? v * activation.slope : v;
    case 'elu': return v < 0 ? Math.expm1(v) * activation.alpha : v;
    case 'selu': return SELU.scale * (v < 0 ? Math.expm1(v) * SELU.alpha : v);
    case 'sigmoid': return 1 / (1 + Math.exp(-v));
    case 'tanh': return Math.tanh(v);
    case 'softplus': return Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
    case 'softsign': return v / (1 + Math.abs(v));
    case 'swish': return v / (1 + Math.exp(-v));
    case 'hardSigmoid': return Math.min(1, Math.max(0, 0.2 * v + 0.5));
  }
}

/** A number as a literal of WGSL, in all its digits. */
export function float(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? text : `${text}.0`;
}
