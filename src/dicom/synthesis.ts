/** What an instance says of how it came to be. */
export interface SynthesisHeader {
  /** (0008,001C): some or all of the content was made, not acquired. */
  readonly syntheticData?: string;
  readonly imageType?: readonly string[];
  readonly derivationDescription?: string;
  /** Meanings of the Derivation Code Sequence. */
  readonly derivations?: readonly string[];
  readonly contributingEquipment?: readonly Equipment[];
  readonly seriesDescription?: string;
  readonly manufacturer?: string;
  readonly manufacturerModelName?: string;
}

export interface Equipment {
  /** Code of the purpose (CID 7005), and what it means. */
  readonly purpose?: string;
  readonly purposeMeaning?: string;
  readonly manufacturer?: string;
  readonly modelName?: string;
  readonly description?: string;
}

/** A site's own rule. All that is stated has to fit; words are found whatever the case. */
export interface SynthesisRule {
  /** Values of Image Type, of which one has to be there. */
  readonly imageTypes?: readonly string[];
  /** Words, of which one has to stand in the description of the series or of the derivation. */
  readonly descriptions?: readonly string[];
  /** Words, of which one has to stand in manufacturer or model of the equipment, or of what contributed. */
  readonly equipment?: readonly string[];
  /** False: what fits is not synthesised, whatever its header says. */
  readonly synthesised?: boolean;
}

/**
 * Words by which a derivation says that a network, or another translation, drew the picture. Not among them: reformatting,
 * projection, subtraction, maps of measured quantities, compression, resampling, denoising, learned reconstruction.
 */
const WORDS: readonly RegExp[] = [
  /\bsynthe(?:tic|si[sz]|sis)/i,
  /\bpseudo[ _-]?(?:ct|mri?|pet)\b/i,
  /\bsCT\b/,
  /\b(?:[a-z]*[Cc]ycle|pix2pix|Star|Style|[Cc]onditional |Cond|c|DC|W)?-?GANs?\b/,
  /\b(?:cycle-?gan|pix2pix)\b/i,
  /\bgenerative\b/i,
  /\bimage[- ]to[- ]image\b/i,
  /\b(?:modality|contrast|domain|stain|style)[ -](?:translation|transfer)\b/i,
  /\btranslated (?:from|to|into) (?:an? )?(?:ct|mri?|pet|t1|t2|flair|h&e|ihc)/i,
  /\bvirtual(?:ly)?[ -]stain/i,
];
/** What has one of these words by name and was measured: computed views and b-values, tomosynthesis. */
const ORDINARY = /\bsynthe(?:tic|si[sz]ed)[ _-]+(?:2[ -]?d\b|b[ =_-]?(?:value|\d)|dwi|diffusion|view|aperture|mammogra\w*)|\btomo[ -]synthesis/gi;
const TYPES = /^(?:SYNTH(?:ETIC|ESI[SZ]ED)?|PSEUDO[ _-]?CT|S[_-]?CT|GAN|VIRTUAL[ _-]STAIN(?:ED)?)(?:[ _-].*)?$/i;
/** Acquisition, de-identification, extraction of frames, conversion: none of them draws. */
const NO_DRAWING: readonly string[] = ['109101', '109104', '109105', '109106'];

/**
 * Why an image counts as synthesised (drawn by a network or translated from another modality), in words for the user: what its header
 * says of it, or a site's rule; undefined where nothing says so, which is no proof. The first rule that fits decides.
 */
export function synthesisOf(header: SynthesisHeader, rules: readonly SynthesisRule[] = []): string | undefined {
  const rule = rules.find(candidate => fits(candidate, header));
  if (rule?.synthesised === false) return undefined;
  if (rule) return `a rule of this site counts it as synthesised (${[...(rule.imageTypes ?? []), ...(rule.descriptions ?? []), ...(rule.equipment ?? [])].join(', ')})`;
  const { syntheticData, imageType = [], derivationDescription, derivations = [], contributingEquipment = [] } = header;
  if (syntheticData?.trim().toUpperCase() === 'YES') return 'Synthetic Data (0008,001C) is YES';
  const type = imageType.find(value => TYPES.test(value.trim()));
  if (type !== undefined) return `Image Type has ${type.trim()}`;
  const derivation = [derivationDescription, ...derivations].find(says);
  if (derivation !== undefined) return `its derivation is '${shortened(derivation)}'`;
  const equipment = contributingEquipment
    .filter(({ purpose }) => purpose === undefined || !NO_DRAWING.includes(purpose))
    .flatMap(({ purposeMeaning, modelName, description }) => [purposeMeaning, description, modelName])
    .find(says);
  return equipment === undefined ? undefined : `contributing equipment says '${shortened(equipment)}'`;
}

function says(text: string | undefined): text is string {
  if (text === undefined) return false;
  const plain = text.replace(ORDINARY, ' ');
  return WORDS.some(word => word.test(plain));
}

function fits({ imageTypes, descriptions, equipment }: SynthesisRule, header: SynthesisHeader): boolean {
  const has = (texts: readonly (string | undefined)[], words: readonly string[]) => words.some(word => texts.some(text => text?.toLowerCase().includes(word.toLowerCase())));
  const { imageType = [], seriesDescription, derivationDescription, manufacturer, manufacturerModelName, contributingEquipment = [] } = header;
  const machines = [manufacturer, manufacturerModelName, ...contributingEquipment.flatMap(item => [item.manufacturer, item.modelName])];
  return (!imageTypes || imageTypes.some(wanted => imageType.some(value => value.trim().toUpperCase() === wanted.trim().toUpperCase())))
    && (!descriptions || has([seriesDescription, derivationDescription], descriptions))
    && (!equipment || has(machines, equipment));
}

const shortened = (text: string): string => (text.trim().length > 80 ? `${text.trim().slice(0, 79)}…` : text.trim());

/** What the header is read from: a file's data set, or DICOM JSON. */
interface ReadableSet {
  strings(tag: string): readonly string[] | undefined;
  string(tag: string): string | undefined;
  text?(tag: string): string | undefined;
  items(tag: string): readonly ReadableSet[];
}

export function synthesisHeader(set: ReadableSet): SynthesisHeader {
  const all = {
    syntheticData: set.string('0008001C'),
    imageType: set.strings('00080008'),
    derivationDescription: textOf(set, '00082111'),
    derivations: set.items('00089215').flatMap(item => textOf(item, '00080104') ?? []),
    contributingEquipment: set.items('0018A001').map(equipmentOf),
    seriesDescription: textOf(set, '0008103E'),
    manufacturer: textOf(set, '00080070'),
    manufacturerModelName: textOf(set, '00081090'),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function equipmentOf(item: ReadableSet): Equipment {
  const [code] = item.items('0040A170');
  const all = {
    purpose: code?.string('00080100'), purposeMeaning: code && textOf(code, '00080104'),
    manufacturer: textOf(item, '00080070'), modelName: textOf(item, '00081090'), description: textOf(item, '0018A003'),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

const textOf = (set: ReadableSet, tag: string): string | undefined => (set.text ? set.text(tag) : set.strings(tag)?.join('\\'));
