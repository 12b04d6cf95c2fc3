import { z } from '../src/zod.ts';
import { synthesisRulesSchema } from '../src/dicom/synthesis-rules.ts';
import type { SynthesisRule } from '../src/dicom/synthesis.ts';
import { OverreadError } from '../src/errors.ts';
import type { ResultKind } from '../src/results/result.ts';
import type { AuditEndpoint } from './audit/audit.ts';

/**
 * `window.config.overread`, set by whoever deploys the viewer. Nothing here can be set from the page's address. Unknown
 * keys are refused by their path, so that a misspelt one cannot be ignored in silence.
 */
export interface Configuration {
  /** Catalogue folders: each holds `index.json` and a folder a model. Absolute, with a trailing slash. */
  readonly models: readonly string[];
  /** Ids of the models that users may run; every model of the catalogues when absent. */
  readonly allowedModels?: readonly string[];
  /** Counts a software adapter (SwiftShader, llvmpipe) as a GPU. For tests: it is slower than wasm. */
  readonly allowSoftwareAdapter: boolean;
  readonly defaultOverlay: OverlayStyle;
  /** The model that is chosen when the panel opens. */
  readonly defaultModel?: string;
  /** Models that run once on each study that is opened, by the first rule that fits; none when absent. */
  readonly autoRun?: readonly AutoRunRule[];
  /** What may be stored, and as what. */
  readonly store: StoreSettings;
  /** Where audit records are sent; they are kept in the browser in any case. */
  readonly audit?: AuditEndpoint;
  readonly training: TrainingSettings;
  /** What counts as synthesised beside what says so itself, by the first rule that fits; no rules when absent. */
  readonly synthesised?: readonly SynthesisRule[];
}

/** All that is stated has to fit the image. */
export interface AutoRunRule {
  readonly models: readonly string[];
  /** DICOM modalities of the images that start it. */
  readonly modalities: readonly string[];
  /** Of BodyPartExamined, whatever the case; an image that states none does not fit. */
  readonly bodyParts?: readonly string[];
  /** Words, of which one has to stand in the description of the study or the series, whatever the case. */
  readonly descriptions?: readonly string[];
}

export interface StoreSettings {
  /** Kinds of results that may be stored. */
  readonly results: readonly ResultKind[];
  /** As what a mask is written. */
  readonly segmentation: 'BINARY' | 'LABELMAP';
  /** Whether a Key Object Selection names the images behind each result. */
  readonly keyObjects: boolean;
}

export interface TrainingSettings {
  readonly enabled: boolean;
  /** Who may train, by the name that the viewer knows them by; whoever opens the viewer when absent. */
  readonly users?: readonly string[];
}

export interface OverlayStyle {
  /** 0 invisible … 1 opaque; of the fill, and of the outline when there is no fill. */
  readonly opacity: number;
  readonly style: 'outline' | 'fill';
}

export const overlayStyleSchema = z.strictObject({
  opacity: z.number().min(0).max(1).optional(),
  style: z.enum(['outline', 'fill']).optional(),
});

const modelId = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'expected a model id: lower-case letters, digits and hyphens');
const folder = z.string().min(1);

const rule = z.strictObject({
  models: z.array(modelId).min(1),
  modalities: z.array(z.string().regex(/^[A-Z0-9_ ]{1,16}$/, 'expected a DICOM modality such as DX')).min(1).optional(),
  bodyParts: z.array(z.string().trim().min(1)).min(1).optional(),
  descriptions: z.array(z.string().trim().min(1)).min(1).optional(),
});

const RESULT_KINDS = ['labelmap', 'scores', 'points', 'heatmap'] as const satisfies readonly ResultKind[];

const schema = z.strictObject({
  models: z.union([folder, z.array(folder).min(1)]).optional(),
  modelOrigins: z.array(z.url({ protocol: /^https?$/, error: 'expected an origin such as https://models.example' })).optional(),
  allowedModels: z.array(modelId).optional(),
  allowSoftwareAdapter: z.boolean().optional(),
  defaultOverlay: overlayStyleSchema.optional(),
  defaultModel: modelId.optional(),
  autoRun: z.union([rule, z.array(rule).min(1)]).optional(),
  store: z.strictObject({
    results: z.array(z.enum(RESULT_KINDS)).optional(),
    segmentation: z.enum(['BINARY', 'LABELMAP']).optional(),
    keyObjects: z.boolean().optional(),
  }).optional(),
  audit: z.strictObject({ endpoint: z.string().min(1), format: z.enum(['dicom', 'fhir']) }).optional(),
  training: z.strictObject({ enabled: z.boolean(), users: z.array(z.string().min(1)).optional() }).optional(),
  synthesised: synthesisRulesSchema.optional(),
});

