import fs from 'node:fs';
import path from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { OverreadError } from '../../errors.ts';
import type { Region } from '../../image/tiles.ts';

/** A tile of a mask. */
export interface LoggedTile {
  readonly index: number;
  readonly region: Region;
  readonly labels: Uint8Array;
}

/** A tile in the file. */
interface Kept extends Omit<LoggedTile, 'labels'> {
  readonly offset: number;
  readonly length: number;
}

/** Numbers kept of a tile in memory: a slide has tens of thousands of them. */
const FIELDS = 7;

const FORMAT = 'overread tiles 1';
/** Begins every tile. */
const MARK = 0x4c49544f;
const HEAD = 7 * 4;

/**
 * The tiles of a mask on disk, appended as they are made: what a run that was stopped goes on from. A first line says
 * what run they are of; a tile that was not written whole is cut off when the file is opened again.
 */
export class TileLog {
  /** Of every tile: index, x, y, columns, rows, offset, length. */
  readonly #tiles: number[] = [];
  #end: number;

  private constructor(readonly file: string, private readonly fd: number, begin: number) {
    this.#end = begin;
  }

  /** Begins anew, in place of a file that is there. @throws OverreadError `config/invalid` when it cannot be written */
  static create(file: string, fingerprint: string): TileLog {
    const line = Buffer.from(`${FORMAT} ${fingerprint}\n`);
    return guarded(file, () => {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      const fd = fs.openSync(file, 'w+');
      fs.writeSync(fd, line);
      return new TileLog(file, fd, line.length);
    });
  }

  /**
   * Opens the tiles of a run that was stopped.
   * @throws OverreadError `config/invalid` when there are none, or those of another model, slide or level
   */
  static resume(file: string, fingerprint: string): TileLog {
    if (!fs.existsSync(file)) throw new OverreadError('config/invalid', `Expected the tiles of a run that was stopped at ${file}, found none. Run without --resume, or with the same --out and options as then.`, { expected: file });
    return guarded(file, () => {
      const fd = fs.openSync(file, 'r+');
      const line = Buffer.from(`${FORMAT} ${fingerprint}\n`);
      const head = Buffer.alloc(line.length);
      fs.readSync(fd, head, 0, line.length, 0);
      if (!head.equals(line)) {
        fs.closeSync(fd);
        throw new OverreadError('config/invalid', `The tiles at ${file} are of another model, slide or level. Run without --resume to begin anew.`, { expected: fingerprint, got: head.toString('latin1') });
      }
      const log = new TileLog(file, fd, line.length);
      log.#scan();
      return log;
    });
  }

  get size(): number {
    return this.#tiles.length / FIELDS;
  }

  /** Indices of the tiles that are there. */
  *indices(): Generator<number, void> {
    for (let i = 0; i < this.size; i++) yield this.#tiles[FIELDS * i]!;
  }

  /** The n-th tile of the file, from 0. */
  tile(n: number): Kept {
    const [index, x, y, columns, rows, offset, length] = this.#tiles.slice(FIELDS * n, FIELDS * (n + 1)) as [number, number, number, number, number, number, number];
    return { index, region: { x, y, columns, rows }, offset, length };
  }

  /** @throws OverreadError `config/invalid` when the disk is full */
  append({ index, region: { x, y, columns, rows }, labels }: LoggedTile): void {
    const packed = deflateRawSync(labels, { level: 1 });
    const head = Buffer.alloc(HEAD);
    [MARK, index, x, y, columns, rows, packed.length].forEach((value, i) => head.writeUInt32LE(value, 4 * i));
    guarded(this.file, () => fs.writeSync(this.fd, Buffer.concat([head, packed]), 0, HEAD + packed.length, this.#end));
    this.#tiles.push(index, x, y, columns, rows, this.#end + HEAD, packed.length);
    this.#end += HEAD + packed.length;
  }

  read({ offset, length, region }: Kept): Uint8Array {
    const packed = Buffer.alloc(length);
    fs.readSync(this.fd, packed, 0, length, offset);
    const labels = inflateRawSync(packed, { chunkSize: Math.max(64, region.columns * region.rows) });
    if (labels.length !== region.columns * region.rows) throw new OverreadError('internal', `A tile in ${this.file} has ${labels.length} pixels of ${region.columns * region.rows}. Run without --resume.`, { expected: region, got: labels.length });
    return labels;
  }

  close(): void {
    fs.closeSync(this.fd);
  }

  /** Takes the file away: the mask is made. */
  remove(): void {
    this.close();
    fs.rmSync(this.file);
  }

  #scan(): void {
    const { size } = fs.fstatSync(this.fd);
    const head = Buffer.alloc(HEAD);
    while (this.#end + HEAD <= size) {
      fs.readSync(this.fd, head, 0, HEAD, this.#end);
      const [mark, index, x, y, columns, rows, length] = Array.from({ length: 7 }, (_, i) => head.readUInt32LE(4 * i)) as [number, number, number, number, number, number, number];
      if (mark !== MARK || this.#end + HEAD + length > size) break;
      this.#tiles.push(index, x, y, columns, rows, this.#end + HEAD, length);
      this.#end += HEAD + length;
    }
    fs.ftruncateSync(this.fd, this.#end);
  }
}

function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof OverreadError) throw error;
    throw new OverreadError('config/invalid', `Cannot write ${file}: ${(error as Error).message}. Give a folder with room that can be written.`, { got: file }, error);
  }
}
