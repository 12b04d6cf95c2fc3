/** Builds the pages' scripts from test/bench/pages with webpack. */
import webpack from 'webpack';

const HERE = import.meta.dirname;
const ENTRIES = ['make', 'ceilings', 'overread', 'tfjs', 'onnxruntime'];
/** Of slide.mjs. */
export const SLIDE_ENTRIES = ['slide-make', 'slide-overread', 'slide-tfjs', 'slide-onnxruntime'];

export function bundlePages(folder, entries = ENTRIES) {
  const compiler = webpack({
    mode: 'production',
    context: HERE,
    target: ['web', 'es2022'],
    entry: Object.fromEntries(entries.map(name => [name, `./pages/${name}.ts`])),
    output: { path: folder, filename: '[name].js', chunkFilename: 'chunk-[id].js', publicPath: '/pages/', clean: true },
    resolve: { extensions: ['.ts', '.mjs', '.js'], fallback: { fs: false, path: false, crypto: false, os: false, util: false, url: false, perf_hooks: false, worker_threads: false } },
    module: {
      rules: [{
        test: /\.ts$/, exclude: /node_modules/, loader: 'swc-loader',
        options: { swcrc: false, jsc: { target: 'es2022', parser: { syntax: 'typescript' } } },
      }],
    },
    // tfjs hands its threaded wasm module to workers as text, where names that a minifier has changed are not defined:
    // the threads would never start.
    optimization: { minimize: false },
    performance: false,
  });
  return new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      compiler.close(() => {});
      if (error) reject(error);
      else if (stats.hasErrors()) reject(new Error(stats.toString({ preset: 'errors-only' })));
      else resolve();
    });
  });
}
