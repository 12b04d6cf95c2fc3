/**
 * onnxruntime starts by a dynamic import, which jest's own realm refuses: it is loaded outside of it, where arrays are of
 * another class, so what goes in is copied into one of those. jest.config.mjs puts it in onnxruntime's place.
 */
import vm from 'node:vm';
import type * as Ort from 'onnxruntime-web';

type Outside = Pick<typeof globalThis, 'Float32Array'> & { process: { getBuiltinModule(name: 'module'): typeof import('node:module') } };

function onnxruntimeOutside(): typeof Ort {
  const { process: outer, Float32Array: Floats } = vm.runInThisContext('globalThis') as Outside;
  const ort = outer.getBuiltinModule('module').createRequire(__filename)('onnxruntime-web/wasm') as typeof Ort;
  const tensor = function (type: 'float32', data: Float32Array, dims: readonly number[]) {
    return new ort.Tensor(type, Floats.from(data), dims);
  };
  return { ...ort, env: ort.env, InferenceSession: ort.InferenceSession, Tensor: tensor as unknown as typeof Ort.Tensor };
}

module.exports = onnxruntimeOutside();
