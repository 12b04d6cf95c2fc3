/**
 * Every refusal in Overread is an {@link OverreadError}: a `code` that programs branch on, `fields` that
 * say what was expected and what came, and a `message` for a person that ends with what to do about it.
 */
export type ErrorCode =
  // input
  | 'input/unreadable' // not DICOM, PNG or JPEG at all
  | 'input/truncated' // fewer bytes than the header promises
  | 'input/unsupported-transfer-syntax'
  | 'input/no-pixels' // a DICOM object without an image (SR, RTPLAN, ...)
  | 'input/unsupported-pixels' // pixel layout that we do not read
  | 'input/inconsistent' // attributes contradict each other or the pixel data
  | 'input/geometry' // slices that make no volume
  | 'input/refused' // readable, but not what this model reads
  | 'input/views' // pictures that are not one PA and one lateral view of one patient's study
  | 'input/modalities' // series that are not MR modalities of one patient's study, each once, in one space
  | 'input/out-of-distribution' // the model's gate judges the picture unlike what the model was made for
  // models
  | 'model/not-found'
  | 'model/manifest' // manifest fails its schema
  | 'model/corrupt' // SHA-256 differs
  | 'model/graph' // graph and manifest disagree, or the graph does not load
  | 'model/checkpoint' // a checkpoint that is malformed, of a kind we do not read, or that wants code run
  | 'model/output' // NaN or wrong shape from the network
  // devices
  | 'device/unavailable'
  | 'device/limit' // a tensor over the adapter's limits
  | 'device/gpu-error' // uncaptured error or failed error scope
  | 'device/lost'
  // jobs
  | 'job/cancelled'
  | 'job/stale' // what was on screen when the job began is gone
  | 'job/busy'
  // configuration, command line, store, network
  | 'config/invalid'
  | 'cli/usage'
  | 'dataset/invalid'
  | 'network/unreachable'
  | 'network/status'
  | 'store/invalid'
  | 'internal';

export interface ErrorFields {
  readonly expected?: unknown;
  readonly got?: unknown;
  readonly [field: string]: unknown;
}

/** What crosses a worker boundary in place of an {@link OverreadError}. */
export interface SerializedError {
  readonly name: 'OverreadError';
  readonly code: ErrorCode;
  readonly message: string;
  readonly fields: ErrorFields;
}

export class OverreadError extends Error {
  override readonly name = 'OverreadError';
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  /**
   * @param message what was expected, what came, and what to do, in one or two plain sentences
   */
  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.fields = fields;
  }

  toJSON(): SerializedError {
    return { name: this.name, code: this.code, message: this.message, fields: this.fields };
  }
}

/** True for an {@link OverreadError}, of this realm or revived from a worker. */
export function isOverreadError(value: unknown, code?: ErrorCode): value is OverreadError {
  return value instanceof OverreadError && (code === undefined || value.code === code);
}

/** Any thrown value as an {@link OverreadError}; what was not foreseen becomes `internal`, with its cause. */
export function toOverreadError(value: unknown): OverreadError {
  if (value instanceof OverreadError) return value;
  if (value && typeof value === 'object' && (value as SerializedError).name === 'OverreadError') {
    const { code, message, fields } = value as SerializedError;
    return new OverreadError(code, message, fields);
  }
  if (value instanceof DOMException && value.name === 'AbortError') {
    return new OverreadError('job/cancelled', 'The run was cancelled.', {}, value);
  }
  const message = value instanceof Error ? value.message : String(value);
  return new OverreadError('internal', `Unexpected failure: ${message}. Please report this.`, {}, value);
}

/** Throws `job/cancelled` when the signal has been aborted. Called between the stages of a run. */
export function throwIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw new OverreadError('job/cancelled', 'The run was cancelled.');
}
