import type { PublishedCheckpoint } from '../architectures/published-checkpoints.ts';
import type { ModelManifest } from '../manifest.ts';
import { conceptsFor } from './finding-concepts.ts';
import type { StatedOptions } from './import-options.ts';

/** Of a tfjs or ONNX model: what was stated, and what its files are. */
export interface Stated extends StatedOptions {
  readonly format: ModelManifest['graph']['format'];
  readonly url: string;
}

export interface ImportedModel {
  readonly id: string;
  readonly architecture: string;
  /** Where the checkpoint came from, and its SHA-256. */
  readonly from: string;
  readonly fromSha256: string;
  /** SHA-256 of every file of the graph. */
  readonly sha256: Readonly<Record<string, string>>;
  /** [rows, columns, channels]; of volumes, slices before them. */
  readonly shape: readonly number[];
  readonly labels: readonly string[];
  readonly published?: PublishedCheckpoint;
  /** Absent for a PyTorch checkpoint, which becomes a layers model of a network that we know. */
  readonly stated?: Stated;
}

/** What stands where only the person who imports can know. */
const UNSTATED = 'Not stated: fill in.';
/** Frontal views and spellings of the body part that real devices send. */
const FRONTAL = ['PA', 'AP', 'AP SUPINE', 'AP ERECT', 'AP PORTABLE'];
const CHEST = ['CHEST', 'THORAX', 'LUNG', 'LUNGS', 'PORT CHEST', 'PORTABLE CHEST', 'CHEST PORT', 'CHEST_PORT', 'CXR'];

export function manifestFor({ id, sha256, shape, labels, published, architecture, stated }: ImportedModel): ModelManifest {
  const concepts = conceptsFor(labels);
  const volume = shape.length === 4;
  const name = published?.name ?? `${id} (${architecture})`;
  return {
    schemaVersion: 1,
    id,
    version: '1.0.0',
    name,
    task: stated?.task ?? 'classify',
    graph: { url: stated?.url ?? 'model.json', format: stated?.format ?? 'layers', sha256: { ...sha256 } },
    input: {
      modality: stated?.modality ? [...stated.modality] : volume ? ['MR', 'OT'] : ['DX', 'CR', 'RG', 'OT'],
      ...(published && { bodyPart: CHEST, viewPosition: FRONTAL }),
      shape: [...shape],
      layout: volume ? 'NDHWC' : 'NHWC',
      valueRange: [...(stated?.valueRange ?? published?.valueRange ?? [-1024, 1024])],
      channels: shape.at(-1) === 3 ? ['red', 'green', 'blue'] : ['grey'],
      normalisation: stated?.normalisation ?? { kind: 'representable' },
      fit: stated?.fit ?? 'crop',
      ...(stated?.grid && { grid: stated.grid }),
      ...(stated?.tiling && { tiling: { overlap: 'receptive-field' as const, padding: 'edge' as const } }),
    },
    output: {
      activation: stated?.activation ?? 'sigmoid',
      gives: stated?.gives ?? 'logits',
      targets: labels.map((label, i) => {
        const operatingPoint = published?.operatingPoints[i];
        const ppv80Threshold = published?.ppv80Thresholds?.[i];
        return { label, concept: concepts[i]!, ...(operatingPoint != null && { operatingPoint }), ...(ppv80Threshold !== undefined && { ppv80Threshold }) };
      }),
      ...(published?.operatingPointNormalisation && { operatingPointNormalisation: published.operatingPointNormalisation }),
    },
    algorithm: { family: { codeValue: '123110', codingSchemeDesignator: 'DCM', codeMeaning: 'Artificial Intelligence' }, name: name.slice(0, 64) },
    license: published?.license ?? UNSTATED,
    citation: published?.citation ?? UNSTATED,
    intendedUse: published ? 'Scores of findings on frontal chest X-rays of adults, for research and teaching.' : UNSTATED,
    notice: 'Research use only. Not for diagnosis.',
  };
}

const FITS = { conform: 'the volume, resampled by geometry', crop: 'centre square', letterbox: 'the whole picture, padded to fit', stretch: 'the whole picture, each side scaled by itself' } as const;

function scaling({ input: { normalisation: n, valueRange: [min, max] } }: ModelManifest): string {
  switch (n.kind) {
    case 'representable': return `the range that the stored bits can represent scaled to [${min}, ${max}]`;
    case 'percentile': return `percentiles ${n.low} to ${n.high} scaled to [${min}, ${max}]${n.clip === false ? ', values beyond them not clipped' : ''}`;
    case 'window': return `values ${n.min} to ${n.max} scaled to [${min}, ${max}]`;
    case 'zscore': return 'less the mean, over the standard deviation';
  }
}

/** A model card to fill in: what the import knows is stated, the rest asked for. */
export function cardFor(model: ImportedModel, manifest: ModelManifest): string {
  const { labels, published, shape } = model;
  const without = manifest.output.targets.filter(t => t.operatingPoint === undefined).map(t => t.label);
  const coded = manifest.output.targets.filter(t => t.concept.codingSchemeDesignator === '99OVERREAD').map(t => t.label);
  const todo = (question: string) => `_To fill in: ${question}_`;
  return `# ${manifest.name}

**${manifest.notice}**

Imported by \`overread import\` from ${model.from} (SHA-256 \`${model.fromSha256}\`) as ${model.architecture}.

## What it does
${published ? manifest.intendedUse : todo('what it scores, on which images, for whom.')}
Outputs: ${labels.join(', ')}.

## Input
${shape.slice(0, -1).join(' × ')} ${shape.length === 4 ? `voxels of ${manifest.input.grid!.spacingMm} mm, axes to ${manifest.input.grid!.axes}` : 'pixels'}, ${shape.at(-1)} channel${shape.at(-1)! > 1 ? 's' : ''}; ${FITS[manifest.input.fit]}, ${scaling(manifest)}.
${published ? `As ${published.source}.` : todo('whether the network was trained on exactly this scaling. If not, mend `input` in manifest.json: a wrong scale gives wrong scores without a word.')}

## Operating points
${without.length === labels.length ? todo(`the probability at which each label counts as present, and on which data it was chosen${manifest.task === 'segment' ? ' (0.5 until then)' : ''}.`)
    : `As its authors give them${without.length ? `; none for ${without.join(', ')}, which therefore never count as present` : ''}. ${published?.operatingPointNormalisation ? 'Probabilities are shown as its authors show them: with the operating point at 0.5. ' : ''}${todo('whether they hold on your data.')}`}
${coded.length ? `No standard code is known to us for ${coded.join(', ')}: they have codes of the private scheme 99OVERREAD.\n` : ''}
## Data and training
${todo('which images, from where, under which licence, of how many patients; how it was trained.')}

## Numbers
${todo('AUC with its interval, on which patients, who were in no training set.')}

## Limits
${todo('where it is known to fail.')}

## Licence and citation
${published ? `${published.license}. ${published.citation}` : todo('whose it is, and what to cite.')}
`;
}
