import { encode } from 'fast-png';
import { microscopicImage } from '../../export/secondary-capture.ts';
import { histologyField, type Dot } from '../../phantoms/histology.ts';
import { NUCLEUS_CLASSES } from '../../phantoms/histology-tissue.ts';
import type { DemoOutput } from './output.ts';

/** Objects may be many: 16 bits. */
export function instancesPng(instances: Uint16Array, columns: number, rows: number): Uint8Array {
  return encode({ width: columns, height: rows, data: instances, depth: 16, channels: 1 });
}

/** `x,y,class` in pixels, the centre of the first pixel being 0. */
export function dotsCsv(dots: readonly Dot[]): string {
  return `x,y,class\n${dots.map(dotLine).join('')}`;
}

export function dotLine(dot: Dot): string {
  return `${dot.x.toFixed(1)},${dot.y.toFixed(1)},${dot.class}\n`;
}

export const DOT_CLASSES = ['background', ...NUCLEUS_CLASSES] as const;

/** A field of view with every nucleus outlined and dotted. */
export function writeHistologyStudy(output: DemoOutput, size: number): void {
  const folder = 'histology';
  const field = histologyField({ seed: output.seed, size });
  const patient = { patientID: 'DEMO-HISTO-1', patientName: 'Demo^Histology', patientBirthDate: '19550617', patientSex: 'F' } as const;
  const study = output.study(folder, patient, 'Histology field, H&E (generated)', '20250127', '110203');
  const identity = output.instance(study, 'field', { number: 1, description: 'H&E 20x field', modality: 'GM' });
  const mm = field.micronsPerPixel / 1000;
  output.write(`${folder}/field.dcm`, microscopicImage(identity, field, { spacingMm: [mm, mm] }));
  const about = {
    study: folder,
    studyInstanceUID: study.studyInstanceUID,
    seriesInstanceUIDs: [identity.series.seriesInstanceUID],
    sopInstanceUIDs: [identity.sopInstanceUID],
  };
  output.putTruth({ ...about, kind: 'instances', file: 'histology-nuclei.png', classes: ['background', 'nucleus'] },
    instancesPng(field.instances, field.columns, field.rows));
  output.putTruth({ ...about, kind: 'dots', file: 'histology-dots.csv', classes: DOT_CLASSES }, dotsCsv(field.dots));
}
