import { z } from './zod.ts';
import { codedConceptSchema } from './dicom/concepts.ts';
import { MR_MODALITIES } from './dicom/mr.ts';
import { OverreadError } from './errors.ts';
import { modelId, recalibrationRecord, SHA256, trainingRecord } from './manifest-records.ts';

export type { RecalibrationRecord, TrainingRecord } from './manifest-records.ts';

/**
 * The model manifest: the only door for outside models. A model of an existing task is a manifest and weights, no
 * code. Unknown keys are refused, so that a misspelt one cannot be ignored in silence.
 */
const relativePath = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/, 'expected a path inside the model folder');

const fusionKind = z.enum(['stacked', 'hemis', 'dualnet', 'auxloss']);
export type FusionKind = z.infer<typeof fusionKind>;

const normalisation = z.discriminatedUnion('kind', [
  /** Linear from the image's percentiles `low`..`high` (0..100, over all pixels) to `valueRange`, clipped unless `clip` is false. */
  z.strictObject({ kind: z.literal('percentile'), low: z.number().min(0).max(100), high: z.number().min(0).max(100), clip: z.boolean().optional() }),
  /** Linear from fixed modality values (HU, ...) to `valueRange`, clipped. */
  z.strictObject({ kind: z.literal('window'), min: z.number(), max: z.number() }),
  /** Linear from the range that the stored bits can represent to `valueRange`. */
  z.strictObject({ kind: z.literal('representable') }),
  /**
   * (v − mean) / standard deviation over all pixels; `valueRange` is informative. With `over`, mean and deviation are of
   * the pixels above the mean of all (the head, not the air around it), and the outcome is clipped to `valueRange`.
   */
  z.strictObject({ kind: z.literal('zscore'), over: z.literal('above-mean').optional() }),
]);

/** How a plane of any size becomes the network's rows × columns; for volumes, the voxels its slices × rows × columns. */
const fit = z.enum([
  'letterbox', // scale the longer side to fit, pad the rest with `valueRange[0]`, image centred
  'stretch', // scale each side by itself
  'crop', // centre square crop, then scale
  'conform', // volumes: resampled by geometry to `grid` about the same centre, as FreeSurfer's mri_convert --conform does
]);

/** Patient axes, one a tensor axis (slices, rows, columns), by where they run to: L, P, S are LPS's own directions. */
const axes = z.string().regex(/^[LRAPSI]{3}$/, "expected three of the letters L R A P S I, such as 'LIA'")
  .refine(text => ['LR', 'AP', 'SI'].every(pair => [...text].filter(letter => pair.includes(letter)).length === 1), 'expected one of L and R, one of A and P, one of S and I');

/**
 * Makes probabilities of scores that mean what they say: `value` divides every logit (Guo et al. 2017, "On calibration
 * of modern neural networks"); `platt` is sigmoid(a · logit + b), a pair for each target in order (Platt 1999).
 */
const calibration = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('temperature'), value: z.number().positive() }),
  z.strictObject({ kind: z.literal('platt'), targets: z.array(z.strictObject({ a: z.number().positive(), b: z.number() })).min(1) }),
]);

export const targetSchema = z.strictObject({
  label: z.string().min(1),
  concept: codedConceptSchema,
  /** SNOMED category for SEG; anatomical structure when left out. */
  category: codedConceptSchema.optional(),
  /** Probability, after any calibration, at and above which the target counts as present. */
  operatingPoint: z.number().gt(0).lt(1).optional(),
  /** Probability, as it is shown, at and above which four of five positives were right in the authors' own test, where they say so. */
  ppv80Threshold: z.number().gt(0).lt(1).optional(),
  /** sRGB 0..255; chosen for us when left out. */
  color: z.tuple([z.number(), z.number(), z.number()]).optional(),
});

/**
 * Half the width of a count's interval: constant + proportional · count + spread · s, where s is the standard deviation of a
 * `redundant` network's field² counts (see {@link countingSchema}), in cells. The lower end is never below 0.
 */
