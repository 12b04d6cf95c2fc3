import { csv } from '../export/csv.ts';
import { isInstanceReference, type SourceReference } from '../image/image.ts';
import type { LabelmapResult } from '../results/result.ts';
import type { PlacedChange, TranslationAudit } from './translation.ts';

/** The audit for programs: everything but the voxels. */
export function translationJson({ changes, unconfirmed, lesions, placement, rule, results }: TranslationAudit) {
  const { model, device } = results.real;
  return {
    model: { id: model.id, version: model.version, sha256: model.sha256 },
    device,
    createdAt: results.translated.createdAt,
    real: sideOf(results.real),
    translated: sideOf(results.translated),
    placement, rule, lesions,
    changes: changes.map(changeJson),
    unconfirmed: unconfirmed.map(changeJson),
  };
}

function changeJson({ kind, voxels, volumeMm3, areaMm2, patientMm, index, source, evidence, translated }: PlacedChange) {
  return { kind, voxels, volumeMm3, areaMm2, patientMm, index, source: wordOf(source), evidence, translated: { index: translated.index, source: wordOf(translated.source) } };
}

function sideOf({ source: { sources, attributes }, modalities, outOfDistribution }: LabelmapResult) {
  const [first] = sources;
  return {
    ...(first && (isInstanceReference(first) ? { studyInstanceUID: first.studyInstanceUID, seriesInstanceUID: first.seriesInstanceUID } : { file: first.file })),
    ...(attributes.seriesDescription !== undefined && { seriesDescription: attributes.seriesDescription }),
    // A description that names two contrasts may be taken for the other one.
    ...(modalities && { readAs: modalities.used.map(({ modality }) => modality) }),
    ...(outOfDistribution && { outOfDistribution }),
  };
}

const HEADER = ['kind', 'voxels', 'volumeMm3', 'areaMm2', 'xMm', 'yMm', 'zMm', 'column', 'row', 'slice', 'source', 'evidence', 'translatedColumn', 'translatedRow', 'translatedSlice', 'translatedSource'];

const NOWHERE = [undefined, undefined, undefined];

/** A line a change. Columns, rows and slices count from 0; mm are LPS. */
export function translationCsv({ changes }: Pick<TranslationAudit, 'changes'>): string {
  const line = ({ kind, voxels, volumeMm3, areaMm2, patientMm, index, source, evidence, translated }: PlacedChange) =>
    [kind, voxels, volumeMm3, areaMm2, ...(patientMm ?? NOWHERE), ...index, wordOf(source), evidence, ...translated.index, wordOf(translated.source)];
  return csv([HEADER, ...changes.map(line)]);
}

/** A slice as a person finds it: its SOP instance UID, and the frame of several; else its file. */
function wordOf(source: SourceReference): string {
  if (!isInstanceReference(source)) return source.file;
  return source.frame > 1 ? `${source.sopInstanceUID} frame ${source.frame}` : source.sopInstanceUID;
}
