/** Whole slides: headers of a series → levels → regions, read frame by frame. */
export { chooseLevel, type LevelChoice } from './choose-level.ts';
export { dicomWebFrames, dicomWebInstances, type DicomWebSeries } from './dicomweb-frames.ts';
export type { RequestHeaders } from '../dicomweb-get.ts';
export type { EncodedFrame, FrameReader } from './frames.ts';
export { slidePyramid, type LeftOutImage, type PyramidOptions, type SlideLevel, type SlidePyramid } from './pyramid.ts';
export { slideReference, slideSource, type SlideSourceOptions } from './slide-source.ts';