const halfWidth = {
  constant: z.number().min(0),
  proportional: z.number().min(0),
  /** Only of kind `redundant`. */
  spread: z.number().min(0).optional(),
};

/**
 * How a network's output is a count. It gives a channel a target, one stride-1 output a pixel (`density`), or rows + field − 1
 * by columns + field − 1 of them (`redundant`).
 * - density: every cell is a small hill over its centre that sums to `unitSum` (V. Lempitsky, A. Zisserman, "Learning to count objects in
 *   images", NIPS 2010).
 * - redundant: output [y, x] counts the cells in the rows y − field + 1 … y and the columns x − field + 1 … x of the picture, 0 outside of
 *   it, each as unitSum / field² (J. P. Cohen et al., "Count-ception", ICCV workshops 2017, has unitSum = field²): every cell
 *   is counted field² times, once in each of the field² lattices of outputs that lie `field` apart.
 *
 * Outputs below 0 count as 0, before anything is summed: calibrate the interval and choose the thresholds with that rule. A class's
 * count is then the sum of its channel over `unitSum`. From a redundant map the density is made by undoing the box
 * (`src/results/redundant-density.ts`), which keeps the sum.
 *
 * Markers are maxima of the density summed over classes: no pixel within `minimumDistancePixels` is higher. A marker's class is the
 * one with the most density within that distance (Bidart 2018), its confidence the density of all classes there in cells, at
 * most 1; under `minimumPeak` there is no marker. Of each class the surest are kept, as many as its count rounds to.
 */
const countingSchema = z.strictObject({
  kind: z.enum(['density', 'redundant']),
  /** What one cell sums to over its class's channel: the scale of the training's targets. */
  unitSum: z.number().positive(),
  /** Of kind `redundant`: the side of the receptive field, pixels. */
  field: z.number().int().min(2).optional(),
  minimumDistancePixels: z.number().min(1),
  /** 0..1, in cells. */
  minimumPeak: z.number().min(0).lt(1),
  /**
   * Holds the true count of a picture with the probability `level`, calibrated on validation images; without it a count has none.
   * `classes`: the same for each target in order; with one target it need not be said again.
   */
  interval: z.strictObject({ level: z.number().gt(0).lt(1), ...halfWidth, classes: z.array(z.strictObject(halfWidth)).min(1).optional() }).optional(),
});
export type Counting = z.infer<typeof countingSchema>;

/**
 * Makes a classifier of pictures a gate for other models. Labels are those of `output.targets`. The graph's last tensor
 * gives the scores; the one before it, [n, 1], how far the picture's features lie from those of the training set.
 */
const gateSchema = z.strictObject({
  frontal: z.string().min(1),
  lateral: z.string().min(1),
  /** Targets that speak against reading the picture at all, each with the reason for the user: 'inverted grey scale'. */
  faults: z.record(z.string().min(1), z.string().min(1)),
  /** A fault, or a view that the model does not read, counts above this probability. */
  threshold: z.number().gt(0).lt(1),
  /** On the scale of the distance; above it the picture is unlike all that the gate was trained on. */
  distanceThreshold: z.number().positive(),
});
export type Gate = z.infer<typeof gateSchema>;

