import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import zlib from 'node:zlib';
import { readInstance, vrOfTag, type DicomInstance, type DicomJson } from '../../../dicom/dicomjson.ts';
import { readPart10, type ByteRange } from '../../../dicom/elements.ts';
import { OverreadError, toOverreadError } from '../../../errors.ts';
import { readIndexFile, writeIndexFile } from './index-file.ts';

/** An instance on disk: what the index keeps of it in memory. */
export interface StoredInstance extends Omit<DicomInstance, 'dataset'> {
  /** Relative to the store's folder, with forward slashes. */
  readonly file: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** DICOM JSON of the data set as text, with BulkDataURIs relative to the instance. */
  readonly metadata: string;
}

/** A file of the folder that is not served, and why. */
export interface LeftOut {
  readonly file: string;
  readonly error: OverreadError;
}

export type StoreOutcome = 'stored' | 'unchanged';
type Series = Map<string, StoredInstance>;

/** Ours beside the DICOM files: the index, and what is being written. */
const OWN_FOLDER = '.overread';

const inflateRaw = (bytes: Uint8Array): Uint8Array => zlib.inflateRawSync(bytes);

/**
 * DICOM files in a folder and below, found by study, series and instance. The folder is the truth: the index is
 * rebuilt from it when the store is opened, and kept on disk so that only new and changed files are read again. One
 * process owns a store; files that come into the folder otherwise are seen when it is opened the next time.
 */
export class InstanceStore {
  private readonly byStudy = new Map<string, Map<string, Series>>();
  private readonly bySop = new Map<string, StoredInstance>();
  private writing: Promise<unknown> = Promise.resolve();
  private inflated?: { file: string; bytes: Uint8Array };

  private constructor(readonly folder: string) {}

  /**
   * @param report gets the files that are left out, once, where there are any
   * @throws OverreadError `store/invalid` when the folder cannot be made or read
   */
  static async open(folder: string, report: (files: readonly LeftOut[]) => void = () => undefined): Promise<InstanceStore> {
    const store = new InstanceStore(path.resolve(folder));
    try {
      await fs.mkdir(store.folder, { recursive: true });
      const leftOut = await store.scan();
      if (leftOut.length) report(leftOut);
    } catch (cause) {
      if (cause instanceof OverreadError) throw cause;
      throw new OverreadError('store/invalid', `Expected a folder for the DICOM store that can be read, got ${store.folder}: ${messageOf(cause)}.`,
        { got: store.folder }, cause);
    }
    return store;
  }

  get size(): number {
    return this.bySop.size;
  }

  studies(): string[] {
    return [...this.byStudy.keys()];
  }

  series(study: string): string[] {
    return [...(this.byStudy.get(study)?.keys() ?? [])];
  }

  instances(study: string, series?: string): StoredInstance[] {
    const all = this.byStudy.get(study);
    const chosen = series === undefined ? [...(all?.values() ?? [])] : [all?.get(series) ?? new Map<string, StoredInstance>()];
    return chosen.flatMap((s) => [...s.values()]);
  }

  instance(study: string, series: string, sop: string): StoredInstance | undefined {
    return this.byStudy.get(study)?.get(series)?.get(sop);
  }

  dataset(instance: StoredInstance): DicomJson {
    return JSON.parse(instance.metadata) as DicomJson;
  }

  path(instance: StoredInstance): string {
    return path.join(this.folder, ...instance.file.split('/'));
  }

