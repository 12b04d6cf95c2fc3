/** A checkpoint that its authors publish, with what is known of it. */
export interface PublishedCheckpoint {
  readonly architecture: 'densenet121' | 'resnet50';
  readonly name: string;
  readonly address: string;
  /** Rows and columns of the input. */
  readonly size: number;
  /** What the range that the stored bits can represent becomes. */
  readonly valueRange: readonly [min: number, max: number];
  readonly labels: readonly string[];
  /** Probabilities, one a label; null where the authors give none (that output was not trained or not tested). */
  readonly operatingPoints: readonly (number | null)[];
  readonly ppv80Thresholds?: readonly number[];
  /** How its authors show a probability, so that its operating point lies at 0.5. */
  readonly operatingPointNormalisation?: 'torchxrayvision';
  readonly license: string;
  readonly citation: string;
  readonly source: string;
}

const XRV_LABELS = [
  'Atelectasis', 'Consolidation', 'Infiltration', 'Pneumothorax', 'Edema', 'Emphysema', 'Fibrosis', 'Effusion', 'Pneumonia',
  'Pleural_Thickening', 'Cardiomegaly', 'Nodule', 'Mass', 'Hernia', 'Lung Lesion', 'Fracture', 'Lung Opacity', 'Enlarged Cardiomediastinum',
];

/** Facts read from torchxrayvision's models.py at commit f4087a0b0d0cdc6a5877fb5456965b6d29adb1e5. */
const XRV = {
  labels: XRV_LABELS,
  valueRange: [-1024, 1024],
  operatingPointNormalisation: 'torchxrayvision',
  license: 'Apache-2.0',
  citation: 'Cohen et al., TorchXRayVision: A library of chest X-ray datasets and models, 2021; Cohen et al., On the limits of cross-domain generalization in automated X-ray prediction, MIDL 2020, arXiv 2002.02497.',
  source: 'github.com/mlmed/torchxrayvision, models.py, commit f4087a0b0d0cdc6a5877fb5456965b6d29adb1e5',
} as const;

const RELEASE = 'https://github.com/mlmed/torchxrayvision/releases/download/v1/';

/** Checkpoints that `overread import --as NAME` knows by name. */
export const PUBLISHED_CHECKPOINTS = {
  'xrv-densenet121-res224-all': {
    ...XRV,
    architecture: 'densenet121',
    name: 'torchxrayvision DenseNet-121 (all)',
    address: `${RELEASE}nih-pc-chex-mimic_ch-google-openi-kaggle-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best.pt`,
    size: 224,
    operatingPoints: [
      0.07422872, 0.038290843, 0.09814756, 0.0098118475, 0.023601074, 0.0022490358, 0.010060724, 0.103246614, 0.056810737,
      0.026791653, 0.050318155, 0.023985857, 0.01939503, 0.042889766, 0.053369623, 0.035975814, 0.20204692, 0.05015312,
    ],
    ppv80Thresholds: [
      0.72715247, 0.8885005, 0.92493945, 0.6527224, 0.68707734, 0.46127197, 0.7272054, 0.6127343, 0.9878492,
      0.61979693, 0.66309816, 0.7853459, 0.930661, 0.93645346, 0.6788558, 0.6547198, 0.61614525, 0.8489876,
    ],
  },
  'xrv-resnet50-res512-all': {
    ...XRV,
    architecture: 'resnet50',
    name: 'torchxrayvision ResNet-50 (all)',
    address: `${RELEASE}pc-nih-rsna-siim-vin-resnet50-test512-e400-state.pt`,
    size: 512,
    operatingPoints: [
      0.51570356, 0.50444704, 0.53787947, 0.50723547, 0.5025118, 0.5035252, 0.5038076, 0.51862943, 0.5078151,
      0.50724894, 0.5056339, 0.510706, 0.5053923, 0.5020846, null, 0.5080557, 0.5138526, null,
    ],
  },
} as const satisfies Record<string, PublishedCheckpoint>;

export type PublishedName = keyof typeof PUBLISHED_CHECKPOINTS;
