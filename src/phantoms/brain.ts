import { BrainAnatomy, brainShape, TISSUES, type Tissue } from './brain-anatomy.ts';
import { hashIntegers, seededRandom } from './random.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { imul, min, round, sqrt } = Math;

export const BRAIN_SEQUENCES = ['T1', 'T1c', 'T2', 'FLAIR'] as const;
export type BrainSequence = (typeof BRAIN_SEQUENCES)[number];

export const LESION_CLASSES = ['background', 'necrotic core', 'oedema', 'enhancing rim'] as const;

export interface BrainPhantom {
  /** [columns, rows, slices]: columns to the patient's left, rows to the back, slices upwards. */
  readonly shape: readonly [columns: number, rows: number, slices: number];
  readonly spacingMm: readonly [column: number, row: number, slice: number];
  /** LPS mm of the centre of the first voxel. */
  readonly origin: readonly [number, number, number];
  /** 12 bits, slice by slice. All four lie in one grid and one frame of reference. */
  readonly volumes: Readonly<Record<BrainSequence, Uint16Array>>;
  /** Index into {@link LESION_CLASSES}; {@link PLAQUE} where the head has plaques in place of a tumour. */
  readonly lesion: Uint8Array;
  /** 1 within the brain's envelope: what a brain extraction keeps. */
  readonly brain: Uint8Array;
}

/** The value of a plaque in {@link BrainPhantom.lesion}. */
export const PLAQUE = 4;

/** Signal of each tissue, as a 1.5 T scanner shows it, 0..1200. T1c: after gadolinium. */
const SIGNAL: Record<BrainSequence, Record<Tissue, number>> = {
  T1: {
    air: 8, skin: 330, fat: 920, bone: 45, marrow: 560, csf: 150, grey: 420, white: 620, deepGrey: 500, blood: 190,
    oedema: 430, rim: 450, core: 250,
  },
  T1c: {
    air: 8, skin: 420, fat: 930, bone: 45, marrow: 580, csf: 155, grey: 440, white: 630, deepGrey: 515, blood: 1120,
    oedema: 440, rim: 1130, core: 270,
  },
  T2: {
    air: 8, skin: 240, fat: 640, bone: 40, marrow: 330, csf: 1080, grey: 590, white: 400, deepGrey: 460, blood: 90,
    oedema: 840, rim: 560, core: 930,
  },
  FLAIR: {
    air: 8, skin: 250, fat: 560, bone: 40, marrow: 300, csf: 95, grey: 520, white: 400, deepGrey: 440, blood: 120,
    oedema: 900, rim: 640, core: 380,
  },
};

export interface BrainPhantomOptions {
  readonly seed: number;
  /** Columns of the grid, 160 when left out; the field of view stays 160 × 192 × 150 mm. */
  readonly columns?: number;
  readonly slices?: number;
  /** A ring-enhancing tumour when left out, patches of demyelination in the white matter, or the head that the tumour's would be without it. */
  readonly lesions?: 'tumour' | 'plaques' | 'none';
  /** What the slices share, mm above the centre of the head. */
  readonly fieldMm?: readonly [bottom: number, top: number];
}

/** A head with a ring-enhancing tumour (or plaques) in four sequences, and the lesion's parts as they are. */
export function brainPhantom(options: BrainPhantomOptions): BrainPhantom {
  const { seed, columns = 160, slices = 60, lesions = 'tumour', fieldMm: [bottom, top] = [-62, 88] } = options;
  const rows = round(columns * 1.25);
  const spacing = 172 / columns;
  const sliceSpacing = (top - bottom) / slices;
  const shape = [columns, rows, slices] as const;
  const origin = [-(columns - 1) * spacing * 0.5, -(rows - 1) * spacing * 0.5, bottom + sliceSpacing / 2] as const;
  const random = seededRandom(hashIntegers(seed, 51));
  const anatomy = new BrainAnatomy(brainShape(seed, random, lesions));
  const count = columns * rows * slices;
  const lesion = new Uint8Array(count);
  const brain = new Uint8Array(count);
  const volumes = Object.fromEntries(BRAIN_SEQUENCES.map((name) => [name, new Uint16Array(count)])) as Record<BrainSequence, Uint16Array>;
  const tables = BRAIN_SEQUENCES.map((name) => ({
    volume: volumes[name],
    signal: TISSUES.map((tissue) => SIGNAL[name][tissue]),
    // The coil is stronger on one side; each sequence has noise of its own.
    slopeX: 0.0012 * random.gaussian(),
    slopeY: 0.0012 * random.gaussian(),
    noise: random.uniform(11, 16),
    noiseSeed: hashIntegers(seed, 52, name.length, name.charCodeAt(0)),
  }));
  const gaussians = Float32Array.from({ length: 1 << 16 }, () => random.gaussian());
  for (let slice = 0, i = 0; slice < slices; slice++) {
    const z = origin[2] + slice * sliceSpacing;
    for (let row = 0; row < rows; row++) {
      const y = origin[1] + row * spacing;
      for (let column = 0; column < columns; column++, i++) {
        const x = origin[0] + column * spacing;
        lesion[i] = anatomy.at(x, y, z);
        brain[i] = Number(anatomy.inBrain(x, y, z));
        const { shares } = anatomy;
        for (const table of tables) {
          let value = 0;
          for (let tissue = 0; tissue < shares.length; tissue++) value += shares[tissue]! * table.signal[tissue]!;
          value *= 1 + table.slopeX * x + table.slopeY * y;
          // Rician: the magnitude of a signal with noise in both channels.
          const dice = imul(i ^ table.noiseSeed, 0x9e3779b1) ^ imul(i, 0x85ebca6b);
          const real = value + table.noise * gaussians[dice & 0xffff]!;
          const imaginary = table.noise * gaussians[dice >>> 16]!;
          table.volume[i] = min(4095, round(sqrt(real * real + imaginary * imaginary)));
        }
      }
    }
  }
  return { shape, spacingMm: [spacing, spacing, sliceSpacing], origin, volumes, lesion, brain };
}
