/**
 * The engine's only public door. Nothing here runs when it is imported, and tfjs comes with the first device, so that
 * a viewer's first load stays small.
 */
export * from './errors.ts';
export * from './dicom/index.ts';
export * from './image/index.ts';
export * from './manifest.ts';
export type * from './results/points.ts';
export type * from './results/result.ts';
export type * from './results/saliency.ts';
export type * from './results/tiled-result.ts';
export type { Backend, Disposable, GradientModel, LoadedModel, ModelFiles, OnProgress, Progress, Runtime, RuntimeOptions } from './runtime/types.ts';
export type { Encoded, Finding, FindingOf, Placement, Task } from './tasks/task.ts';

export { COLOUR_TABLES, colourTable, heatmapRgba, type ColourTableName, type HeatmapColours } from './results/heatmap-colours.ts';
export { connectEngine, type CallOptions, type EngineClient, type EngineExplainJob, type EngineJob } from './engine-client.ts';
export type { WorkerOptions } from './engine-protocol.ts';
export type { EngineSlideJob, SlideCallOptions, SlideRun } from './engine-slides.ts';
export type { EngineTrainingJob, TrainingCallOptions, TrainingRun } from './engine-training.ts';
export type { FineTuned, FineTuneEvent, TrainingReport } from './fine-tune.ts';
export { Engine, type EngineFineTuneJob, type EngineOptions, type ExplainJob, type Job, type SlideInput, type TilesJob, type TilesListener } from './engine.ts';
export { explain, type ExplainOptions } from './explain.ts';
export { infer, type InferOptions } from './infer.ts';
export { runTiles, type RunTilesOptions } from './run-tiles.ts';
export { createRuntime } from './runtime/runtime.ts';
export { httpFiles } from './runtime/http-files.ts';
export { readManifest, readVerified, type VerifiedModel } from './runtime/verified.ts';
export { TASKS, taskOf } from './tasks/index.ts';
export { SALIENCY_METHODS, type SaliencyRequest, type SaliencyResult } from './tasks/saliency/index.ts';
export { buildHemisUNet, type HemisUNetOptions } from './architectures/hemis-unet.ts';
export { buildUNet, type UNetOptions } from './architectures/unet.ts';
