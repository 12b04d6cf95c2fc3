import fs from 'node:fs/promises';
import { DataSet } from '../dicom/data-set.ts';
import type { DicomJson } from '../dicom/dicomjson.ts';
import type { Part10 } from '../dicom/elements.ts';
import { JsonSet } from '../dicom/json-set.ts';
import { frameBytes } from '../dicom/native.ts';
import { PIXEL_DATA, readFileHeader, readRange } from '../dicom/node-header.ts';
import { readPixelFormat } from '../dicom/pixel-format.ts';
import { OverreadError } from '../errors.ts';
import type { FrameReader } from './slide/frames.ts';

/** Instances of a slide in files: their headers in memory, their frames read from the disk as they are wanted. */
export interface SlideFiles extends FrameReader {
  readonly instances: readonly DicomJson[];
  close(): Promise<void>;
}

/**
 * Opens the files of a slide.
 * @param names paths of Part 10 files
 * @throws OverreadError `input/*`, of the first file that cannot be opened
 */
export async function openSlideFiles(names: readonly string[]): Promise<SlideFiles> {
  const files = new Map<string, SlideFile>();
  const close = async () => void (await Promise.all([...files.values()].map(file => file.close())));
  try {
    for (const name of names) {
      const file = await SlideFile.open(name);
      files.set(file.sopInstanceUID, file);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    instances: [...files.values()].map(({ json }) => json),
    async frame(sopInstanceUID, frameNumber) {
      const file = files.get(sopInstanceUID);
      if (!file) throw new OverreadError('internal', `Expected an instance of the slide, got ${sopInstanceUID}. Please report this.`, { got: sopInstanceUID });
      return { bytes: await file.frame(frameNumber), transferSyntaxUID: file.transferSyntaxUID };
    },
    close,
  };
}

const ITEM = 0xe000fffe;
const UNDEFINED = 0xffffffff;

class SlideFile {
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
  readonly #frames: number;
  #starts: Promise<readonly number[]> | undefined;

  private constructor(
    private readonly name: string,
    private readonly handle: fs.FileHandle,
    readonly json: DicomJson,
    private readonly part10: Part10,
    /** Of the pixel data's value. */
    private readonly at: number,
    private readonly length: number,
  ) {
    const set = new JsonSet(json);
    this.sopInstanceUID = set.string('00080018') ?? name;
    this.transferSyntaxUID = part10.transferSyntaxUID;
    this.#frames = set.number('00280008', 'NumberOfFrames') ?? 1;
  }

  static async open(name: string): Promise<SlideFile> {
    const handle = await opened(name);
    try {
      const { part10, json, pixelElementAt } = await readFileHeader(handle, name);
      const header = await readRange(handle, pixelElementAt, part10.explicit ? 12 : 8, name);
      const length = new DataView(header.buffer).getUint32(header.length - 4, part10.littleEndian);
      return new SlideFile(name, handle, json, part10, pixelElementAt + header.length, length);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** @param frame from 1 */
  async frame(frame: number): Promise<Uint8Array> {
    if (frame < 1 || frame > this.#frames) throw new OverreadError('input/refused', `Expected a frame from 1 to ${this.#frames} of ${this.name}, got ${frame}.`, { expected: this.#frames, got: frame });
    if (this.length !== UNDEFINED) {
      const size = frameBytes(readPixelFormat(new JsonSet(this.json), { tag: PIXEL_DATA }));
      if (frame * size > this.length) throw new OverreadError('input/truncated', `Expected ${this.#frames * size} bytes of pixels in ${this.name}, got ${this.length}. Fetch the file again.`, { expected: this.#frames * size, got: this.length });
      return readRange(this.handle, this.at + (frame - 1) * size, size, this.name);
    }
    const starts = await (this.#starts ??= this.#index());
    return this.#fragments(starts[frame - 1]!, starts[frame] ?? Infinity);
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  /** Where the first item of each frame begins: by an offset table, else by going from item to item. */
  async #index(): Promise<readonly number[]> {
    const table = await this.#item(this.at);
    if (table === undefined) throw this.#broken(`an offset table at byte ${this.at}`);
    const first = this.at + 8 + table;
    const extended = new DataSet(this.part10.bytes, this.part10.littleEndian, this.part10.elements).longWords('7FE00001');
    const basic = extended.length > 0 ? [] : Array.from(new Uint32Array((await readRange(this.handle, this.at + 8, table - (table % 4), this.name)).buffer));
    const offsets = extended.length > 0 ? extended : basic;
    // A basic table's offsets begin anew after 4 GiB: such a table is not believed.
    const sound = offsets.length === this.#frames && offsets[0] === 0 && offsets.every((offset, i) => i === 0 || offset > offsets[i - 1]!);
    return sound ? offsets.map(offset => first + offset) : this.#walk(first);
  }

  async #walk(first: number): Promise<readonly number[]> {
    const items: number[] = [];
    for (let at = first; ;) {
      const length = await this.#item(at);
      if (length === undefined) break;
      items.push(at);
      at += 8 + length;
    }
    if (items.length === this.#frames) return items;
    if (this.#frames === 1 && items.length > 0) return items.slice(0, 1);
    const starts: number[] = [];
    for (const at of items) {
      const [a, b] = await readRange(this.handle, at + 8, 2, this.name);
      if (a === 0xff && (b === 0xd8 || b === 0x4f)) starts.push(at);
    }
    if (starts.length === this.#frames) return starts;
    throw new OverreadError('input/inconsistent', `Without an offset table, ${items.length} fragments of ${this.name} cannot be shared out among ${this.#frames} frames (${starts.length} of them begin a stream). Convert the file.`,
      { expected: this.#frames, got: { fragments: items.length, streams: starts.length } });
  }

  async #fragments(start: number, end: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let at = start; at < end;) {
      const length = await this.#item(at);
      if (length === undefined) break;
      parts.push(await readRange(this.handle, at + 8, length, this.name));
      at += 8 + length;
      // Of the last frame the end is not known but by the delimiter.
    }
    if (parts.length === 0) throw this.#broken(`a fragment at byte ${start}`);
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** The length of the item that begins here; undefined at the sequence's end. */
  async #item(at: number): Promise<number | undefined> {
    const view = new DataView((await readRange(this.handle, at, 8, this.name)).buffer);
    return view.getUint32(0, true) === ITEM ? view.getUint32(4, true) : undefined;
  }

  #broken(expected: string): OverreadError {
    return new OverreadError('input/inconsistent', `Expected ${expected} of ${this.name}, got something else. Fetch the file again.`, { expected, file: this.name });
  }
}

async function opened(name: string): Promise<fs.FileHandle> {
  try {
    return await fs.open(name);
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new OverreadError('input/unreadable', `Expected a slide in ${name}, but it cannot be read (${got}). Check the path.`, { expected: 'a file', got, file: name }, error);
  }
}
