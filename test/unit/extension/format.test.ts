import { describeSource, formatDevice, formatDuration, formatSize, formatStages, formatWhen, lacksSpacing, runMs } from '../../../extension/panels/format.ts';
import { image, result, source, twoViews } from './made.ts';

const segment = result().segments[0]!;

describe('words and numbers of the panel', () => {
  it.each([
    [{ areaMm2: 24130.4 }, '24,130 mm²'], [{ areaMm2: 7.25 }, '7.3 mm²'], [{ areaMm2: 0 }, '0 mm²'], [{ pixels: 12345 }, '12,345 pixels'],
    [{ volumeMm3: 512 }, '512 mm³'], [{ volumeMm3: 31_250 }, '31.3 mL'],
  ])('give %j as %s', (size, text) => {
    expect(formatSize({ ...segment, ...size })).toBe(text);
  });

  it('tell a size without spacing from one with', () => {
    expect(lacksSpacing([segment])).toBe(true);
    expect(lacksSpacing([{ ...segment, areaMm2: 0 }])).toBe(false);
  });

  it.each([[0, '0 ms'], [840.4, '840 ms'], [1240, '1.24 s'], [16_130, '16.1 s'], [125_400, '2 min 05 s']])('give %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('tell loading apart from the run', () => {
    const timing = { load: 2000, encode: 10, predict: 20, decode: 30 };
    expect(runMs(timing)).toBe(60);
    expect(formatStages(timing)).toContain('loading the model 2.00 s');
    expect(formatStages({ ...timing, load: 0 })).toContain('loaded already');
  });

  it('name the device, and say that it is software once', () => {
    expect(formatDevice({ backend: 'webgpu', adapter: 'nvidia hopper', software: false, reason: '' })).toBe('WebGPU · nvidia hopper');
    expect(formatDevice({ backend: 'webgpu', adapter: 'google swiftshader', software: true, reason: '' })).toBe('WebGPU · google swiftshader (software)');
    expect(formatDevice({ backend: 'webgl', adapter: 'software renderer', software: true, reason: '' })).toBe('WebGL · software renderer');
  });

  it('give the date only on another day', () => {
    const now = new Date(2026, 10, 23, 18);
    expect(formatWhen(new Date(2026, 10, 23, 14, 3).toISOString(), now)).toBe('14:03');
    expect(formatWhen(new Date(2026, 10, 22, 9, 5).toISOString(), now)).toBe('22 Nov, 09:05');
  });

  it('say which image', () => {
    expect(describeSource(result())).toBe('CR · PA');
    expect(describeSource(result(image(source('a', 3))))).toBe('CR · PA · frame 3');
    expect(describeSource(twoViews(undefined, { ...image(source('l', 1, '1', 's2')), attributes: { viewPosition: 'LL' } }))).toBe('CR · PA + CR · LL');
  });
});
