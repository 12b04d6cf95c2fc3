import type { DataSet } from './data-set.ts';

/** The MR images that models of several read: T1-weighted, the same after contrast medium, T2-weighted, fluid-attenuated. */
export const MR_MODALITIES = ['T1', 'T1c', 'T2', 'FLAIR'] as const;
export type MrModality = (typeof MR_MODALITIES)[number];

/** What an MR instance says of how it was acquired; what it does not say is absent. */
export interface MrAcquisition {
  readonly protocolName?: string;
  readonly contrastBolusAgent?: string;
  /** Such as ['SE'] or ['GR', 'IR']. */
  readonly scanningSequence?: readonly string[];
  readonly echoTimeMs?: number;
  readonly repetitionTimeMs?: number;
  readonly inversionTimeMs?: number;
}

/** Of a classic MR image; what an enhanced one states for its frames alone is not read. */
export function mrAcquisition(set: DataSet): MrAcquisition {
  const all = {
    protocolName: set.text('00181030'),
    contrastBolusAgent: set.text('00180010'),
    scanningSequence: set.strings('00180020'),
    echoTimeMs: timeOf(set, '00180081'),
    repetitionTimeMs: timeOf(set, '00180080'),
    inversionTimeMs: timeOf(set, '00180082'),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** A time that cannot be read tells nothing; it does not make the pixels wrong. */
function timeOf(set: DataSet, tag: string): number | undefined {
  const value = Number(set.string(tag) ?? NaN);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}
