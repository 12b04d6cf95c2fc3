import type { AuditedEvent } from '../../src/audit/record.ts';
import type { SynthesisRule } from '../../src/dicom/synthesis.ts';
import type { EngineClient } from '../../src/engine-client.ts';
import type { FrameIndexes } from '../overlays/place.ts';
import type { ResultsStore } from '../results-store.ts';
import { readFrame } from '../sources/cornerstone-image.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import { TranslationAuditor } from './auditor.ts';
import { seriesChoices } from './series.ts';
import { TwoSeries } from './two-series.ts';

/** The audit of translated series, on the real viewer. */
export function translationAuditor({ services, cornerstone, frames, rules, ...parts }: {
  readonly services: Services;
  readonly cornerstone: Cornerstone;
  readonly frames: FrameIndexes;
  /** Of the site, on what was synthesised. */
  readonly rules: readonly SynthesisRule[] | undefined;
  readonly engine: EngineClient;
  readonly results: ResultsStore;
  readonly audit: (event: AuditedEvent) => void;
}): TranslationAuditor {
  const twoSeries = new TwoSeries(services, frames);
  return new TranslationAuditor({
    ...parts,
    viewer: {
      series: () => seriesChoices(services, cornerstone, rules),
      readFrame: (imageId, signal) => readFrame(cornerstone, imageId, signal, rules),
      show: places => twoSeries.show(places),
    },
  });
}