  /** Bytes at a range of {@link DicomInstance}, of the inflated data set where the file is deflated. */
  async read(instance: StoredInstance, [offset, length]: ByteRange): Promise<Uint8Array> {
    if (instance.deflated) {
      if (this.inflated?.file !== instance.file) {
        const { bytes } = readPart10(await fs.readFile(this.path(instance)), { vrOf: vrOfTag, inflateRaw });
        this.inflated = { file: instance.file, bytes };
      }
      return this.inflated.bytes.subarray(offset, offset + length);
    }
    const handle = await fs.open(this.path(instance));
    try {
      const bytes = Buffer.allocUnsafe(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) throw new OverreadError('input/truncated', `${instance.file} has become shorter than it was when it was indexed.`);
        done += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  }

  /**
   * Writes a Part 10 file, whole or not at all. The same bytes again are `unchanged`.
   * @param study what the file's Study Instance UID has to be, where the sender named one
   * @throws OverreadError `input/*` for what is not a whole DICOM file; `store/invalid` when another file with this
   *   SOP Instance UID is there, or the file belongs to another study
   */
  add(bytes: Uint8Array, study?: string): Promise<{ outcome: StoreOutcome; instance: StoredInstance }> {
    const result = this.writing.then(() => this.write(bytes, study));
    this.writing = result.catch(() => undefined);
    return result;
  }

  private async write(bytes: Uint8Array, study?: string): Promise<{ outcome: StoreOutcome; instance: StoredInstance }> {
    const parsed = readInstance(bytes, inflateRaw);
    if (study !== undefined && parsed.studyInstanceUID !== study) {
      throw new OverreadError('store/invalid', `Expected an instance of study ${study}, got one of ${parsed.studyInstanceUID}.`,
        { expected: study, got: parsed.studyInstanceUID });
    }
    const there = this.bySop.get(parsed.sopInstanceUID);
    if (there) {
      const same = there.size === bytes.length && Buffer.compare(await fs.readFile(this.path(there)), bytes) === 0;
      if (same) return { outcome: 'unchanged', instance: there };
      throw new OverreadError('store/invalid',
        `An instance with the SOP Instance UID ${parsed.sopInstanceUID} and other content is stored already; it was kept. Give changed objects a new UID.`,
        { sopInstanceUID: parsed.sopInstanceUID, duplicate: true });
    }
    const file = `${parsed.studyInstanceUID}/${parsed.seriesInstanceUID}/${parsed.sopInstanceUID}.dcm`;
    const target = path.join(this.folder, ...file.split('/'));
    const incoming = path.join(this.folder, OWN_FOLDER, 'incoming', randomUUID());
    await fs.mkdir(path.dirname(incoming), { recursive: true });
    await fs.mkdir(path.dirname(target), { recursive: true });
    try {
      const handle = await fs.open(incoming, 'wx');
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await fs.rename(incoming, target);
    } catch (error) {
      await fs.rm(incoming, { force: true });
      throw error;
    }
    const { size, mtimeMs } = await fs.stat(target);
    const instance = toStored(parsed, { file, size, mtimeMs });
    this.index(instance);
    return { outcome: 'stored', instance };
  }

  /** Writes the index; called when the server closes. What was stored since is indexed again otherwise. */
  async close(): Promise<void> {
    await this.writing;
    await this.saveIndex();
  }

  private async scan(): Promise<LeftOut[]> {
    const leftOut: LeftOut[] = [];
    await fs.rm(path.join(this.folder, OWN_FOLDER, 'incoming'), { recursive: true, force: true });
    const known = await readIndexFile(this.indexFile);
    let changed = false;
    for (const file of await filesUnder(this.folder)) {
      try {
        const { size, mtimeMs } = await fs.stat(path.join(this.folder, file));
        let instance = known.get(file);
        if (instance?.size !== size || instance.mtimeMs !== mtimeMs) {
          instance = toStored(readInstance(await fs.readFile(path.join(this.folder, file)), inflateRaw), { file, size, mtimeMs });
          changed = true;
        }
        const first = this.bySop.get(instance.sopInstanceUID);
        if (first) throw new OverreadError('store/invalid', `${first.file} has the same SOP Instance UID.`);
        this.index(instance);
      } catch (error) {
        leftOut.push({ file, error: toOverreadError(error) });
      }
    }
    if (changed || known.size !== this.size) await this.saveIndex();
    return leftOut;
  }

  private index(instance: StoredInstance): void {
    const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = instance;
    let study = this.byStudy.get(studyInstanceUID);
    if (!study) this.byStudy.set(studyInstanceUID, (study = new Map()));
    let series = study.get(seriesInstanceUID);
    if (!series) study.set(seriesInstanceUID, (series = new Map()));
    series.set(sopInstanceUID, instance);
    this.bySop.set(sopInstanceUID, instance);
  }

  private get indexFile(): string {
    return path.join(this.folder, OWN_FOLDER, 'index.jsonl');
  }

  /** A folder that cannot be written serves all the same; it is only slower to open. */
  private async saveIndex(): Promise<void> {
    await writeIndexFile(this.indexFile, this.bySop.values()).catch(() => undefined);
  }
}

function toStored({ dataset, ...rest }: DicomInstance, file: Pick<StoredInstance, 'file' | 'size' | 'mtimeMs'>): StoredInstance {
  return { ...file, ...rest, metadata: JSON.stringify(dataset) };
}

/** Relative paths, sorted; hidden files and folders, and links to folders, are passed over. */
async function filesUnder(folder: string, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  const entries = await fs.readdir(path.join(folder, prefix), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const name = prefix + entry.name;
    if (entry.isDirectory()) found.push(...(await filesUnder(folder, `${name}/`)));
    else if (entry.isFile() || (await isLinkToFile(path.join(folder, name)))) found.push(name);
  }
  return found;
}

async function isLinkToFile(file: string): Promise<boolean> {
  return fs.stat(file).then((stat) => stat.isFile(), () => false);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
