import type { MrModality } from '../dicom/mr.ts';
import type { ImageReference, SourceReference } from '../image/image.ts';
import type { KnownModality } from '../image/modality.ts';
import type { View, ViewSource } from '../image/view.ts';
import type { Target } from '../manifest.ts';
import type { Instances } from './instances.ts';
import type { PointsResult } from './points.ts';
import type { ProbabilityPlanes } from './probability-planes.ts';
import type { SaliencyDetails } from './saliency.ts';

/** What is known of the device that a result was computed on: what was got, never what was asked for. */
export interface DeviceDescription {
  readonly backend: 'webgpu' | 'webgl' | 'wasm' | 'cpu';
  /** The adapter as the browser names it ('nvidia hopper', 'google swiftshader'); the SIMD and thread state on wasm. */
  readonly adapter: string;
  /** True for a software rasteriser such as SwiftShader or llvmpipe. */
  readonly software: boolean;
  /** Why this backend and not a better one, in words for the user: 'WebGPU: no adapter; WebGL: software only'. */
  readonly reason: string;
}

/** Identity of the weights: the manifest's id and version, and one SHA-256 over the model's files and manifest. */
export interface ModelIdentity {
  readonly id: string;
  readonly version: string;
  readonly name: string;
  readonly sha256: string;
  readonly notice: string;
}

/** Milliseconds of each stage; `load` is 0 when the model was in memory. */
export interface Timing {
  readonly load: number;
  /** Of the model that judges the pictures first; absent where there is none. */
  readonly gate?: number;
  readonly encode: number;
  readonly predict: number;
  readonly decode: number;
}

/** How far the image is from those that the model was made for. */
export interface OutOfDistribution {
  readonly score: number;
  /** Above it, the image is refused. */
  readonly threshold: number;
  /** True in a result: the user asked for it all the same. */
  readonly refused: boolean;
  /** Why it was refused, for the user. */
  readonly reason?: string;
}

/** What every result says of how it was made. */
export interface ResultBase {
  readonly model: ModelIdentity;
  readonly device: DeviceDescription;
  readonly source: ImageReference;
  readonly timingMs: Timing;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** Absent where the model has no gate. Of several pictures, that of the worst. */
  readonly outOfDistribution?: OutOfDistribution;
}

export interface Segment {
  readonly target: Target;
  /** Value in `labels`, from 1. */
  readonly segmentNumber: number;
  readonly pixels: number;
  /** Single planes with known spacing. */
  readonly areaMm2?: number;
  /** Volumes with known spacing. */
  readonly volumeMm3?: number;
  /** The probability at and above which a pixel is of it; absent where no single one decides. */
  readonly threshold?: number;
}

/** One integer a source pixel; 0 is background. `labels` has columns·rows·slices values, laid out as the image. */
export interface LabelmapResult extends ResultBase {
  readonly kind: 'labelmap';
  readonly labels: Uint8Array;
  readonly segments: readonly Segment[];
  /** Of a model whose manifest asks for objects (`output.instances`). */
  readonly instances?: Instances;
  /** Lets thresholds be moved; absent where none decides, or where it would be too large. */
  readonly probabilities?: ProbabilityPlanes;
  /** When a reader last changed the mask by hand, ISO 8601, UTC; absent where it is as the model gave it. */
  readonly editedAt?: string;
  /** Of a model that reads several MR modalities. */
  readonly modalities?: ModalitiesReport;
}

/** Which MR modalities were there, how each is known, and how it came to the grid of the result. */
export interface ModalitiesReport {
  /** In the order of the manifest. */
  readonly used: readonly UsedModality[];
  readonly missing: readonly MrModality[];
}

export interface UsedModality extends KnownModality {
  readonly source: ImageReference;
  readonly placement: ModalityPlacement;
}

/**
 * How a series was laid on the result's grid: it is the grid, or has the same one; by the geometry that it states; or by
 * a rigid registration, since it does not state the same frame of reference.
 */
export type ModalityPlacement =
  | { readonly kind: 'reference' | 'same grid' }
  | { readonly kind: 'resampled'; readonly covered: number }
  | { readonly kind: 'registered'; readonly covered: number; readonly registration: RegistrationQuality };

export interface RegistrationQuality {
  /** How far the outcomes of two registrations from different samples lie apart within the head, mm: the mean of both. */
  readonly repeatabilityMm: number;
  /** Mutual information in nats, as the series lay and as they were laid. */
  readonly mutualInformation: { readonly before: number; readonly after: number };
  /** How far the centre of the reference moved, mm, and by how much the series was turned, degrees. */
  readonly movedMm: number;
  readonly turnedDegrees: number;
}

export interface Score {
  readonly target: Target;
  /** As the network gave it, before any calibration. */
  readonly logit: number;
  /** Calibrated where the manifest says how; where it normalises by operating points, 0.5 is the operating point. */
  readonly probability: number;
  /** On the scale of `probability`; absent where the manifest states none. */
  readonly operatingPoint?: number;
  /** At or above the operating point. Where none is stated: the likeliest class of a softmax, else 0.5 and above. */
  readonly positive: boolean;
  /** The probability by each view alone and by all together; none where the view is not known. */
  readonly views: { readonly [V in View | 'fused']?: number };
}

export interface ScoresResult extends ResultBase {
  readonly kind: 'scores';
  /** In the order of the manifest's targets. */
  readonly scores: readonly Score[];
  readonly viewsUsed: readonly View[];
  /** Views that the model reads and that were not there. */
  readonly viewsMissing: readonly View[];
  /** How each of `viewsUsed` is known. */
  readonly viewsFrom: { readonly [V in View]?: ViewSource };
  /** What stood in for a missing view, in words for the user. */
  readonly substitute?: string;
  /** Each view's picture, where the model reads two; `source` is the first of them. */
  readonly viewSources?: { readonly [V in View]?: ImageReference };
}

/** A value a source pixel, laid out as the image; `range` is what a colour map spans. */
export interface HeatmapResult extends ResultBase {
  readonly kind: 'heatmap';
  readonly values: Float32Array;
  readonly range: readonly [min: number, max: number];
  readonly target: Target;
  /** Which view's picture it lies on, where the model reads two. */
  readonly view?: View;
  /** Of a map that says where a score came from: how it was made. */
  readonly saliency?: SaliencyDetails;
}

export type Result = LabelmapResult | ScoresResult | HeatmapResult | PointsResult;
export type ResultKind = Result['kind'];
export type ResultOf<K extends ResultKind> = Extract<Result, { kind: K }>;

/** Every picture that a result was made from. */
export function sourcesOf(result: Result): readonly SourceReference[] {
  if (result.kind === 'labelmap' && result.modalities) {
    const others = result.modalities.used.filter(({ placement }) => placement.kind !== 'reference');
    return [result.source, ...others.map(({ source }) => source)].flatMap(({ sources }) => sources);
  }
  if (result.kind !== 'scores' || !result.viewSources) return result.source.sources;
  return Object.values(result.viewSources).flatMap(({ sources }) => sources);
}
