/** DICOM attributes, geometry, coded concepts; bytes → typed instance. */
export { codedConceptSchema, type CodedConcept } from './concepts.ts';
export { readImageInstance, type ImageInstance } from './instance.ts';
export { type PixelFormat } from './pixel-format.ts';
export { type Plane } from './functional-groups.ts';
export { directions, stackGeometry, type Slice, type StackGeometry } from './geometry.ts';
export { chooseSpacing, type PixelSpacing, type SpacingAttributes } from './spacing.ts';
export { checkedLinear, type ModalityTransform } from './modality-transform.ts';
export { decodeFrame, type DecodedFrame } from './decode.ts';
export { setCodecLocation } from './codec.ts';
export { TRANSFER_SYNTAXES, transferSyntaxOf, type TransferSyntax } from './transfer-syntaxes.ts';
export { looksLikeDicom, parseDicom } from './parse.ts';