const manifestShape = z.strictObject({
  schemaVersion: z.literal(1),
  id: modelId,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'expected a semantic version such as 1.0.0'),
  name: z.string().min(1),
  task: z.string().min(1),
  graph: z.strictObject({
    url: relativePath,
    /** A tfjs graph or layers model, or an ONNX file, whose pictures are NCHW inside; `input.shape` says [rows, columns, channels] for all. */
    format: z.enum(['graph', 'layers', 'onnx']),
    /** Every file of the graph, the topology itself included, with its SHA-256. */
    sha256: z.record(relativePath, SHA256),
    /**
     * Of layers and pictures: 'float16-allowed' where its author has seen that what it says stays the same. A GPU with `shader-f16` then keeps weights and
     * activations in 16 bits, in half the memory, and adds in 32; the largest relative difference of outputs that is taken is 1e-2, and what is beyond it, or beyond
     * 65,504, is computed in float32, which is also the default.
     */
    precision: z.enum(['float32', 'float16-allowed']).optional(),
  }),
  input: z.strictObject({
    modality: z.array(z.string().min(1)).min(1),
    /** When given, an image that states another body part is refused; one that states none is taken. */
    bodyPart: z.array(z.string().min(1)).optional(),
    /** When given, an image that states another ViewPosition is refused; one that states none is taken. */
    viewPosition: z.array(z.string().min(1)).optional(),
    /** [rows, columns, channels] or [slices, rows, columns, channels] */
    shape: z.array(z.number().int().positive()).min(3).max(4),
    layout: z.enum(['NHWC', 'NDHWC']),
    valueRange: z.tuple([z.number(), z.number()]),
    channels: z.array(z.string().min(1)).min(1),
    /** For volumes, its statistics are those of the conformed volume. */
    normalisation,
    fit,
    /**
     * Of volumes: the grid of `shape` that the network reads. What lies outside of the source becomes its lowest value;
     * the labels go back to the source's own grid.
     */
    grid: z.strictObject({ axes, spacingMm: z.number().positive() }).optional(),
    /**
     * For labelmaps and counts (which need it): images are read at full resolution, in tiles of `shape` that overlap by what the network's receptive
     * field needs (computed from its layers), in place of being fitted. Statistics are those of the whole image. An image
     * that is smaller, or whose sides are no multiples of the network's total stride, goes on by its last column and row.
     */
    tiling: z.strictObject({ overlap: z.literal('receptive-field'), padding: z.literal('edge') }).optional(),
    /**
     * With tiling, of brightfield slides in colour: what shows nothing but glass, with a margin about all else, is not read
     * and recorded as such, and statistics are those of the tissue. A slide on which glass cannot be told is read whole.
     */
    tissue: z.strictObject({ rule: z.literal('optical-density'), marginMm: z.number().nonnegative() }).optional(),
    /**
     * With tiling: between the pixel centres of the pictures that the network was trained on, mm (0.0005 is a 20×
     * objective). Of a slide, the level nearest to it is read; without it the finest.
     */
    spacingMm: z.number().positive().optional(),
    /**
     * For scores from a PA and a lateral view of one study together: which of the networks in `architectures/fusion-*`
     * the graph is. Its inputs are named PA and L (and present, for hemis), each of `shape`; either view may be missing.
     */
    fusion: fusionKind.optional(),
    /**
     * For labelmaps of a volume from several MR series of one study: the graph has an input for each of these, by its
     * name and of `shape`, and `present` [n, modalities]; any of them may be missing. The series are brought to the grid
     * of one of them and read in its axial slices, laid into `shape` by `fit` in mm.
     */
    modalities: z.array(z.enum(MR_MODALITIES)).min(1).optional(),
    /**
     * Id of a model in the folder beside this one's that judges every picture first (its manifest has `gate`): what
     * is no picture of the kind that this model reads is refused.
     */
    gate: modelId.optional(),
    /**
     * For models of stained sections: a picture without colour (one channel, or three that are equal) is refused. Without it one
     * channel is repeated.
     */
    colour: z.literal('required').optional(),
    /**
     * The model was made for images that a network drew or translated from another modality. Without it, what says that it
     * was synthesised (`src/dicom/synthesis.ts`) is refused: what such a picture shows need not be in the patient.
     */
    synthesised: z.literal(true).optional(),
  }),
  output: z.strictObject({
    activation: z.enum(['none', 'sigmoid', 'softmax']),
    /**
     * What the graph's last tensor is: `logits` (the engine applies `activation`), `probability` (already applied), or, for
     * counts, `density`: a channel a target as `counting` says, with activation none.
     */
    gives: z.enum(['logits', 'probability', 'density']),
    targets: z.array(targetSchema).min(1),
    /** For labelmaps: keep at most this many connected components of each target, the largest first; of a volume, across its slices. */
    keepLargestComponents: z.number().int().positive().optional(),
    /**
     * For labelmaps of planes: the mask falls into objects, which are counted and measured. `edge` is the label of the target
     * that is the edge of objects: it is drawn over the others where it reaches its operating point, and nowhere else, and
     * parts objects that touch. An object has at least `minimumPixels`; a part within the edges that has fewer than
     * `minimumMarkerPixels` makes none of its own. Of masks of whole pictures, not of slides.
     */
    instances: z.strictObject({
      edge: z.string().min(1).optional(),
      minimumPixels: z.number().int().positive(),
      minimumMarkerPixels: z.number().int().positive(),
    }).optional(),
    /** For labelmaps: less than this share of the picture in all targets together is refused as implausible, never shown. */
    minimumFraction: z.number().gt(0).lt(1).optional(),
    /** For counts, which need it. */
    counting: countingSchema.optional(),
    /** For scores. */
    calibration: calibration.optional(),
    /**
     * For scores: each probability p is shown so that its target's operating point t comes to lie at 0.5, as
     * torchxrayvision does: p / (2t) below t, else 1 − (1 − p) / (2(1 − t)). A target without one was not tested by
     * its authors: it stays as it is and never counts as present.
     */
    operatingPointNormalisation: z.literal('torchxrayvision').optional(),
  }),
  gate: gateSchema.optional(),
  training: trainingRecord.optional(),
  recalibration: recalibrationRecord.optional(),
  algorithm: z.strictObject({ family: codedConceptSchema, name: z.string().min(1).max(64) }),
  license: z.string().min(1),
  citation: z.string().min(1),
  intendedUse: z.string().min(1),
  /** The plain line that stands with every result. */
  notice: z.string().min(1),
});

