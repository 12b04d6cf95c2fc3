/**
 * Two bundles from one source.
 *   plugin  extension/ and mode/ → dist/overread/: ES modules that a stock OHIF loads by URL, at the root or under a
 *           sub-path (publicPath 'auto'), with the engine, its worker and tfjs in chunks that load when first needed,
 *           and the wasm binaries and models beside them.
 *   cli     src/cli/run.ts → dist/cli/main.mjs for Node; packages stay imports.
 * `webpack --mode development` for quick turns, `--config-name plugin|cli` for one of them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import webpack from 'webpack';

const root = import.meta.dirname;
const require = createRequire(import.meta.url);
/** What the viewer needs of a model folder; recipes, training logs and golden files stay at home. */
const NOT_SHIPPED = /^(recipe|golden|golden-.*|data|__pycache__)$|\.(py|npz|npy|log|ipynb)$/;

/** onnxruntime's wasm, and what loads it: for its own CPU and for WebGPU (asyncify). */
const ONNXRUNTIME = ['', '.asyncify'].flatMap((kind) => ['mjs', 'wasm'].map((type) => `ort-wasm-simd-threaded${kind}.${type}`));

/** Common to both: TypeScript and JSX by swc, explicit `.ts` endings in imports. */
const common = (mode) => ({
  mode,
  context: root,
  // Never an eval devtool: the content-security policy forbids eval.
  devtool: mode === 'production' ? 'source-map' : 'cheap-module-source-map',
  resolve: { extensions: ['.ts', '.tsx', '.mjs', '.js'] },
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        exclude: /node_modules/,
        loader: 'swc-loader',
        options: {
          swcrc: false,
          jsc: {
            target: 'es2022',
            parser: { syntax: 'typescript', tsx: true },
            transform: { react: { runtime: 'automatic' } },
          },
        },
      },
    ],
  },
  performance: false,
  stats: { preset: 'errors-warnings', assets: false },
});

const plugin = (mode) => ({
  ...common(mode),
  name: 'plugin',
  target: ['web', 'es2022'],
  entry: { extension: './extension/index.ts', mode: './mode/index.ts' },
  experiments: { outputModule: true },
  output: {
    path: path.join(root, 'dist/overread'),
    filename: '[name].js',
    chunkFilename: 'chunks/[name].[contenthash:10].js',
    assetModuleFilename: 'chunks/[name].[contenthash:10][ext]',
    module: true,
    library: { type: 'module' },
    publicPath: 'auto',
    uniqueName: 'overread',
    clean: true,
  },
  resolve: {
    ...common(mode).resolve,
    // onnxruntime's scripts without their wasm loaders: these lie in wasm/, with the binaries, as files of our origin.
    conditionNames: ['onnxruntime-web-use-extern-wasm', '...'],
    // Packages that also run in Node ask for these behind a check; a browser never reaches them.
    fallback: { fs: false, path: false, crypto: false, os: false, util: false, url: false, zlib: false },
  },
  optimization: {
    chunkIds: mode === 'production' ? 'deterministic' : 'named',
    // Nothing of the worker's first chunk goes to others: while it fetched them, it would not yet hear its first message.
    splitChunks: { chunks: (chunk) => !chunk.canBeInitial() && chunk.name !== 'overread' },
  },
  plugins: [new Beside(), new FirstLoad()],
});

const cli = (mode) => ({
  ...common(mode),
  name: 'cli',
  target: 'node20',
  entry: { main: './src/cli/run.ts' },
  experiments: { outputModule: true },
  output: {
    path: path.join(root, 'dist/cli'),
    filename: '[name].mjs',
    chunkFilename: 'chunks/[name].mjs',
    module: true,
    library: { type: 'module' },
    chunkFormat: 'module',
    clean: true,
  },
  // `import 'x'` stays `import 'x'` and `import('x')` stays dynamic.
  externalsType: 'module-import',
  module: {
    ...common(mode).module,
    // import.meta.url is where the bundle lies, not where its source lay when it was built; createRequire stays Node's.
    parser: { javascript: { importMeta: false, createRequire: false } },
  },
  externals: [({ request }, done) => (/^(\.|\/|[a-z]:\\)/i.test(request) ? done() : done(null, request))],
  node: false,
  optimization: { minimize: false, chunkIds: 'named' },
});

/** Puts the wasm binaries of tfjs and onnxruntime, and the models, with their catalogue, beside the bundles. */
class Beside {
  apply(compiler) {
    const { RawSource } = compiler.webpack.sources;
    compiler.hooks.thisCompilation.tap('Beside', (compilation) => {
      const stage = compiler.webpack.Compilation.PROCESS_ASSETS_STAGE_ADDITIONAL;
      compilation.hooks.processAssets.tap({ name: 'Beside', stage }, () => {
        const emit = (name, content, info) => compilation.emitAsset(name, new RawSource(content), info);
        const wasm = path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')) + '/dist';
        for (const file of fs.readdirSync(wasm).filter((f) => f.endsWith('.wasm'))) {
          emit(`wasm/${file}`, fs.readFileSync(path.join(wasm, file)));
        }
        for (const file of ONNXRUNTIME) emit(`wasm/${file}`, fs.readFileSync(require.resolve(`onnxruntime-web/${file}`)), { minimized: true });
        const models = path.join(root, 'models');
        compilation.contextDependencies.add(models);
        const ids = fs.existsSync(models)
          ? fs.readdirSync(models).filter((id) => fs.existsSync(path.join(models, id, 'manifest.json'))).sort()
          : [];
        for (const id of ids) {
          for (const file of filesUnder(path.join(models, id))) {
            emit(`models/${id}/${file}`, fs.readFileSync(path.join(models, id, file)));
          }
        }
        emit('models/index.json', JSON.stringify(ids.map((id) => ({ id }))) + '\n');
      });
    });
  }
}

function filesUnder(folder, prefix = '') {
  return fs.readdirSync(path.join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    if (NOT_SHIPPED.test(entry.name)) return [];
    const name = prefix + entry.name;
    return entry.isDirectory() ? filesUnder(folder, name + '/') : [name];
  });
}

/** Refuses a build whose first load carries tfjs or a model codec: those come when a model first runs. */
class FirstLoad {
  apply(compiler) {
    compiler.hooks.afterCompile.tap('FirstLoad', (compilation) => {
      if (compilation.compiler.isChild()) return;
      for (const [name, entry] of compilation.entrypoints) {
        for (const chunk of entry.chunks) {
          for (const module of compilation.chunkGraph.getChunkModulesIterable(chunk)) {
            const resource = module.nameForCondition?.() ?? '';
            if (!/node_modules[\\/](@tensorflow|onnxruntime|dcmjs)[\\/]/.test(resource)) continue;
            const from = [...new Set([...compilation.moduleGraph.getIncomingConnections(module)]
              .map((c) => c.originModule?.nameForCondition?.()).filter(Boolean))].slice(0, 3);
            compilation.errors.push(new webpack.WebpackError(
              `${path.relative(root, resource)} is in the first load of ${name}.js: it must be reached through ` +
              `import() or the worker. Imported by ${from.map((f) => path.relative(root, f)).join(', ')}.`));
            return;
          }
        }
      }
    });
  }
}

export default (_env, argv) => [plugin(argv.mode ?? 'production'), cli(argv.mode ?? 'production')];
