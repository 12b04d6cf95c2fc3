import type { SynthesisRule } from '../dicom/synthesis.ts';
import type { TilesJob, TilesListener } from '../engine.ts';
import type { Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import type { DeviceDescription, ModelIdentity, Result } from '../results/result.ts';
import type { TiledResult } from '../results/tiled-result.ts';
import type { SaliencyRequest, SaliencyResult } from '../tasks/saliency/index.ts';

/** A model that stands ready on a device: all that the commands need of the engine. */
export interface ModelRunner {
  readonly manifest: ModelManifest;
  readonly identity: ModelIdentity;
  readonly device: DeviceDescription;
  /** Of the site, on what was synthesised: for those who read its images. */
  readonly synthesisRules?: readonly SynthesisRule[];
  /** @param images one, or the views of one study; `force`: this once, whatever the command line says */
  run(images: readonly Image[], options?: { readonly force?: boolean }): Promise<Result>;
  close(): Promise<void>;
}

/** One that also says where a score came from, and how the model describes a picture to itself. */
export interface ExplainingRunner extends ModelRunner {
  /** What the model's last layer reads. @throws OverreadError `model/graph` of a model that is not made of layers */
  features(images: readonly Image[]): Promise<Float32Array>;
  explain(images: readonly Image[], request: SaliencyRequest): Promise<readonly SaliencyResult[]>;
}

/** One that also reads slides, tile by tile. */
export interface TilesRunner extends Pick<ModelRunner, 'manifest' | 'identity' | 'device'> {
  /** @throws OverreadError `job/cancelled` after {@link stop} */
  runTiles(job: Pick<TilesJob, 'source' | 'done' | 'readGlass'>, listener: TilesListener): Promise<TiledResult>;
  /** Ends what is running. */
  stop(): void;
}
