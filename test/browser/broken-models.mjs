/** Model folders that are broken in one way each, made from a sound one. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Copies the model folder `from` to `models/id`; `spoil(folder, manifest)` may answer another manifest to write. */
export function modelsWith(models, from, id, spoil) {
  const folder = path.join(models, id);
  mkdirSync(models, { recursive: true });
  cpSync(from, folder, { recursive: true, filter: source => !/\/(recipe|golden)$/.test(source) });
  const manifest = { ...JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')), id };
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(spoil(folder, manifest) ?? manifest));
}

/** Turns one bit of a weight file. */
export function flipBit(folder, manifest) {
  const file = path.join(folder, Object.keys(manifest.graph.sha256).find(f => f.endsWith('.bin')));
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(file, bytes);
}

export function withoutIntendedUse(_folder, manifest) {
  const { intendedUse: _dropped, ...rest } = manifest;
  return rest;
}