const RADIOGRAPHS: readonly string[] = ['DX', 'CR'];
const DEFAULT_OVERLAY: OverlayStyle = { opacity: 0.8, style: 'outline' };

/**
 * @param raw `appConfig.overread`; absent means the defaults
 * @param pluginUrl the folder that `extension.js` was loaded from: relative catalogue addresses start there
 * @throws OverreadError `config/invalid`, naming every key that is wrong
 */
export function parseConfiguration(raw: unknown, pluginUrl: string): Configuration {
  const parsed = schema.safeParse(raw ?? {});
  if (!parsed.success) throw invalid(parsed.error.issues.flatMap(describe));
  const { models = './models/', modelOrigins, allowedModels, allowSoftwareAdapter = false, defaultOverlay, defaultModel, autoRun, store, audit, training, synthesised } = parsed.data;
  if (defaultModel && allowedModels && !allowedModels.includes(defaultModel)) {
    throw invalid([`overread.defaultModel: expected one of overread.allowedModels (${allowedModels.join(', ')}), got ${defaultModel}`]);
  }
  const rules = autoRun && [autoRun].flat();
  for (const [i, { models: automatic }] of (rules ?? []).entries()) {
    const barred = automatic.filter(id => allowedModels && !allowedModels.includes(id));
    const place = Array.isArray(autoRun) ? `autoRun.${i}` : 'autoRun';
    if (barred.length > 0) throw invalid([`overread.${place}.models: expected some of overread.allowedModels (${allowedModels!.join(', ')}), got ${barred.join(', ')}`]);
  }
  const folders = [models].flat().map((address, i) => `${webAddress(address.endsWith('/') ? address : `${address}/`, pluginUrl, `models[${i}]`)}`);
  const origins = new Set([new URL(pluginUrl).origin, ...(modelOrigins ?? []).map(origin => new URL(origin).origin)]);
  const foreign = modelOrigins ? folders.filter(address => !origins.has(new URL(address).origin)) : [];
  if (foreign.length > 0) throw invalid(foreign.map(address => `overread.models: ${address} lies on none of overread.modelOrigins (${[...origins].join(', ')})`));
  return {
    models: folders,
    allowSoftwareAdapter,
    defaultOverlay: { ...DEFAULT_OVERLAY, ...defaultOverlay },
    store: { results: RESULT_KINDS, segmentation: 'BINARY', keyObjects: false, ...store },
    training: { enabled: true, ...training },
    ...(allowedModels && { allowedModels }),
    ...(defaultModel && { defaultModel }),
    ...(rules && { autoRun: rules.map(({ models: automatic, ...rest }) => ({ modalities: RADIOGRAPHS, ...rest, models: [...new Set(automatic)] })) }),
    ...(synthesised && { synthesised: [synthesised].flat() }),
    ...(audit && { audit: { url: webAddress(audit.endpoint, pluginUrl, 'audit.endpoint'), format: audit.format } }),
  };
}

/** Whether somebody may train, by the name that the viewer knows them by. */
export function mayTrain({ training: { enabled, users } }: Pick<Configuration, 'training'>, user: string | undefined): boolean {
  return enabled && (!users || (user !== undefined && users.includes(user)));
}

/** What is used while the configuration is refused: its defaults, so that the panel can say what is wrong. */
export function defaultConfiguration(pluginUrl: string): Configuration {
  return parseConfiguration({}, pluginUrl);
}

/** @param base where relative addresses start */
function webAddress(address: string, base: string, place: string): string {
  let url: URL;
  try {
    url = new URL(address, base);
  } catch {
    throw invalid([`overread.${place}: expected an address, got ${JSON.stringify(address)}`]);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid([`overread.${place}: expected an http or https address, got ${JSON.stringify(address)}`]);
  }
  return url.href;
}

function describe(issue: z.core.$ZodIssue): string[] {
  const path = (...more: PropertyKey[]) => ['overread', ...issue.path, ...more].map(String).join('.');
  // Of the two forms of a setting, the one whose faults lie deeper is the one that was meant.
  if (issue.code === 'invalid_union') {
    const depth = (faults: readonly z.core.$ZodIssue[]) => Math.max(0, ...faults.map(fault => fault.path.length + Number(fault.code === 'unrecognized_keys')));
    const meant = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0];
    if (meant && depth(meant) > 0) return meant.flatMap(fault => describe({ ...fault, path: [...issue.path, ...fault.path] } as z.core.$ZodIssue));
  }
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => `${path(key)}: no such setting`);
  return [`${path()}: ${issue.message}`];
}

function invalid(problems: readonly string[]): OverreadError {
  return new OverreadError(
    'config/invalid',
    `The viewer's configuration of Overread is refused: ${problems.join('; ')}. Mend app-config.js and reload the page.`,
    { expected: Object.keys(schema.shape).join(', '), got: problems },
  );
}
