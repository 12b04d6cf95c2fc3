import { radiograph } from '../../export/radiograph.ts';
import type { ChestFindingKind } from '../../phantoms/chest-findings.ts';
import { chestPhantom, type ChestView } from '../../phantoms/chest.ts';
import { greyPng } from '../io/png.ts';
import type { DemoOutput, DemoPatient } from './output.ts';

interface Film {
  readonly name: string;
  readonly view: ChestView;
  readonly description: string;
  readonly monochrome1: boolean;
}

interface ChestStudy {
  readonly folder: string;
  readonly patient: DemoPatient;
  readonly description: string;
  readonly date: string;
  readonly time: string;
  readonly seedOffset: number;
  /** Planted, so that there is something to find. */
  readonly findings?: readonly ChestFindingKind[];
  readonly films: readonly Film[];
}

const STUDIES: readonly ChestStudy[] = [
  {
    folder: 'chest',
    patient: { patientID: 'DEMO-CHEST-1', patientName: 'Demo^Chest', patientBirthDate: '19700412', patientSex: 'M' },
    description: 'Chest PA and lateral (generated)',
    date: '20250114',
    time: '093012',
    seedOffset: 0,
    findings: ['lateral'],
    films: [
      { name: 'pa', view: 'PA', description: 'Chest PA', monochrome1: true },
      { name: 'lateral', view: 'LL', description: 'Chest lateral', monochrome1: false },
    ],
  },
  {
    folder: 'chest-bedside',
    patient: { patientID: 'DEMO-CHEST-2', patientName: 'Demo^Bedside', patientBirthDate: '19480930', patientSex: 'F' },
    description: 'Chest AP at the bedside (generated)',
    date: '20250302',
    time: '214455',
    seedOffset: 1,
    films: [{ name: 'ap', view: 'AP', description: 'Chest AP supine', monochrome1: false }],
  },
];

/** Two patients' chest films, with their lungs as masks. */
export function writeChestStudies(output: DemoOutput, size: number): void {
  for (const { folder, patient, description, date, time, seedOffset, findings, films } of STUDIES) {
    const study = output.study(folder, patient, description, date, time);
    for (const [i, film] of films.entries()) {
      const phantom = chestPhantom({ seed: output.seed + seedOffset, view: film.view, size, variation: 0.6, ...(findings && { findings }) });
      const { columns, rows, pixels, spacingMm, lungMask } = phantom;
      const identity = output.instance(study, film.name, { number: i + 1, description: film.description, modality: 'DX' });
      output.write(`${folder}/${film.name}.dcm`, radiograph(identity, { columns, rows, pixels, bitsStored: 12 }, {
        kind: 'DX',
        view: film.view,
        spacingMm: [spacingMm, spacingMm],
        bodyPart: 'CHEST',
        monochrome1: film.monochrome1,
      }));
      const putMask = (name: string, label: string, mask: Uint8Array): void => output.putTruth({
        study: folder,
        studyInstanceUID: study.studyInstanceUID,
        seriesInstanceUIDs: [identity.series.seriesInstanceUID],
        sopInstanceUIDs: [identity.sopInstanceUID],
        kind: 'mask',
        file: `${folder}-${film.name}-${name}.png`,
        classes: ['background', label],
      }, greyPng(mask.map((value) => value * 255), columns, rows));
      putMask('lungs', 'lung', lungMask);
      for (const { label, mask } of phantom.findings) if (mask) putMask('finding', label, mask);
    }
  }
}