export const manifestSchema = manifestShape.superRefine((m, context) => {
  const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  const wanted = m.input.layout === 'NHWC' ? 3 : 4;
  if (m.input.shape.length !== wanted) issue(['input', 'shape'], `expected ${wanted} numbers for layout ${m.input.layout}, got ${m.input.shape.length}`);
  if (m.input.shape.at(-1) !== m.input.channels.length) issue(['input', 'channels'], `expected ${m.input.shape.at(-1)} names, one a channel of input.shape, got ${m.input.channels.length}`);
  if (m.input.valueRange[0] >= m.input.valueRange[1]) issue(['input', 'valueRange'], 'expected min below max');
  const n = m.input.normalisation;
  if (n.kind === 'percentile' && n.low >= n.high) issue(['input', 'normalisation'], 'expected low below high');
  if (n.kind === 'window' && n.min >= n.max) issue(['input', 'normalisation'], 'expected min below max');
  if (m.graph.format === 'onnx' && m.input.layout !== 'NHWC') issue(['input', 'layout'], 'expected NHWC with graph.format onnx');
  if (m.graph.precision === 'float16-allowed' && (m.graph.format !== 'layers' || m.input.layout !== 'NHWC')) issue(['graph', 'precision'], 'expected float16-allowed with graph.format layers and layout NHWC only: others have no plan in float16');
  checkVolume(m, issue);
  checkScores(m, issue);
  checkTiling(m, issue);
  checkInstances(m, issue);
  checkCounting(m, issue);
  checkViews(m, issue);
  checkModalities(m, issue);
  if (!(m.graph.url in m.graph.sha256)) issue(['graph', 'sha256'], `expected an entry for ${m.graph.url}`);
});

type Shape = z.infer<typeof manifestShape>;
type OnIssue = (path: string[], message: string) => void;

/** A field that the task would not heed is refused: it would be ignored in silence. */
function checkScores({ task, output }: Shape, issue: OnIssue): void {
  const { activation, gives, targets, calibration: c, operatingPointNormalisation } = output;
  if (task === 'segment' && c) issue(['output', 'calibration'], 'expected none for the task segment');
  if (task === 'segment' && operatingPointNormalisation) issue(['output', 'operatingPointNormalisation'], 'expected none for the task segment');
  if (c && gives !== 'logits') issue(['output', 'calibration'], 'expected none where output.gives is probability: it works on logits');
  if (c?.kind === 'platt' && activation !== 'sigmoid') issue(['output', 'calibration'], 'expected kind temperature where output.activation is not sigmoid');
  if (c?.kind === 'platt' && c.targets.length !== targets.length) issue(['output', 'calibration', 'targets'], `expected ${targets.length} pairs, one a target, got ${c.targets.length}`);
  if (operatingPointNormalisation && activation !== 'sigmoid') issue(['output', 'operatingPointNormalisation'], 'expected output.activation sigmoid with it');
}

