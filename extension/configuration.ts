import { z } from 'zod';
import { OverreadError } from '../src/errors.ts';

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
  /** Models that run once on each study that is opened; none when absent. */
  readonly autoRun?: AutoRun;
}

export interface AutoRun {
  readonly models: readonly string[];
  /** DICOM modalities of the images that start it. */
  readonly modalities: readonly string[];
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

const schema = z.strictObject({
  models: z.union([folder, z.array(folder).min(1)]).optional(),
  allowedModels: z.array(modelId).optional(),
  allowSoftwareAdapter: z.boolean().optional(),
  defaultOverlay: overlayStyleSchema.optional(),
  defaultModel: modelId.optional(),
  autoRun: z.strictObject({
    models: z.array(modelId).min(1),
    modalities: z.array(z.string().regex(/^[A-Z0-9_ ]{1,16}$/, 'expected a DICOM modality such as DX')).min(1).optional(),
  }).optional(),
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
  const { models = './models/', allowedModels, allowSoftwareAdapter = false, defaultOverlay, defaultModel, autoRun } = parsed.data;
  if (defaultModel && allowedModels && !allowedModels.includes(defaultModel)) {
    throw invalid([`overread.defaultModel: expected one of overread.allowedModels (${allowedModels.join(', ')}), got ${defaultModel}`]);
  }
  const barred = autoRun?.models.filter(id => allowedModels && !allowedModels.includes(id)) ?? [];
  if (allowedModels && barred.length > 0) {
    throw invalid([`overread.autoRun.models: expected some of overread.allowedModels (${allowedModels.join(', ')}), got ${barred.join(', ')}`]);
  }
  return {
    models: [models].flat().map((address, i) => catalogueFolder(address, pluginUrl, i)),
    allowSoftwareAdapter,
    defaultOverlay: { ...DEFAULT_OVERLAY, ...defaultOverlay },
    ...(allowedModels && { allowedModels }),
    ...(defaultModel && { defaultModel }),
    ...(autoRun && { autoRun: { models: [...new Set(autoRun.models)], modalities: autoRun.modalities ?? RADIOGRAPHS } }),
  };
}

/** What is used while the configuration is refused: its defaults, so that the panel can say what is wrong. */
export function defaultConfiguration(pluginUrl: string): Configuration {
  return parseConfiguration({}, pluginUrl);
}

function catalogueFolder(address: string, pluginUrl: string, index: number): string {
  let url: URL;
  try {
    url = new URL(address.endsWith('/') ? address : `${address}/`, pluginUrl);
  } catch {
    throw invalid([`overread.models[${index}]: expected an address, got ${JSON.stringify(address)}`]);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid([`overread.models[${index}]: expected an http or https address, got ${JSON.stringify(address)}`]);
  }
  return url.href;
}

function describe(issue: z.core.$ZodIssue): string[] {
  const path = (...more: PropertyKey[]) => ['overread', ...issue.path, ...more].map(String).join('.');
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => `${path(key)}: no such setting`);
  return [`${path()}: ${issue.message}`];
}

function invalid(problems: readonly string[]): OverreadError {
  return new OverreadError(
    'config/invalid',
    `The viewer's configuration of Overread is refused: ${problems.join('; ')}. Mend app-config.js and reload the page.`,
    { expected: 'models, allowedModels, allowSoftwareAdapter, defaultOverlay, defaultModel, autoRun', got: problems },
  );
}
