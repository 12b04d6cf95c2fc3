import path from 'node:path';
import { encodePart10, type DicomObject } from '../../export/part10.ts';
import type { InstanceIdentity, StudyIdentity } from '../../export/identity.ts';
import { seededUid } from '../../export/uid.ts';
import { writeFile } from '../io/write-file.ts';

/** One file of truth, tied to the instances that it is about. */
export interface TruthEntry {
  /** The study's folder. */
  readonly study: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUIDs: readonly string[];
  readonly sopInstanceUIDs: readonly string[];
  readonly kind: 'mask' | 'instances' | 'dots' | 'volume';
  /** Relative to the folder of `truth.json`. */
  readonly file: string;
  /** What the values mean, from 0. */
  readonly classes: readonly string[];
}

export interface DemoPatient {
  readonly patientID: string;
  readonly patientName: string;
  readonly patientBirthDate: string;
  readonly patientSex: 'F' | 'M';
}

/** Where a demo goes, and what has been said of it so far. */
export class DemoOutput {
  readonly truth: TruthEntry[] = [];
  readonly files: string[] = [];

  /**
   * @param words what the content follows from beside the seed: a demo of another size gets other UIDs
   */
  constructor(readonly folder: string, readonly seed: number, private readonly words: string) {}

  uid(...words: readonly (string | number)[]): string {
    return seededUid('overread-demo', this.seed, this.words, ...words);
  }

  study(folder: string, patient: DemoPatient, description: string, date: string, time: string): StudyIdentity {
    return {
      ...patient,
      studyInstanceUID: this.uid(folder, 'study'),
      studyDate: date,
      studyTime: time,
      studyDescription: description,
      studyID: folder.toUpperCase().slice(0, 16),
      accessionNumber: `A-${patient.patientID}`.slice(0, 16),
    };
  }

  instance(study: StudyIdentity, name: string, series: { number: number; description: string; modality: string }, instanceNumber = 1): InstanceIdentity {
    return {
      study,
      series: {
        seriesInstanceUID: this.uid(study.studyInstanceUID, name, 'series'),
        seriesNumber: series.number,
        seriesDescription: series.description,
        modality: series.modality,
      },
      sopInstanceUID: this.uid(study.studyInstanceUID, name, 'instance', instanceNumber),
      instanceNumber,
    };
  }

  write(relative: string, object: DicomObject): void {
    this.put(relative, encodePart10(object));
  }

  put(relative: string, bytes: Uint8Array | string): void {
    writeFile(path.join(this.folder, relative), bytes);
    this.files.push(relative);
  }

  /** Writes a file of truth and remembers what it is about. */
  putTruth(entry: TruthEntry, bytes?: Uint8Array | string): void {
    if (bytes !== undefined) this.put(path.join('truth', entry.file), bytes);
    this.truth.push(entry);
  }
}