function checkVolume({ task, input, output }: Shape, issue: OnIssue): void {
  const volume = input.layout === 'NDHWC';
  if ((input.fit === 'conform') !== volume) issue(['input', 'fit'], volume ? "expected 'conform' with layout NDHWC" : "expected 'conform' with layout NDHWC only");
  if ((input.grid !== undefined) !== volume) issue(['input', 'grid'], volume ? 'expected the axes and spacingMm of the volume with layout NDHWC' : 'expected none with layout NHWC');
  if (!volume) return;
  if (task !== 'segment') issue(['task'], `expected segment with layout NDHWC, got ${task}`);
  if (input.channels.length !== 1) issue(['input', 'channels'], `expected one channel with layout NDHWC, got ${input.channels.length}`);
  if (output.targets.length > 254) issue(['output', 'targets'], `expected at most 254, got ${output.targets.length}`);
}

function checkInstances({ task, input, output }: Shape, issue: OnIssue): void {
  const { instances, targets, activation } = output;
  if (!instances) return;
  if (task !== 'segment' || input.layout !== 'NHWC') issue(['output', 'instances'], 'expected none but for the task segment with layout NHWC');
  const { edge } = instances;
  if (edge === undefined) return;
  if (activation !== 'sigmoid') issue(['output', 'instances', 'edge'], 'expected output.activation sigmoid with it: an edge lies within its object');
  if (targets.length < 2 || !targets.some(({ label }) => label === edge)) issue(['output', 'instances', 'edge'], `expected one of several labels of output.targets (${targets.map(({ label }) => label).join(', ')}), got ${edge}`);
}

function checkCounting({ task, input, output }: Shape, issue: OnIssue): void {
  const { counting: c, targets, activation, gives } = output;
  if (input.colour && input.channels.join() !== 'red,green,blue') issue(['input', 'colour'], 'expected none but with the channels red, green, blue');
  if ((gives === 'density') !== (task === 'count')) issue(['output', 'gives'], task === 'count' ? 'expected density for the task count' : `expected logits or probability for the task ${task}`);
  if ((c !== undefined) !== (task === 'count')) issue(['output', 'counting'], task === 'count' ? 'expected how outputs are counts, for the task count' : `expected none for the task ${task}`);
  if (task !== 'count' || !c) return;
  if (!input.tiling) issue(['input', 'tiling'], 'expected it for the task count: a picture that is scaled to fit has other cells');
  if (activation !== 'none') issue(['output', 'activation'], 'expected none for the task count');
  if (output.keepLargestComponents !== undefined) issue(['output', 'keepLargestComponents'], 'expected none for the task count');
  if (output.minimumFraction !== undefined) issue(['output', 'minimumFraction'], 'expected none for the task count');
  if (output.calibration || output.operatingPointNormalisation) issue(['output'], 'expected no calibration and no operatingPointNormalisation for the task count');
  if (targets.length > 255) issue(['output', 'targets'], `expected at most 255, got ${targets.length}`);
  if ((c.field !== undefined) !== (c.kind === 'redundant')) issue(['output', 'counting', 'field'], c.kind === 'redundant' ? 'expected the side of the receptive field with kind redundant' : 'expected none with kind density');
  const { interval } = c;
  if (!interval) return;
  if (interval.classes && interval.classes.length !== targets.length) issue(['output', 'counting', 'interval', 'classes'], `expected ${targets.length}, one a target, got ${interval.classes.length}`);
  if (c.kind !== 'redundant' && [interval, ...(interval.classes ?? [])].some(({ spread }) => spread !== undefined)) issue(['output', 'counting', 'interval'], 'expected no spread with kind density: it counts every cell once');
}

