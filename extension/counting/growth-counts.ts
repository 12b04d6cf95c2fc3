import type { PlateMap } from '../../src/export/plate-csv.ts';
import type { TimedCount } from '../../src/results/growth.ts';
import { wellOf } from '../../src/results/plate.ts';
import type { PointsResult } from '../../src/results/points.ts';
import type { KeptResult } from '../results-store.ts';
import type { DicomInstance } from '../types/ohif.ts';

/** What of an image decides where its count stands in a time series. */
export interface ImageFacts {
  /** Milliseconds since the epoch; absent where the image does not say when it was acquired. */
  readonly at?: number;
  /** By PatientID; of an image without one, by its study: it is joined with no other. */
  readonly patient: string;
  readonly seriesInstanceUID: string;
  readonly seriesDescription: string;
}

/** Counts of one patient, ready to be set against time. */
export interface PatientCounts {
  readonly patient: string;
  readonly counts: readonly TimedCount[];
  /** Counts of images that do not say when they were acquired. */
  readonly undated: number;
}

export function factsOf(instance: DicomInstance): ImageFacts {
  const at = acquiredAt(instance);
  return {
    ...(at !== undefined && { at }),
    patient: instance.PatientID?.trim() || `study ${instance.StudyInstanceUID ?? ''}`,
    seriesInstanceUID: instance.SeriesInstanceUID ?? '',
    seriesDescription: instance.SeriesDescription?.trim() ?? '',
  };
}

/** AcquisitionDateTime, or AcquisitionDate and AcquisitionTime; in UTC where no offset is stated: only differences of one patient's are used. */
export function acquiredAt({ AcquisitionDateTime, AcquisitionDate, AcquisitionTime }: DicomInstance): number | undefined {
  const text = AcquisitionDateTime?.trim() || (AcquisitionDate?.trim() && AcquisitionTime?.trim() ? `${AcquisitionDate.trim()}${AcquisitionTime.trim()}` : '');
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)?(\d\d)?(\d\d)?(\.\d{1,6})?([+-]\d\d)?(\d\d)?$/.exec(text);
  if (!found) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', offsetHours, offsetMinutes = '0'] = found;
  const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), 1000 * Number(fraction));
  const sign = offsetHours?.startsWith('-') ? -1 : 1;
  const offset = offsetHours === undefined ? 0 : 60 * Number(offsetHours) + sign * Number(offsetMinutes);
  return Number.isNaN(local) ? undefined : local - offset * 60_000;
}

/**
 * Counts of one model by patient. A well that the map or the series' description names is a subject of its own.
 * @param facts of each result's image; undefined where they are not known
 */
export function countsByPatient(results: readonly (KeptResult & { readonly result: PointsResult })[], facts: (kept: KeptResult) => ImageFacts | undefined, plate: PlateMap | undefined): PatientCounts[] {
  const patients = new Map<string, { counts: TimedCount[]; undated: number }>();
  for (const kept of results) {
    const known = facts(kept);
    if (!known) continue;
    const { at, patient, seriesDescription, seriesInstanceUID } = known;
    const there = patients.get(patient) ?? { counts: [], undated: 0 };
    patients.set(patient, there);
    if (at === undefined) {
      there.undated++;
      continue;
    }
    const well = plate?.wellOfSeries.get(seriesInstanceUID) ?? plate?.wellOfSeries.get(seriesDescription) ?? wellOf(seriesDescription)?.name;
    const condition = well === undefined ? undefined : plate?.conditionOf.get(well);
    const { count, interval } = kept.result.total;
    there.counts.push({ at, count, subject: well ?? patient, ...(interval && { interval }), ...(condition !== undefined && { condition }) });
  }
  return [...patients].map(([patient, { counts, undated }]) => ({ patient, counts, undated }));
}
