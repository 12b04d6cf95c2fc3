import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { encodeJpeg } from '../../dicom/codec.ts';
import { OverreadError } from '../../errors.ts';
import { jpegFrameFile } from '../../export/node-slide-file.ts';
import type { DicomObject } from '../../export/part10.ts';
import { slideLevelHeader, tilesAcross, tilesDown, type SlideLevel } from '../../export/slide.ts';
import { HISTOLOGY_MICRONS_PER_PIXEL, histologyRegion, histologySlide } from '../../phantoms/histology.ts';
import type { TissuePiece } from '../../phantoms/histology-tissue.ts';
import type { DemoOutput } from './output.ts';
import { DOT_CLASSES, dotLine } from './histology.ts';

const TILE = 256;
/** From one level to the next. */
const STEP = 4;
const QUALITY = 80;

/** The levels of a slide, from full resolution to one that fits in a window. */
export function slideLevels(size: number): { readonly downsample: number; readonly columns: number; readonly rows: number }[] {
  const levels = [];
  for (let downsample = 1; ; downsample *= STEP) {
    const side = Math.ceil(size / downsample);
    levels.push({ downsample, columns: side, rows: side });
    if (side <= 2 * TILE) return levels;
  }
}

/**
 * A tiled slide of several levels, made tile by tile: memory does not grow with its size.
 * @param pieces of tissue on it; one large piece when left out
 * @throws OverreadError `config/invalid` when the folder cannot be written or the disk is full
 */
export async function writeSlideStudy(output: DemoOutput, size: number, pieces?: readonly TissuePiece[]): Promise<void> {
  try {
    await writeLevels(output, size, pieces);
  } catch (error) {
    if (error instanceof OverreadError || !(error instanceof Error && 'code' in error)) throw error;
    throw new OverreadError('config/invalid', `Cannot write the slide into ${output.folder}: ${error.message}. Give a folder with room that can be written.`, { got: output.folder }, error);
  }
}

async function writeLevels(output: DemoOutput, size: number, pieces?: readonly TissuePiece[]): Promise<void> {
  const folder = 'slide';
  const slide = histologySlide({ seed: output.seed + 2, width: size, height: size, ...(pieces && { pieces }) });
  const patient = { patientID: 'DEMO-SLIDE-1', patientName: 'Demo^Slide', patientBirthDate: '19550617', patientSex: 'F' } as const;
  const study = output.study(folder, patient, 'Histology slide, H&E (generated)', '20250128', '090000');
  const series = { number: 1, description: 'H&E 20x slide', modality: 'SM' };
  const sopInstanceUIDs: string[] = [];
  mkdirSync(path.join(output.folder, folder), { recursive: true });
  for (const [i, { downsample, columns, rows }] of slideLevels(size).entries()) {
    const identity = output.instance(study, 'slide', series, i + 1);
    sopInstanceUIDs.push(identity.sopInstanceUID);
    const level: SlideLevel = { totalColumns: columns, totalRows: rows, tileSize: TILE, spacingMm: (HISTOLOGY_MICRONS_PER_PIXEL / 1000) * downsample, level: i };
    const headerOf = (ratio: number): DicomObject => slideLevelHeader(identity, level, {
      frameOfReferenceUID: output.uid(folder, 'frame of reference'),
      pyramidUID: output.uid(folder, 'pyramid'),
      containerIdentifier: 'DEMO-SLIDE-1-A',
      encoding: { kind: 'jpeg', ratio },
    });
    const name = `${folder}/level-${i}.dcm`;
    const partial = path.join(output.folder, `${name}.part`);
    const file = jpegFrameFile(partial, headerOf, tilesAcross(level) * tilesDown(level), 3 * TILE * TILE);
    for await (const tile of tilesOf(slide, level, downsample)) file.append(tile);
    file.close();
    renameSync(partial, path.join(output.folder, name));
    output.files.push(name);
  }
  writeDots(output, slide, size);
  output.putTruth({
    study: folder,
    studyInstanceUID: study.studyInstanceUID,
    seriesInstanceUIDs: [output.instance(study, 'slide', series).series.seriesInstanceUID],
    sopInstanceUIDs,
    kind: 'dots',
    file: 'slide-dots.csv',
    classes: DOT_CLASSES,
  });
}

async function* tilesOf(slide: ReturnType<typeof histologySlide>, level: SlideLevel, downsample: number): AsyncGenerator<Uint8Array> {
  let glass: Uint8Array | undefined;
  for (let row = 0; row < tilesDown(level); row++) {
    for (let column = 0; column < tilesAcross(level); column++) {
      const region = histologyRegion(slide, downsample, column * TILE, row * TILE, TILE, TILE);
      if (region.blank && glass) {
        yield glass;
        continue;
      }
      const tile = await encodeJpeg(region.rgb, TILE, TILE, QUALITY);
      if (region.blank) glass = tile;
      yield tile;
    }
  }
}

/** Every nucleus of the slide in base-level pixels, written strip by strip. */
function writeDots(output: DemoOutput, slide: ReturnType<typeof histologySlide>, size: number): void {
  const name = path.join('truth', 'slide-dots.csv');
  mkdirSync(path.join(output.folder, 'truth'), { recursive: true });
  const fd = openSync(path.join(output.folder, name), 'w');
  writeSync(fd, 'x,y,class\n');
  for (let y = 0; y < size; y += TILE) {
    const nuclei = slide.nucleiIn(0, y, size, Math.min(size, y + TILE));
    writeSync(fd, nuclei.map((nucleus) => dotLine({ x: nucleus.x, y: nucleus.y, class: nucleus.kind })).join(''));
  }
  closeSync(fd);
  output.files.push(name);
}
