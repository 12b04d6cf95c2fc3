import type { ReadTiles } from '../../src/export/read/segmentation.ts';
import { isInstanceReference } from '../../src/image/image.ts';
import { SlideMask } from './mask.ts';
import type { KeptSlide } from './slide-results.ts';

/** A mask that was read back, as if it had just been read from the slide; what has no pixel was read and is empty. */
export function storedSlide({ source, targets, tiles, tileSize, model, device, createdAt, glassTiles }: ReadTiles, sopInstanceUID: string): KeptSlide {
  const [columns, rows] = source.shape;
  const [across, down] = [Math.ceil(columns / tileSize), Math.ceil(rows / tileSize)];
  const mask = new SlideMask({ columns, rows, tiles: across * down });
  const found = new Map(tiles.map(tile => [`${tile.region.x} ${tile.region.y}`, tile]));
  for (let index = 0; index < across * down; index++) {
    const [x, y] = [tileSize * (index % across), tileSize * Math.floor(index / across)];
    const tile = found.get(`${x} ${y}`);
    if (tile) mask.put(index, tile.region, tile.labels);
    else mask.putEmpty(index, { x, y, columns: Math.min(tileSize, columns - x), rows: Math.min(tileSize, rows - y) });
  }
  return {
    key: `slide stored ${sopInstanceUID}`, fingerprint: sopInstanceUID, source, studyInstanceUID: source.sources.filter(isInstanceReference)[0]!.studyInstanceUID,
    model, targets, device, mask, status: 'done', ms: 0, createdAt, visible: true, stored: { glassTiles },
  };
}
