import { renderToStaticMarkup } from 'react-dom/server';
import { Edited, LabelmapBody, objectsText } from '../../../extension/panels/labelmap-body.tsx';
import { formatIntensity, SegmentList } from '../../../extension/panels/segment-list.tsx';
import { ThresholdSliders } from '../../../extension/panels/threshold-slider.tsx';
import type { Masks } from '../../../extension/masks.ts';
import { ResultsStore } from '../../../extension/results-store.ts';
import { SegmentIntensities } from '../../../extension/segment-intensities.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { image, result, source } from './made.ts';

/** A mask of four pixels with two targets' probabilities. */
function withProbabilities(change: Partial<LabelmapResult> = {}): LabelmapResult {
  const made = result(image(source('a')), { labels: Uint8Array.of(1, 1, 2, 0) });
  const [lung] = made.segments;
  const segments = [{ ...lung!, pixels: 2, threshold: 0.5 }, { ...lung!, segmentNumber: 2, pixels: 1, threshold: 0.3, target: { ...lung!.target, label: 'Heart' } }];
  return { ...made, segments, probabilities: { values: new Uint8Array(8), labels: made.labels, operatingPoints: [0.5, 0.3] }, ...change };
}

const sliders = (of: LabelmapResult) => renderToStaticMarkup(<ThresholdSliders result={of} onMove={() => undefined} onReset={() => undefined} />);

describe('the thresholds', () => {
  test('have a slider a segment, with a tick at the operating point', () => {
    const html = sliders(withProbabilities());
    expect(html.match(/type="range"/g)).toHaveLength(2);
    expect(html).toContain('Threshold, Heart');
    expect(html).toContain('title="Operating point: 30 %"');
    expect(html).toContain('aria-valuetext="30 %, the operating point is 30 %"');
    // At the operating point there is nothing to go back to.
    expect(html).toMatch(/<button[^>]*disabled=""[^>]*>Reset/);
    expect(html).not.toMatch(/<input[^>]*disabled/);
  });

  test('that were moved say so, and can be reset', () => {
    const [lung, heart] = withProbabilities().segments;
    const html = sliders(withProbabilities({ segments: [{ ...lung!, threshold: 0.725 }, heart!] }));
    expect(html).toContain('72.5 %');
    expect(html).toContain('not the mask that was tested');
    expect(html).not.toMatch(/<button[^>]*disabled=""[^>]*>Reset/);
  });

  test('stand still while there is an edit, and are not there without probabilities', () => {
    expect(sliders(withProbabilities({ editedAt: '2026-01-02T03:04:05.000Z' })).match(/<input[^>]*disabled/g)).toHaveLength(2);
    expect(sliders(result())).toBe('');
  });
});

describe('the segments', () => {
  test('have area and mean intensity, in HU on CT', () => {
    const ct = withProbabilities({ source: { ...withProbabilities().source, modality: 'CT' } });
    const html = renderToStaticMarkup(<SegmentList result={ct} intensities={new Map([[1, { mean: -712.4, standardDeviation: 84.2 }]])} />);
    expect(html).toContain('Mean ± SD HU');
    expect(html).toContain('−712 ± 84');
    expect(html).toContain('2 pixels');
    expect(html).toContain('no area');
  });

  test.each([[{ mean: 0.1234, standardDeviation: 0.05 }, '0.123 ± 0.050'], [{ mean: 12.34 }, '12.3'], [{ mean: 2, standardDeviation: 1500 }, '2 ± 1500'], [undefined, '–']])('write %p as %s', (value, text) => {
    expect(formatIntensity(value)).toBe(text);
  });
});

test('objects are counted and measured', () => {
  const instances = { labels: new Int32Array(4), count: 312, atBorder: 14, sizes: { minimum: 1, lowerQuartile: 2, median: 48, upperQuartile: 60, maximum: 90, mean: 50 }, rule: { minimumPixels: 1, minimumMarkerPixels: 1 } };
  expect(objectsText(withProbabilities({ instances }))).toBe('312 objects, 14 at the border; median 48 pixels');
  expect(objectsText(withProbabilities({ instances, source: { ...result().source, spacingMm: [0.5, 0.5] } }))).toBe('312 objects, 14 at the border; median 12.0 mm²');
  expect(objectsText(withProbabilities({ instances, source: { ...result().source, spacingMm: [0.0005, 0.0005] } }))).toBe('312 objects, 14 at the border; median 12.0 µm²');
  expect(objectsText(withProbabilities({ instances: { labels: instances.labels, count: 1, atBorder: 0, rule: instances.rule } }))).toBe('1 object');
});

describe('an edit', () => {
  test('is said, with what it means for the numbers and the threshold', () => {
    const html = renderToStaticMarkup(<Edited editedAt="2026-01-02T03:04:05.000Z" thresholds onDiscard={() => undefined} />);
    expect(html).toContain('Edited by the reader');
    expect(html).toContain('stands still');
    expect(html).toContain('Discard the edit…');
  });

  test('is offered where there is none, and the body holds together', () => {
    const results = new ResultsStore();
    const kept = results.keep(withProbabilities());
    const masks = {} as unknown as Masks;
    const html = renderToStaticMarkup(<LabelmapBody masks={masks} kept={kept} result={kept.result as LabelmapResult} />);
    expect(html).toContain('Edit with brush and eraser');
    expect(renderToStaticMarkup(<LabelmapBody masks={masks} kept={kept} result={withProbabilities({ editedAt: 'now' })} />)).toContain('Edited by the reader');
  });
});

describe('mean intensities', () => {
  const spied = jest.fn(async (id: string) => ({ pixels: Float32Array.of(1, 3, 10, 20).map(v => (id === 'dark' ? v : v + 100)), channels: 1 as 1 | 3 }));

  test('are of the image that the mask lies on, which is read once', async () => {
    const intensities = new SegmentIntensities(() => ['dark'], spied);
    const found = await intensities.of(withProbabilities());
    expect(found!.get(1)).toEqual({ mean: 2, standardDeviation: Math.SQRT2 });
    expect(found!.get(2)).toEqual({ mean: 10 });
    await intensities.of(withProbabilities());
    expect(spied).toHaveBeenCalledTimes(1);
  });

  test('are none of colour, of an image that is not open, and come again after a failure', async () => {
    expect(await new SegmentIntensities(() => undefined, spied).of(withProbabilities())).toBeUndefined();
    expect(await new SegmentIntensities(() => ['c'], async () => ({ pixels: new Float32Array(12), channels: 3 })).of(withProbabilities())).toBeUndefined();
    let fails = true;
    const intensities = new SegmentIntensities(() => ['a'], async () => {
      if (fails) throw new Error('gone');
      return { pixels: new Float32Array(4), channels: 1 };
    });
    await expect(intensities.of(withProbabilities())).rejects.toThrow('gone');
    fails = false;
    expect((await intensities.of(withProbabilities()))!.get(1)).toMatchObject({ mean: 0 });
  });
});
