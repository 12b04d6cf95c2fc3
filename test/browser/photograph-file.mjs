/** A colour picture of one frame or several in an existing study, as another program would write it: by dcmjs. */
import { readFileSync, writeFileSync } from 'node:fs';
import dcmjs from 'dcmjs';

const { DicomMessage, DicomMetaDictionary, datasetToDict } = dcmjs.data;
export const MULTI_FRAME_SC = '1.2.840.10008.5.1.4.1.1.7.4';
export const VL_PHOTOGRAPHIC = '1.2.840.10008.5.1.4.1.1.77.1.4';

/**
 * @param like a file of the study that it joins
 * @param colourAt red, green, blue of a pixel, by column, row, frame
 * @returns its series
 */
export function writePhotograph(file, like, { sopClass, modality, size, frames = 1, colourAt }) {
  const bytes = readFileSync(like);
  const { dict } = DicomMessage.readFile(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const first = DicomMetaDictionary.naturalizeDataset(dict);
  const pixels = new Uint8Array(frames * size * size * 3);
  for (let f = 0, at = 0; f < frames; f++) for (let y = 0; y < size; y++) for (let x = 0; x < size; x++, at += 3) pixels.set(colourAt(x, y, f), at);
  const series = `${first.SeriesInstanceUID.slice(0, 50)}.${modality.charCodeAt(0)}`;
  const dataset = {
    ...Object.fromEntries(['StudyInstanceUID', 'PatientID', 'PatientName', 'PatientBirthDate', 'PatientSex', 'StudyDate', 'StudyTime', 'StudyID', 'AccessionNumber', 'StudyDescription'].map(name => [name, first[name] ?? ''])),
    SOPClassUID: sopClass, SOPInstanceUID: `${series}.1`, SeriesInstanceUID: series, Modality: modality, SeriesNumber: 9, InstanceNumber: 1, SeriesDescription: `${modality} of ${frames}`,
    ConversionType: 'SI', ImageType: ['ORIGINAL', 'PRIMARY'], SamplesPerPixel: 3, PhotometricInterpretation: 'RGB', PlanarConfiguration: 0, Rows: size, Columns: size,
    BitsAllocated: 8, BitsStored: 8, HighBit: 7, PixelRepresentation: 0, ...(frames > 1 && { NumberOfFrames: frames, FrameIncrementPointer: 0x00181065 }),
    PixelData: [pixels.buffer],
    _vrMap: { PixelData: 'OB' },
    _meta: {
      MediaStorageSOPClassUID: { Value: [sopClass], vr: 'UI' }, MediaStorageSOPInstanceUID: { Value: [`${series}.1`], vr: 'UI' }, TransferSyntaxUID: { Value: ['1.2.840.10008.1.2.1'], vr: 'UI' },
      ImplementationClassUID: { Value: ['1.2.826.0.1.3680043.9.99'], vr: 'UI' }, FileMetaInformationVersion: { Value: [new Uint8Array([0, 1]).buffer], vr: 'OB' },
    },
  };
  writeFileSync(file, Buffer.from(datasetToDict(dataset).write()));
  return series;
}
