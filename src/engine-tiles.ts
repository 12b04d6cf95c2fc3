import * as Comlink from 'comlink';
import type { Answer, SentTiledResult, SentTilesJob, SentUnread, TilesCalls } from './engine-protocol.ts';
import type { TilesJob, TilesListener } from './engine.ts';
import { toOverreadError } from './errors.ts';
import { dicomWebFrames } from './image/slide/dicomweb-frames.ts';
import type { FrameReader } from './image/slide/frames.ts';
import type { TiledResult, UnreadTile } from './results/tiled-result.ts';

/** The worker's half of a job of tiles: its frames are read here or asked of the page, its tiles are handed over. */
export async function tilesThrough(calls: TilesCalls, { slide, series, counts, ...job }: SentTilesJob, run: (job: TilesJob, listener: TilesListener) => Promise<TiledResult>): Promise<SentTiledResult> {
  let told: unknown;
  try {
    const result = await run({ ...job, source: { ...slide, frames: series ? seriesFrames(series, calls) : pageFrames(calls) } }, {
      onProgress: progress => {
        told = Promise.allSettled([told, calls.progress(progress)]);
      },
      onRun: begun => calls.run(begun),
      ...(counts && {
        onCounted: ({ sums, candidates, ...tile }) => {
          const { coordinates, classOf, weights } = candidates;
          return calls.counted(Comlink.transfer({ ...tile, sums, candidates }, [sums.buffer, coordinates.buffer, classOf.buffer, weights.buffer]));
        },
      }),
      onTile: tile => calls.tile('error' in tile ? sent(tile) : Comlink.transfer(tile, [tile.labels.buffer])),
    });
    const { unread, ...rest } = result;
    return { ...rest, unread: unread.map(sent) };
  } finally {
    await told;
    (calls as unknown as { [Comlink.releaseProxy]?: () => void })[Comlink.releaseProxy]?.();
  }
}

function sent({ error, ...tile }: UnreadTile): SentUnread {
  // Fields may hold what cannot be cloned; JSON carries all that a person needs.
  return { ...tile, error: JSON.parse(JSON.stringify(error)) as SentUnread['error'] };
}

function seriesFrames({ url, headers }: NonNullable<SentTilesJob['series']>, calls: TilesCalls): FrameReader {
  return dicomWebFrames({ url, ...(headers && { headers: headers === 'asked' ? async () => value(await calls.headers()) : headers }) });
}

function pageFrames(calls: TilesCalls): FrameReader {
  return { frame: async (sopInstanceUID, frameNumber) => value(await calls.frame(sopInstanceUID, frameNumber)) };
}

function value<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw toOverreadError(answer.error);
}
