/** Bytes, or what a viewer holds, → {@link Image}. */
export * from './image.ts';
export { fillPadding, invertMonochrome1, representableRange, storedRange, type Range } from './modality-values.ts';
export { framesMakeVolume, imageFromInstance, imageOf, stacks, volumeFromInstances, type InstanceOptions } from './instance-image.ts';
export { imageFromFile, kindOfFile, type FileKind } from './file-image.ts';
export { groupSeries, type GroupedInputs, type ImageInput, type InputFile, type RefusedFile } from './group-series.ts';
export { tileSourceOf, type Region, type TileSource } from './tiles.ts';
export * from './slide/index.ts';
