/** One frame as it is stored: coded bytes, and how they are coded. */
export interface EncodedFrame {
  readonly bytes: Uint8Array;
  /**
   * Of these bytes: a server may send another than the stored one. Absent where the sender does not say; then
   * it is what the instance states, or is told by how the bytes begin.
   */
  readonly transferSyntaxUID?: string;
}

/** Gives the frames of a slide's instances one by one, whatever holds them: files, a PACS, the viewer's cache. */
export interface FrameReader {
  /**
   * @param frameNumber counts from 1, as DICOM does
   * @throws OverreadError `input/*`, `network/*` when this frame cannot be read, `job/cancelled`
   */
  frame(sopInstanceUID: string, frameNumber: number, signal?: AbortSignal): Promise<EncodedFrame>;
}
