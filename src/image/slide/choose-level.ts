import { OverreadError } from '../../errors.ts';
import type { SlideLevel, SlidePyramid } from './pyramid.ts';

/** Which level a model reads, and why that one. */
export interface LevelChoice {
  readonly level: SlideLevel;
  /** From 0, the finest. */
  readonly index: number;
  readonly chosenBy: 'user' | 'spacing' | 'finest';
  /** For the user. */
  readonly reason: string;
}

/** Pixels may be this many times larger or smaller than those of the pictures that a network was trained on. */
export const SPACING_RATIO = 1.5;

/**
 * The level that the user names, else the one whose pixels are nearest in size to those that the model was trained on,
 * else, where the model does not say, the finest.
 * @param wantedMm between pixel centres
 * @throws OverreadError `config/invalid` for a level that is not there; `input/refused` when no level is near enough, or
 *   the slide does not say its spacing where the model wants one
 */
export function chooseLevel({ levels }: SlidePyramid, wantedMm?: number, index?: number): LevelChoice {
  const micrometres = (mm: number) => `${Number((mm * 1000).toPrecision(3))} µm`;
  if (index !== undefined) {
    const level = levels[index];
    if (!level) throw new OverreadError('config/invalid', `Expected a level from 0 to ${levels.length - 1}, got ${index}. Choose one that the slide has.`, { expected: levels.length - 1, got: index });
    return { level, index, chosenBy: 'user', reason: `level ${index} of ${levels.length}, as asked` };
  }
  const of = levels.length === 1 ? 'the only level' : `the finest of ${levels.length} levels`;
  if (wantedMm === undefined) return { level: levels[0]!, index: 0, chosenBy: 'finest', reason: `${of}: the model does not say which pixel spacing it wants` };
  const known = levels.flatMap((level, at) => (level.spacingMm ? [{ level, at, ratio: Math.abs(Math.log(Math.sqrt(level.spacingMm[0] * level.spacingMm[1]) / wantedMm)) }] : []));
  const [nearest] = known.sort((a, b) => a.ratio - b.ratio);
  if (!nearest) {
    throw new OverreadError('input/refused', `The model wants pixels of ${micrometres(wantedMm)}, but the slide does not say its pixel spacing. Choose a level yourself.`, { expected: wantedMm, got: 'nothing' });
  }
  const { level, at, ratio } = nearest;
  if (ratio > Math.log(SPACING_RATIO)) {
    const there = levels.flatMap(({ spacingMm }) => (spacingMm ? [micrometres(spacingMm[0])] : [])).join(', ');
    throw new OverreadError('input/refused', `The model wants pixels of ${micrometres(wantedMm)}, but the slide's levels have ${there}. Choose a level yourself to read it all the same.`, { expected: wantedMm, got: levels.map(({ spacingMm }) => spacingMm?.[0]) });
  }
  return { level, index: at, chosenBy: 'spacing', reason: `level ${at} of ${levels.length}, whose pixels of ${micrometres(level.spacingMm![0])} are nearest to the model's ${micrometres(wantedMm)}` };
}
