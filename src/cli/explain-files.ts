import { isOverreadError, toOverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import { heatmapPeak } from '../results/heatmap-peak.ts';
import type { HeatmapLook } from '../results/heatmap-picture.ts';
import type { HeatmapResult } from '../results/result.ts';
import type { SaliencyDetails } from '../results/saliency.ts';
import { taskOf } from '../tasks/index.ts';
import type { SaliencyRequest, SaliencyResult } from '../tasks/saliency/index.ts';
import type { Reading } from './image-inputs.ts';
import { statusOf } from './infer-files.ts';
import { refusedEntry, type InferEntry } from './infer-json.ts';
import { writeHeatmap } from './io/heatmap.ts';
import type { ExplainingRunner } from './model-runner.ts';
import { planesOf } from './planes.ts';

/** What `overread explain --json` prints of one map, or of an input that was refused. */
export interface ExplainEntry extends Omit<InferEntry, 'result'> {
  readonly result?: HeatmapJson;
}

export interface HeatmapJson extends SaliencyDetails, Pick<HeatmapResult, 'kind' | 'range' | 'view' | 'outOfDistribution'> {
  readonly target: string;
  /** Pixel indices on the source grid; absent of a map that is nowhere above 0. */
  readonly peak?: readonly [column: number, row: number];
  /** The picture on disk. */
  readonly file: string;
}

export interface ExplainFilesOptions {
  readonly runner: ExplainingRunner;
  readonly request: SaliencyRequest;
  /** Folder for the pictures. */
  readonly out: string;
  readonly look: (details: SaliencyDetails) => HeatmapLook;
  /** Called as each input is done. */
  readonly onDone?: (reading: Reading, entries: readonly ExplainEntry[], index: number) => void;
}

/** Explains a score of image after image; one that fails does not stop the others. */
export async function explainFiles(readings: readonly Reading[], options: ExplainFilesOptions): Promise<{ readonly entries: readonly ExplainEntry[]; readonly status: number }> {
  const all: ExplainEntry[] = [];
  for (const [index, reading] of readings.entries()) {
    const entries = await explainReading(reading, options);
    options.onDone?.(reading, entries, index);
    all.push(...entries);
  }
  return { entries: all, status: statusOf(all) };
}

async function explainReading(reading: Reading, { runner, request, out, look }: ExplainFilesOptions): Promise<ExplainEntry[]> {
  const { manifest, identity, device } = runner;
  const refused = (files: readonly string[], error: unknown): ExplainEntry => {
    const { result: _, ...entry } = refusedEntry(identity, device.backend, files, toOverreadError(error));
    return entry;
  };
  const entries: ExplainEntry[] = [];
  const pictures: { image: Image; file: string }[] = [];
  for (const input of reading.images) {
    try {
      const image = await input.open();
      // Of a study, what the model does not read at all must not keep it from the rest.
      if (reading.images.length > 1) taskOf(manifest).accept([image], manifest);
      pictures.push({ image, file: input.files[0]! });
    } catch (error) {
      entries.push(refused(input.files, error));
    }
  }
  const [first, ...others] = pictures;
  if (!first) return entries;
  const runs = others.length ? [pictures] : planesOf(first.image).map(image => [{ image, file: first.file }]);
  for (const [i, run] of runs.entries()) {
    try {
      for (const map of await runner.explain(run.map(({ image }) => image), request)) {
        const { image, file } = run.find(({ image: { sources } }) => JSON.stringify(sources) === JSON.stringify(map.source.sources)) ?? run[0]!;
        entries.push(entryOf(map, writeHeatmap(map, image, out, file, look(map.saliency))));
      }
    } catch (error) {
      entries.push(refused(reading.files, error));
      if (isOverreadError(error, 'input/refused') && i === 0) break;
    }
  }
  return entries;
}

function entryOf(map: SaliencyResult, file: string): ExplainEntry {
  const { model: { id, version, sha256 }, device, source, timingMs, kind, range, view, outOfDistribution, target, saliency } = map;
  const peak = heatmapPeak(map);
  return {
    model: { id, version, sha256 },
    backend: device.backend,
    sources: source.sources,
    result: { kind, target: target.label, ...(view && { view }), ...saliency, range, ...(peak && { peak }), ...(outOfDistribution && { outOfDistribution }), file },
    timingMs,
  };
}
