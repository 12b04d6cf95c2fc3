import type { MrModality } from '../dicom/mr.ts';
import type { ImageAttributes } from './image.ts';

export type { MrModality } from '../dicom/mr.ts';

/**
 * How the MR modality of a series is known: said by whoever gives the file, stated by its description or protocol,
 * by these and the contrast agent, or guessed from echo, repetition and inversion time.
 */
export type ModalitySource = 'given' | 'SeriesDescription' | 'ProtocolName' | 'ContrastBolusAgent' | 'EchoTime, RepetitionTime, InversionTime';

export interface KnownModality {
  readonly modality: MrModality;
  readonly from: ModalitySource;
  /** True where no attribute names it: the user should look. */
  readonly guessed: boolean;
}

/** A series that is none of the four (diffusion, a localizer), or of which it cannot be said. */
export interface UnknownModality {
  readonly modality: undefined;
  /** In words for the user. */
  readonly why: string;
}

/** What is no plain T1, T2 or FLAIR, whatever else the description says. */
const OTHERS = /\b(dwi|dti|adc|diff\w*|trace\w*|tensor|fa|swi\w*|swan|phase|pha|mip|minip|tof|mra|angio\w*|perf\w*|pwi|asl|dsc|dce|bold|fmri|localizer|localiser|scout|survey|loc|plan|pd|proton|subtraction|subtr\w*|sub|map|spectro\w*|mrs|stir)\b|t2\s*\*|t2\s*star|t2s\b|\bt2\s*gre\b|\bhemo\b/;
const FLAIR = /flair|dark\s?fluid|tirm/;
const T1 = /(^|[^a-z0-9])t1(?![0-9])|mp\s?rage|spgr|bravo|\btfl\b|\bvibe\b/;
const T2 = /(^|[^a-z0-9])t2(?![0-9])/;
const WITHOUT = /\b(pre|precontrast|native|nativ|plain|without|ohne|non|no|sans|unenhanced|noncontrast)\b|w\/o|\s-c\b|c-(?!\w)/;
const WITH = /\b(post\w*|gd|gad\w*|contrast\w*|km|ce|enh\w*|mdc|injection)\b|t1\s*(c|ce|gd|km|post)\b|\+\s*(c|gd|contrast|km)\b|\bc\+|\bwith\b/;

/**
 * Which of the four an MR series is, from what its attributes say: the words of its description, then of its protocol,
 * with ContrastBolusAgent to part T1 from T1c; where the words say nothing, its timing.
 */
export function modalityOf(attributes: Pick<ImageAttributes, 'mr' | 'mrModality' | 'seriesDescription'>): KnownModality | UnknownModality {
  const { mr = {}, mrModality, seriesDescription } = attributes;
  if (mrModality) return { modality: mrModality, from: 'given', guessed: false };
  const agent = stated(mr.contrastBolusAgent);
  for (const [from, text] of [['SeriesDescription', seriesDescription], ['ProtocolName', mr.protocolName]] as const) {
    const words = normalised(text ?? '');
    if (!words) continue;
    if (OTHERS.test(words)) return { modality: undefined, why: `its ${from} '${text}' names another kind of series` };
    const found = byWords(words);
    if (found === undefined) continue;
    if (found !== 'T1') return { modality: found, from, guessed: false };
    if (WITHOUT.test(words)) return { modality: 'T1', from, guessed: false };
    if (WITH.test(words)) return { modality: 'T1c', from, guessed: false };
    return agent ? { modality: 'T1c', from: 'ContrastBolusAgent', guessed: false } : { modality: 'T1', from, guessed: false };
  }
  const timed = byTiming(attributes);
  if (timed) return { modality: timed === 'T1' && agent ? 'T1c' : timed, from: 'EchoTime, RepetitionTime, InversionTime', guessed: true };
  const named = seriesDescription ?? mr.protocolName;
  return { modality: undefined, why: named ? `'${named}' names none of T1, T1c, T2, FLAIR, and its echo and repetition times do not tell` : 'it states neither a description nor echo and repetition times that tell' };
}

/** Two contrasts in one text name an examination, not this series; a T1 FLAIR is a T1. */
function byWords(words: string): 'T1' | 'T2' | 'FLAIR' | undefined {
  const [t1, t2, flair] = [T1.test(words), T2.test(words), FLAIR.test(words)];
  if (t1 && t2) return undefined;
  if (t1) return 'T1';
  if (flair) return 'FLAIR';
  return t2 ? 'T2' : undefined;
}

/** As spin-echo and inversion-recovery sequences of clinical fields are timed, in ms; nothing in between is guessed. */
function byTiming({ mr = {} }: Pick<ImageAttributes, 'mr'>): 'T1' | 'T2' | 'FLAIR' | undefined {
  const { echoTimeMs: echo, repetitionTimeMs: repetition, inversionTimeMs: inversion = 0, scanningSequence = [] } = mr;
  if (echo === undefined || repetition === undefined || scanningSequence.includes('EP')) return undefined;
  if (inversion >= 1500 && echo >= 60 && repetition >= 4000) return 'FLAIR';
  if (echo <= 8 && inversion >= 400 && inversion <= 1300) return 'T1';
  const spinEcho = scanningSequence.length === 0 || scanningSequence.includes('SE');
  if (!spinEcho || inversion > 0) return undefined;
  if (echo <= 30 && repetition >= 200 && repetition <= 1000) return 'T1';
  return echo >= 70 && repetition >= 2000 ? 'T2' : undefined;
}

/** Some scanners write NONE where no agent was given. */
function stated(agent: string | undefined): boolean {
  return agent !== undefined && !/^(no|none|n|0|nil|ohne)?$/i.test(agent.trim());
}

function normalised(text: string): string {
  return text.toLowerCase().replace(/[_,;:()[\]]+/g, ' ').replace(/\s+/g, ' ').trim();
}
