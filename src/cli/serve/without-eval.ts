/**
 * The viewer reads DICOM Segmentations through the library ndarray, which writes its classes as text and compiles them. The
 * page's policy allows no such thing, so a SEG would not open. Where ndarray stands in a script of the viewer, its
 * compiler is replaced, as the script is served, by one class for every type and number of dimensions.
 */
export function withoutEval(script: string): string {
  if (!script.includes('new Function("CTOR_LIST", "ORDER"')) return script;
  return script.replaceAll(COMPILER, `${VIEWS}\n${COMPILER}\n  return viewConstructor(dtype, dimension);`);
}

const COMPILER = 'function compileConstructor(dtype, dimension) {';

/** As ndarray 1.0.19 has them: views of an array by shape, stride and offset; a negative number, or none, leaves an axis alone. */
const VIEWS = `function viewConstructor(dtype, dimension) {
  const getters = dtype === 'generic';
  const given = i => typeof i === 'number' && i >= 0;
  class View {
    constructor(data, shape = [], stride = [], offset = 0) {
      this.data = data; this.shape = Array.from(shape); this.stride = Array.from(stride); this.offset = offset | 0;
    }
    get size() { return dimension < 0 ? 0 : this.shape.reduce((size, n) => size * n, 1); }
    get order() { return this.stride.map((_, axis) => axis).sort((a, b) => Math.abs(this.stride[a]) - Math.abs(this.stride[b]) || b - a); }
    index(...at) { return dimension < 0 ? -1 : at.slice(0, dimension).reduce((sum, i, axis) => sum + this.stride[axis] * i, this.offset); }
    get(...at) { if (dimension >= 0) return getters ? this.data.get(this.index(...at)) : this.data[this.index(...at)]; }
    set(...at) { if (dimension >= 0) return getters ? this.data.set(this.index(...at), at[dimension]) : (this.data[this.index(...at)] = at[dimension]); }
    hi(...to) { return new View(this.data, this.shape.map((n, axis) => (given(to[axis]) ? to[axis] | 0 : n)), this.stride, this.offset); }
    lo(...from) {
      const begin = this.shape.map((_, axis) => (given(from[axis]) ? from[axis] | 0 : 0));
      return new View(this.data, this.shape.map((n, axis) => n - begin[axis]), this.stride, this.index(...begin));
    }
    step(...by) {
      let offset = this.offset;
      const shape = [...this.shape], stride = [...this.stride];
      by.slice(0, dimension).forEach((given, axis) => {
        if (typeof given !== 'number') return;
        const step = given | 0;
        if (step < 0) { offset += stride[axis] * (shape[axis] - 1); shape[axis] = Math.ceil(-shape[axis] / step); } else shape[axis] = Math.ceil(shape[axis] / step);
        stride[axis] *= step;
      });
      return new View(this.data, shape, stride, offset);
    }
    transpose(...axes) {
      const order = this.shape.map((_, axis) => (axes[axis] === undefined ? axis : axes[axis] | 0));
      return new View(this.data, order.map(axis => this.shape[axis]), order.map(axis => this.stride[axis]), this.offset);
    }
    pick(...at) {
      if (dimension < 0) return null;
      const left = this.shape.map((_, axis) => axis).filter(axis => !given(at[axis]));
      const offset = this.shape.reduce((sum, _, axis) => (given(at[axis]) ? (sum + this.stride[axis] * at[axis]) | 0 : sum), this.offset);
      const list = CACHED_CONSTRUCTORS[dtype];
      while (list.length <= left.length + 1) list.push(viewConstructor(dtype, list.length - 1));
      return list[left.length + 1](this.data, left.map(axis => this.shape[axis]), left.map(axis => this.stride[axis]), offset);
    }
    valueOf() { return dimension === 0 ? this.get() : this; }
  }
  View.prototype.dtype = dtype;
  View.prototype.dimension = dimension;
  return (data, shape, stride, offset) => new View(data, shape, stride, offset);
}`;
