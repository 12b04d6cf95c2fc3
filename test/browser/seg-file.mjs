/** A DICOM Segmentation (BINARY, one segment) of a series of slices, as another program would write it: by dcmjs. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import dcmjs from 'dcmjs';

const { DicomMessage, DicomMetaDictionary, datasetToDict, BitArray } = dcmjs.data;
const SEG = '1.2.840.10008.5.1.4.1.1.66.4';

/** The slices of a folder, by their file names. */
export function slicesOf(folder) {
  return readdirSync(folder).sort().map(name => {
    const bytes = readFileSync(path.join(folder, name));
    const { dict } = DicomMessage.readFile(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    return DicomMetaDictionary.naturalizeDataset(dict);
  });
}

/**
 * @param slices as {@link slicesOf} gives them
 * @param inside whether a voxel belongs to the segment, by column, row, slice
 */
export function writeSeg(file, slices, label, inside) {
  const [first] = slices;
  const { Rows, Columns } = first;
  const bits = [];
  const groups = [];
  slices.forEach((slice, k) => {
    const frame = Array.from({ length: Rows * Columns }, (_, i) => (inside(i % Columns, Math.floor(i / Columns), k) ? 1 : 0));
    if (!frame.includes(1)) return;
    bits.push(...frame);
    groups.push({
      DerivationImageSequence: [{
        SourceImageSequence: [{ ReferencedSOPClassUID: slice.SOPClassUID, ReferencedSOPInstanceUID: slice.SOPInstanceUID, PurposeOfReferenceCodeSequence: [concept('121322', 'DCM', 'Source image for image processing operation')] }],
        DerivationCodeSequence: [concept('113076', 'DCM', 'Segmentation')],
      }],
      FrameContentSequence: [{ DimensionIndexValues: [1, groups.length + 1] }],
      PlanePositionSequence: [{ ImagePositionPatient: slice.ImagePositionPatient }],
      SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 }],
    });
  });
  const uid = n => `${first.SeriesInstanceUID.slice(0, 50)}.99.${n}`;
  const dimension = uid(3);
  const pointer = (of, group) => ({ DimensionOrganizationUID: dimension, DimensionIndexPointer: of, FunctionalGroupPointer: group });
  const dataset = {
    SOPClassUID: SEG, SOPInstanceUID: uid(1), SeriesInstanceUID: uid(2), Modality: 'SEG', SeriesNumber: 99, InstanceNumber: 1, SeriesDescription: label,
    ...Object.fromEntries(['StudyInstanceUID', 'PatientID', 'PatientName', 'PatientBirthDate', 'PatientSex', 'StudyDate', 'StudyTime', 'StudyID', 'AccessionNumber', 'StudyDescription', 'FrameOfReferenceUID', 'ReferringPhysicianName'].map(name => [name, first[name] ?? ''])),
    Manufacturer: 'Somebody else', ContentLabel: 'SEGMENTATION', ContentDescription: label, ContentCreatorName: 'Reader^A', PositionReferenceIndicator: '', ImageType: ['DERIVED', 'PRIMARY'],
    SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2', PixelRepresentation: 0, BitsAllocated: 1, BitsStored: 1, HighBit: 0, Rows, Columns, NumberOfFrames: groups.length,
    LossyImageCompression: '00', SegmentationType: 'BINARY',
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: dimension }],
    DimensionIndexSequence: [pointer(0x0062000b, 0x0062000a), pointer(0x00200032, 0x00209113)],
    SegmentSequence: [{
      SegmentNumber: 1, SegmentLabel: label, SegmentAlgorithmType: 'MANUAL', RecommendedDisplayCIELabValue: [40000, 30000, 45000],
      SegmentedPropertyCategoryCodeSequence: [concept('49755003', 'SCT', 'Morphologically Abnormal Structure')], SegmentedPropertyTypeCodeSequence: [concept('52988006', 'SCT', 'Lesion')],
    }],
    ReferencedSeriesSequence: [{ SeriesInstanceUID: first.SeriesInstanceUID, ReferencedInstanceSequence: slices.map(({ SOPClassUID, SOPInstanceUID }) => ({ ReferencedSOPClassUID: SOPClassUID, ReferencedSOPInstanceUID: SOPInstanceUID })) }],
    SharedFunctionalGroupsSequence: [{
      PlaneOrientationSequence: [{ ImageOrientationPatient: first.ImageOrientationPatient }],
      PixelMeasuresSequence: [{ PixelSpacing: first.PixelSpacing, SliceThickness: first.SliceThickness, SpacingBetweenSlices: first.SpacingBetweenSlices ?? first.SliceThickness }],
    }],
    PerFrameFunctionalGroupsSequence: groups,
    PixelData: [BitArray.pack(Uint8Array.from(bits)).buffer],
    _vrMap: { PixelData: 'OB' },
    _meta: {
      MediaStorageSOPClassUID: { Value: [SEG], vr: 'UI' }, MediaStorageSOPInstanceUID: { Value: [uid(1)], vr: 'UI' }, TransferSyntaxUID: { Value: ['1.2.840.10008.1.2.1'], vr: 'UI' },
      ImplementationClassUID: { Value: ['1.2.826.0.1.3680043.9.99'], vr: 'UI' }, FileMetaInformationVersion: { Value: [new Uint8Array([0, 1]).buffer], vr: 'OB' },
    },
  };
  writeFileSync(file, Buffer.from(datasetToDict(dataset).write()));
}

function concept(CodeValue, CodingSchemeDesignator, CodeMeaning) {
  return { CodeValue, CodingSchemeDesignator, CodeMeaning };
}
