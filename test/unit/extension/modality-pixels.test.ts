import { toModalityPixels, type PixelPlan } from '../../../extension/sources/modality-pixels.ts';

const plan = (change: Partial<PixelPlan>): PixelPlan => ({
  pixels: 4, components: 1, slope: 1, intercept: 0, mirror: false, representableRange: [0, 255], ...change,
});
const noBreath = async () => undefined;

describe('pixels out of the viewer', () => {
  it('are rescaled once', async () => {
    expect([...await toModalityPixels([0, 1, 2, 3], plan({ slope: 2, intercept: -1024 }), noBreath)]).toEqual([-1024, -1022, -1020, -1018]);
  });

  it('of MONOCHROME1 are mirrored in what the bits can hold, not in what occurs', async () => {
    expect([...await toModalityPixels([0, 10, 20, 255], plan({ mirror: true }), noBreath)]).toEqual([255, 245, 235, 0]);
    const shifted = plan({ mirror: true, slope: 2, intercept: 10, representableRange: [10, 520] });
    expect([...await toModalityPixels([0, 1, 2, 255], shifted, noBreath)]).toEqual([520, 518, 516, 10]);
  });

  it('of colour lose alpha and keep their order', async () => {
    const raw = [1, 2, 3, 255, 4, 5, 6, 255];
    expect([...await toModalityPixels(raw, plan({ pixels: 2, components: 4 }), noBreath)]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...await toModalityPixels([1, 2, 3], plan({ pixels: 1, components: 3 }), noBreath)]).toEqual([1, 2, 3]);
  });

  it('that were not measured become the darkest that was', async () => {
    expect([...await toModalityPixels([-3000, 5, 9, -3000], plan({ padding: [-3000, -3000] }), noBreath)]).toEqual([5, 5, 9, 5]);
  });

  it('never share the viewer\'s buffer, and leave time between chunks', async () => {
    const raw = new Float32Array(2_000_000).fill(3);
    const breathe = jest.fn(noBreath);
    const out = await toModalityPixels(raw, plan({ pixels: raw.length, mirror: true }), breathe);
    expect(out.buffer).not.toBe(raw.buffer);
    expect(out.every(v => v === 252)).toBe(true);
    expect(raw.every(v => v === 3)).toBe(true);
    expect(breathe.mock.calls.length).toBeGreaterThanOrEqual(3);
  });
});