function checkTiling({ task, input, graph }: Shape, issue: OnIssue): void {
  if (input.spacingMm !== undefined && !input.tiling) issue(['input', 'spacingMm'], 'expected none without input.tiling: a picture that is fitted has no spacing of its own');
  if (input.tissue && (!input.tiling || input.channels.length !== 3)) issue(['input', 'tissue'], 'expected none without input.tiling and three channels');
  if (!input.tiling) return;
  if (task !== 'segment' && task !== 'count') issue(['input', 'tiling'], `expected none for the task ${task}`);
  if (input.layout !== 'NHWC') issue(['input', 'tiling'], 'expected none with layout NDHWC');
  if (graph.format !== 'layers') issue(['input', 'tiling'], 'expected graph.format layers with it: a receptive field is computed from layers');
}

function checkViews({ task, input, output, gate }: Shape, issue: OnIssue): void {
  if (input.fusion && task !== 'classify') issue(['input', 'fusion'], `expected none for the task ${task}`);
  if (input.fusion && input.viewPosition) issue(['input', 'viewPosition'], 'expected none with input.fusion: it reads PA, AP and lateral views');
  if (input.fusion && input.layout !== 'NHWC') issue(['input', 'fusion'], 'expected none with layout NDHWC');
  if (!gate) return;
  if (task !== 'classify' || output.activation !== 'softmax') issue(['gate'], 'expected the task classify with activation softmax');
  if (input.gate) issue(['input', 'gate'], 'expected none in a gate');
  const labels = output.targets.map(target => target.label);
  for (const label of [gate.frontal, gate.lateral, ...Object.keys(gate.faults)]) {
    if (!labels.includes(label)) issue(['gate'], `expected labels of output.targets (${labels.join(', ')}), got ${label}`);
  }
}

function checkModalities({ task, input: { modalities, fusion, tiling, layout, channels, fit, gate } }: Shape, issue: OnIssue): void {
  if (!modalities) return;
  if (task !== 'segment') issue(['input', 'modalities'], `expected none for the task ${task}`);
  if (new Set(modalities).size !== modalities.length) issue(['input', 'modalities'], 'expected each name once');
  if (fusion || tiling || gate) issue(['input', 'modalities'], 'expected none with input.fusion, input.tiling or input.gate');
  if (layout !== 'NHWC' || channels.length !== 1) issue(['input', 'modalities'], 'expected one channel and layout NHWC with it: an input a modality');
  if (fit !== 'letterbox') issue(['input', 'fit'], 'expected letterbox with input.modalities');
}

export type ModelManifest = z.infer<typeof manifestSchema>;
export type Target = z.infer<typeof targetSchema>;
export type InputSpec = ModelManifest['input'];

/** The names of a graph's inputs, in the order in which it is fed; undefined for a graph of one input, whatever its name. */
export function inputNames({ input: { fusion, modalities } }: ModelManifest): readonly string[] | undefined {
  if (modalities) return [...modalities, 'present'];
  if (!fusion) return undefined;
  return fusion === 'hemis' ? ['PA', 'L', 'present'] : ['PA', 'L'];
}

/** How many of a graph's last output tensors are read. */
export function outputsRead({ gate, input: { fusion } }: ModelManifest): number {
  if (gate) return 2;
  return fusion === 'auxloss' ? 3 : 1;
}

/**
 * Checks a manifest that came from outside.
 * @param where its address, for the message
 * @throws OverreadError `model/manifest`, naming every field that is wrong
 */
export function parseManifest(json: unknown, where: string): ModelManifest {
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(i => `${i.path.join('.') || 'manifest'}: ${i.message}`);
  throw new OverreadError(
    'model/manifest',
    `The manifest ${where} does not fit the schema: ${problems.join('; ')}. Mend these fields and load the model again.`,
    { expected: 'manifest schema version 1', got: problems, where },
  );
}
