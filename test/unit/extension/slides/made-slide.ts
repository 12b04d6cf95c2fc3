import type { SlideMap } from '../../../../extension/slides/map.ts';
import type { SlideDisplaySet } from '../../../../extension/slides/target.ts';

export interface Camera {
  readonly center: readonly [x: number, y: number];
  /** Map units a CSS pixel. */
  readonly resolution: number;
  readonly rotation: number;
  readonly size: readonly [width: number, height: number];
}

/** A map with OpenLayers' camera: centre in the middle, y up, turned counterclockwise by the rotation. */
export function fakeMap({ center, resolution, rotation, size }: Camera): SlideMap {
  const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)];
  return {
    on: () => undefined,
    un: () => undefined,
    getViewport: () => { throw new Error('no DOM here'); },
    getSize: () => size,
    getPixelFromCoordinate: ([x, y]) => {
      const [right, up] = [(x - center[0]) / resolution, (y - center[1]) / resolution];
      return [size[0] / 2 + right * cos - up * sin, size[1] / 2 - (right * sin + up * cos)];
    },
  };
}

const PIXELS = { SOPClassUID: '1.2.840.10008.5.1.4.1.1.77.1.6', StudyInstanceUID: '1', SeriesInstanceUID: '1.2', Modality: 'SM' };

export function level(sop: string, columns: number, rows: number, mm: number, flavour = 'VOLUME') {
  return {
    ...PIXELS, SOPInstanceUID: sop, ImageType: ['ORIGINAL', 'PRIMARY', flavour, 'NONE'], TotalPixelMatrixColumns: columns, TotalPixelMatrixRows: rows,
    // As OHIF naturalizes it: the shared group's attributes stand in the instance.
    PixelMeasuresSequence: [{ PixelSpacing: [mm, mm] }],
  };
}

export function slideDisplaySet(instances = [level('1.2.1', 4097, 3001, 0.0005), level('1.2.2', 1025, 751, 0.002), level('1.2.9', 900, 900, 0.01, 'LABEL')]): SlideDisplaySet {
  return { displaySetInstanceUID: 'd', StudyInstanceUID: '1', SeriesInstanceUID: '1.2', Modality: 'SM', imageIds: instances.map(i => `wadors:${i.SOPInstanceUID}`), instances } as unknown as SlideDisplaySet;
}
