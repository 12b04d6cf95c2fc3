/** The benchmark's command line. */
import { parseArgs } from 'node:util';

/** As networks.ts has them. */
export const NETWORKS = ['densenet121', 'densenet121-b8', 'resnet50', 'unet', 'count-ception', 'meshnet', 'tiles'];
export const ENGINES = ['overread', 'tfjs', 'onnxruntime'];
export const BACKENDS = ['webgpu', 'wasm'];

const HELP = `npm run bench -- [options]
Times the same networks with the same random weights on our engine, stock tfjs and onnxruntime-web, in one browser.

  --json FILE      write [{network, engine, backend, coldMs, warmMs, peakBytes, maxAbsDiff}]
  --report FILE    write the same with machine, browser, adapter and date
  --rounds N       warm runs of each; default 20, and 2 where WebGPU has only a software adapter
  --networks A,B   of ${NETWORKS.join(', ')}
  --engines A,B    of ${ENGINES.join(', ')}
  --backends A,B   of ${BACKENDS.join(', ')}
  --size N         input side, in place of each network's own: for a quick look, not for numbers
  --full           the networks' own sizes on a software adapter too, where they take minutes each
  --plot FILE      draw the warm times as SVG
  --device         in Node over Dawn, without a browser: our plan and stock tfjs on WebGPU


densenet121 at 224², densenet121-b8 eight at once, resnet50 at 512², unet at 512², count-ception at 600², meshnet (3D, dilated) at 256³,
tiles: a U-Net over a stream of eight tiles of 256². On a software adapter, which is no GPU, all are much smaller.

cold    from scripts and model bytes in memory to the first output: device, load, compile, one run
warm    input in the CPU's memory to output in it; rounds go round all engines in turn
peak    GPU buffers that stood at once, and WebAssembly memory; the JavaScript heap is not counted
ceiling of the multiply-adds that a matrix product reaches on this adapter, timed in the same run, the share that the network has
diff    largest difference of an output from the first row's of the same network`;

/** @returns the options, or undefined when only the help was asked for; throws an Error for a wrong one */
export function parseOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      json: { type: 'string' }, report: { type: 'string' }, rounds: { type: 'string' }, networks: { type: 'string' },
      engines: { type: 'string' }, backends: { type: 'string' }, size: { type: 'string' }, full: { type: 'boolean', default: false }, plot: { type: 'string' }, help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  return {
    json: values.json, report: values.report, full: values.full, plot: values.plot,
    rounds: whole('rounds', values.rounds), size: whole('size', values.size),
    networks: among('networks', values.networks, NETWORKS), engines: among('engines', values.engines, ENGINES), backends: among('backends', values.backends, BACKENDS),
  };
}

function whole(name, text) {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`Expected a whole number from 1 for --${name}, got '${text}'.`);
  return Number(text);
}

function among(name, text, known) {
  const chosen = text === undefined ? known : text.split(',');
  const wrong = chosen.filter(c => !known.includes(c));
  if (wrong.length) throw new Error(`Expected some of ${known.join(', ')} for --${name}, got '${wrong.join(',')}'.`);
  return chosen;
}
