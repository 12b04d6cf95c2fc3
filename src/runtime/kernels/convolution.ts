import { activated, activationKey, type Activation } from './activation.ts';
import { groupsOf, kernel, repeat, valuesOf, type Launch, type Place } from './kernel.ts';

/** A 2D convolution of planes; sizes of channels are in quads. */
export interface Convolution {
  readonly n: number;
  readonly input: readonly [rows: number, columns: number];
  readonly output: readonly [rows: number, columns: number];
  readonly inQuads: number;
  readonly outQuads: number;
  /** Channels that are there of an input of one quad: the others are not multiplied. 4 for wider inputs. */
  readonly inLanes: number;
  readonly size: readonly [rows: number, columns: number];
  readonly strides: readonly [rows: number, columns: number];
  readonly rates: readonly [rows: number, columns: number];
  /** Rows above and columns left of the input that the first output's kernel meets. */
  readonly before: readonly [rows: number, columns: number];
  readonly x: Place;
  readonly y: Place;
  /** What is added before the activation, as large as the output. */
  readonly residual?: Place | undefined;
  /** What is done to the input as it is loaded: x · scale + shift by channel, then perhaps ReLU. */
  readonly pre?: 'affine' | 'affine relu' | undefined;
  /** Of a derivative, instead of `pre`: the sums count only where this is positive, or where it is · scale + shift, and then times scale. */
  readonly gate?: { readonly by: 'relu' | 'affine relu'; readonly place: Place } | undefined;
  readonly activation: Activation;
  /** Where this device has better ones than {@link USUAL_TILES}. */
  readonly tiles?: ConvolutionTiles | undefined;
}

/** What an invocation computes: neighbours in a row × quads of channels. */
export type Tile = readonly [pixels: number, quads: 1 | 2];

/** The tiles of convolutions of several quads and columns, by what they do: with one tap, or with more. */
export interface ConvolutionTiles {
  readonly pointwise: Tile;
  readonly windowed: Tile;
}

export const USUAL_TILES: ConvolutionTiles = { pointwise: [4, 2], windowed: [4, 2] };
/** Those that a device is tried with; each computes the very same sums, in the same order. */
export const TILES: readonly Tile[] = [[4, 2], [8, 2], [2, 2], [4, 1]];

const PARAMS = [
  'tasks', 'tiles', 'outQuads', 'quadTiles', 'wQuads', 'rows', 'columns', 'outRows', 'outColumns', 'inQuads', 'sizeRows', 'sizeColumns',
  'strideRows', 'strideColumns', 'rateRows', 'rateColumns', 'top', 'left', 'xStride', 'xOffset', 'yStride', 'yOffset', 'rStride', 'rOffset', 'uStride', 'uOffset',
] as const;

/**
 * Each invocation computes a tile of `pixels` neighbours in a row × `quads` quads of channels in registers. For each tap of
 * the kernel and each quad of input channels it loads one vec4 of every pixel and 4 · quads vec4 of weights, and does
 * 4 · pixels · quads fused vec4 multiply-adds with them: with 4 × 2, 32 for 12 loads. Neighbouring invocations share the
 * pixels and differ in the output channels, so that a warp's loads of weights are contiguous and those of pixels one
 * broadcast. No workgroup memory: what is shared comes from the first cache, and a software adapter has no barriers to wait at.
 *
 * 4 × 2 was the best of 1..16 × 1..4 on SwiftShader (2.0 to 2.3 G multiply-adds a second on two cores); another device is asked for
 * its own (`plan/tune.ts`). Outputs of one quad take tiles of one, single pixels 1 × 2.
 */
function tileOf({ output: [, columns], outQuads, size, tiles = USUAL_TILES }: Convolution): readonly [pixels: number, quads: number] {
  const [pixels, quads] = size[0] * size[1] === 1 ? tiles.pointwise : tiles.windowed;
  return [columns === 1 ? 1 : pixels, outQuads === 1 ? 1 : columns === 1 ? 2 : quads];
}

/** Quads of weights that the kernel reads for each input channel: the last tile is filled up with zeros. */
export function weightQuads(outQuads: number): number {
  return outQuads === 1 ? 1 : 2 * Math.ceil(outQuads / 2);
}

/**
 * Reads x, w, bias, then scale and shift (with `pre`, or a gate by them), then what gates, then the residual. Weights: [rows][columns][input lanes][weightQuads],
 * bias [weightQuads], scale and shift [inQuads], of a gate [outQuads].
 */
export function convolution(of: Convolution): Launch {
  const flat = flattened(of);
  const [pixels, quads] = tileOf(flat);
  const { n, input, output, inQuads, outQuads, inLanes, size, strides, rates, before, x, y, residual, pre, gate, activation } = flat;
  // Of an input without padding every tap is inside, but for pixels past the end of the row, which are not stored.
  const inside = before.every(side => side === 0) && output.every((length, axis) => (length - 1) * strides[axis]! + (size[axis]! - 1) * rates[axis]! < input[axis]!);
  const tiles = Math.ceil(output[1] / pixels);
  const quadTiles = Math.ceil(outQuads / quads);
  const tasks = n * output[0] * tiles * quadTiles;
  return {
    kernel: source({ pixels, quads, inside, inLanes, pre, gate: gate?.by, residual: residual !== undefined, activation }),
    params: valuesOf(PARAMS, {
      tasks, tiles, outQuads, quadTiles, wQuads: weightQuads(outQuads), rows: input[0], columns: input[1], outRows: output[0], outColumns: output[1], inQuads,
      sizeRows: size[0], sizeColumns: size[1], strideRows: strides[0], strideColumns: strides[1], rateRows: rates[0], rateColumns: rates[1],
      top: before[0], left: before[1], xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset,
      rStride: residual?.stride ?? 0, rOffset: residual?.offset ?? 0, uStride: gate?.place.stride ?? 0, uOffset: gate?.place.offset ?? 0,
    }),
    workgroups: groupsOf(tasks),
  };
}

