import { mrSlice, type MrAcquisition, type SlicePlane } from '../../export/cross-section.ts';
import { BRAIN_SEQUENCES, brainPhantom, LESION_CLASSES, type BrainSequence } from '../../phantoms/brain.ts';
import { niftiGz } from '../io/nifti.ts';
import type { DemoOutput } from './output.ts';

const ACQUISITION: Record<BrainSequence, { readonly description: string; readonly mr: MrAcquisition }> = {
  T1: { description: 'T1 axial', mr: { scanningSequence: 'SE', sequenceName: 'T1', repetitionTimeMs: 500, echoTimeMs: 9 } },
  T1c: { description: 'T1 axial + contrast', mr: { scanningSequence: 'SE', sequenceName: 'T1C', repetitionTimeMs: 500, echoTimeMs: 9, contrastAgent: 'Gadobutrol' } },
  T2: { description: 'T2 axial', mr: { scanningSequence: 'SE', sequenceName: 'T2', repetitionTimeMs: 4500, echoTimeMs: 98 } },
  FLAIR: { description: 'FLAIR axial', mr: { scanningSequence: 'IR', sequenceName: 'FLAIR', repetitionTimeMs: 9000, echoTimeMs: 120, inversionTimeMs: 2500 } },
};

/** One head in four sequences of one frame of reference, with the parts of its tumour as a volume. */
export function writeBrainStudy(output: DemoOutput, options: { readonly columns: number; readonly slices: number }): void {
  const folder = 'brain';
  const phantom = brainPhantom({ seed: output.seed, ...options });
  const [columns, rows, slices] = phantom.shape;
  const [columnMm, rowMm, sliceMm] = phantom.spacingMm;
  const patient = { patientID: 'DEMO-BRAIN-1', patientName: 'Demo^Brain', patientBirthDate: '19610805', patientSex: 'F' } as const;
  const study = output.study(folder, patient, 'MRI brain with contrast (generated)', '20250221', '141530');
  const frameOfReferenceUID = output.uid(folder, 'frame of reference');
  const seriesInstanceUIDs: string[] = [];
  const sopInstanceUIDs: string[] = [];
  for (const [i, name] of BRAIN_SEQUENCES.entries()) {
    const { description, mr } = ACQUISITION[name];
    for (let slice = 0; slice < slices; slice++) {
      const identity = output.instance(study, name, { number: i + 1, description, modality: 'MR' }, slice + 1);
      if (slice === 0) seriesInstanceUIDs.push(identity.series.seriesInstanceUID);
      sopInstanceUIDs.push(identity.sopInstanceUID);
      const plane: SlicePlane = {
        frameOfReferenceUID,
        imagePosition: [phantom.origin[0], phantom.origin[1], phantom.origin[2] + slice * sliceMm],
        imageOrientation: [1, 0, 0, 0, 1, 0],
        spacingMm: [rowMm, columnMm],
        sliceSpacingMm: sliceMm,
      };
      const pixels = phantom.volumes[name].subarray(slice * columns * rows, (slice + 1) * columns * rows);
      output.write(`${folder}/${name.toLowerCase()}/${String(slice + 1).padStart(3, '0')}.dcm`,
        mrSlice(identity, { columns, rows, pixels, bitsStored: 12 }, plane, { bodyPart: 'BRAIN', mr, window: { center: 560, width: 1120 } }));
    }
  }
  const [x, y, z] = phantom.origin;
  output.putTruth({
    study: folder,
    studyInstanceUID: study.studyInstanceUID,
    seriesInstanceUIDs,
    sopInstanceUIDs,
    kind: 'volume',
    file: 'brain-lesion.nii.gz',
    classes: LESION_CLASSES,
  }, niftiGz({
    shape: phantom.shape,
    values: phantom.lesion,
    indexToPatient: [columnMm, 0, 0, x, 0, rowMm, 0, y, 0, 0, sliceMm, z, 0, 0, 0, 1],
  }));
}
