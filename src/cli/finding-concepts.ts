import type { CodedConcept } from '../dicom/concepts.ts';

const SCT = (codeValue: string, codeMeaning: string): CodedConcept => ({ codeValue, codingSchemeDesignator: 'SCT', codeMeaning });
const DCM = (codeValue: string, codeMeaning: string): CodedConcept => ({ codeValue, codingSchemeDesignator: 'DCM', codeMeaning });

/** Codes of the usual chest labels; of two that would do, the one that DICOM's context groups 6102 to 6105 list. */
const KNOWN: Readonly<Record<string, CodedConcept>> = {
  atelectasis: SCT('46621007', 'Atelectasis'),
  consolidation: SCT('95436008', 'Consolidation of lung'),
  infiltration: DCM('112121', 'Infiltrate'),
  pneumothorax: SCT('36118008', 'Pneumothorax'),
  edema: SCT('19242006', 'Pulmonary edema'),
  emphysema: SCT('87433001', 'Pulmonary emphysema'),
  fibrosis: SCT('51615001', 'Fibrosis of lung'),
  effusion: SCT('60046008', 'Pleural effusion'),
  pneumonia: SCT('233604007', 'Pneumonia'),
  cardiomegaly: SCT('8186001', 'Cardiomegaly'),
  nodule: SCT('27925004', 'Nodule'),
  mass: SCT('4147007', 'Mass'),
  'lung lesion': SCT('52988006', 'Lesion'),
  fracture: SCT('125605004', 'Fracture of bone'),
  'lung opacity': DCM('112001', 'Opacity'),
};

/** A code value is a DICOM SH, a meaning an LO. */
const LONGEST_CODE = 16;
const LONGEST_MEANING = 64;

/** Concepts for labels: standard codes where we know them, else codes of a private scheme, one a label. */
export function conceptsFor(labels: readonly string[]): CodedConcept[] {
  const taken = new Set<string>();
  return labels.map((label, index) => {
    const known = KNOWN[label.toLowerCase().replaceAll('_', ' ')];
    if (known) return known;
    const slug = label.toUpperCase().replace(/[^A-Z0-9]+/g, '_').replace(/^_|_$/g, '').slice(0, LONGEST_CODE);
    const codeValue = slug && !taken.has(slug) ? slug : `LABEL_${index + 1}`;
    taken.add(codeValue);
    return { codeValue, codingSchemeDesignator: '99OVERREAD', codeMeaning: label.slice(0, LONGEST_MEANING) };
  });
}