/** A pointwise convolution does not mind where rows end: it takes all pixels of a batch for one row. */
function flattened(of: Convolution): Convolution {
  const pointwise = [...of.size, ...of.strides].every(size => size === 1) && of.before.every(side => side === 0) && of.input.join() === of.output.join();
  if (!pointwise) return of;
  const line: readonly [number, number] = [1, of.n * of.output[0] * of.output[1]];
  return { ...of, n: 1, input: line, output: line };
}

interface Variant extends Pick<Convolution, 'inLanes' | 'pre' | 'activation'> {
  readonly pixels: number;
  readonly quads: number;
  readonly inside: boolean;
  readonly gate: 'relu' | 'affine relu' | undefined;
  readonly residual: boolean;
}

function source({ pixels, quads, inside, inLanes, pre, gate, residual, activation }: Variant) {
  const tile = (code: (pixel: number, quad: number) => string) => repeat(pixels, i => repeat(quads, q => code(i, q), ' '));
  const load = (i: number) => {
    const loaded = `vec4f(x[start${i} + c])`;
    const value = pre ? `fma(${loaded}, a, b)` : loaded;
    const zero = [...(pre === 'affine relu' ? [`(u${i} < vec4f())`] : []), ...(inside ? [] : [`vec4<bool>(!in${i})`])].join(' | ');
    return `        let u${i} = ${value}; let v${i} = ${zero ? `select(u${i}, vec4f(), ${zero})` : `u${i}`};`;
  };
  return kernel({
    key: ['convolution', pixels, quads, inside, inLanes, pre ?? '-', ...(gate ? [`gate ${gate}`] : []), residual, activationKey(activation)].join('/'),
    params: PARAMS,
    reads: [
      ['x', 'stored'], ['w', 'stored'], ['bias', 'vec4f'],
      ...(pre || gate === 'affine relu' ? [['scale', 'vec4f'], ['shift', 'vec4f']] as const : []),
      ...(gate ? [['u', 'stored']] as const : []),
      ...(residual ? [['r', 'stored']] as const : []),
    ],
    writes: 'stored',
    body: `
  let quad = (id % p.quadTiles) * ${quads}u;
  let tile = id / p.quadTiles;
  let column = (tile % p.tiles) * ${pixels}u;
  let line = tile / p.tiles;
  let row = line % p.outRows;
  let first = (line / p.outRows) * p.rows;
  let wQuads = p.wQuads;
${tile((i, q) => `  var s${i}_${q} = bias[quad + ${q}u];`)}
  for (var ky = 0u; ky < p.sizeRows; ky++) {
    let iy = i32(row * p.strideRows + ky * p.rateRows) - i32(p.top);
    ${inside ? '' : 'if (iy < 0 || iy >= i32(p.rows)) { continue; }'}
    for (var kx = 0u; kx < p.sizeColumns; kx++) {
      let ix = i32(column * p.strideColumns + kx * p.rateColumns) - i32(p.left);
      var at = (ky * p.sizeColumns + kx) * p.inQuads * ${inLanes}u * wQuads + quad;
${repeat(pixels, i => `
      let x${i} = ix + i32(${i}u * p.strideColumns);
      ${inside ? '' : `let in${i} = x${i} >= 0 && x${i} < i32(p.columns);`}
      let start${i} = ((first + u32(iy)) * p.columns + u32(clamp(x${i}, 0, i32(p.columns) - 1))) * p.xStride + p.xOffset;`, '')}
      for (var c = 0u; c < p.inQuads; c++) {
        ${pre ? 'let a = scale[c]; let b = shift[c];' : ''}
${repeat(pixels, load)}
${repeat(inLanes, j => `
        { ${repeat(quads, q => `let w${q} = vec4f(w[at + ${q}u]);`, ' ')}
${tile((i, q) => `        s${i}_${q} = fma(vec4f(v${i}[${j}]), w${q}, s${i}_${q});`)}
        at += wQuads; }`, '')}
      }
    }
  }
${repeat(pixels, i => `
  if (column + ${i}u < p.outColumns) {
    let pixel = line * p.outColumns + column + ${i}u;
${repeat(quads, q => `    if (quad + ${q}u < p.outQuads) {
      ${gate ? `let g${i}_${q} = vec4f(u[pixel * p.uStride + p.uOffset + quad + ${q}u]);` : ''}
      ${gate === 'relu' ? `s${i}_${q} = select(s${i}_${q}, vec4f(), g${i}_${q} <= vec4f());` : ''}
      ${gate === 'affine relu' ? `s${i}_${q} = select(s${i}_${q} * scale[quad + ${q}u], vec4f(), fma(g${i}_${q}, scale[quad + ${q}u], shift[quad + ${q}u]) <= vec4f());` : ''}
      ${residual ? `s${i}_${q} += vec4f(r[pixel * p.rStride + p.rOffset + quad + ${q}u]);` : ''}
      y[pixel * p.yStride + p.yOffset + quad + ${q}u] = stored(${activated(activation, `s${i}_${q}`)});
    }`)}
  }`, '')}`,
  });
}
