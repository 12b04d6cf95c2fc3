import { input, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { TorchLayers } from './torch-layers.ts';

export interface ResNetOptions {
  /** [rows, columns] */
  readonly inputShape?: readonly [rows: number, columns: number];
  readonly inChannels?: number;
  /** Outputs: one logit a class, no activation. */
  readonly classes?: number;
  /** Bottlenecks in each of the stages. */
  readonly layers?: readonly number[];
  /** Channels after the first convolution. */
  readonly width?: number;
  /** Random weights by this seed, or 'zeros' for a network that is given its weights at once. */
  readonly weights?: { readonly seed?: number } | 'zeros';
}

/** ResNet-50 as torchxrayvision has it: one channel, 512², 18 outputs. */
export const RESNET50: Required<Omit<ResNetOptions, 'weights'>> = {
  inputShape: [512, 512], inChannels: 1, classes: 18, layers: [3, 4, 6, 3], width: 64,
};

/** A bottleneck gives four times the channels that it computes on. */
const EXPANSION = 4;

/**
 * ResNet of bottlenecks (He et al. 2016, arXiv 1512.03385), layer for layer as torchvision builds it, which strides in
 * the 3 × 3 convolution ("v1.5"): input [n, rows, columns, channels] → logits [n, classes]. Layers are named by their
 * PyTorch module paths ('layer1.0.conv1', 'fc'). Left out options are those of ResNet-50.
 */
export function buildResNet(options: ResNetOptions = {}): LayersModel {
  const { inputShape, inChannels, classes, layers, width } = { ...RESNET50, ...options };
  const nn = new TorchLayers(options.weights);
  const x = input({ shape: [...inputShape, inChannels], name: 'image' });
  let h = nn.relu(nn.norm(nn.conv(x, 'conv1', width, 7, { stride: 2, pad: 3 }), 'bn1'), 'relu');
  h = nn.maxPoolAfterRelu(h, 'maxpool');
  layers.forEach((count, stage) => {
    for (let block = 0; block < count; block++) {
      h = bottleneck(nn, h, `layer${stage + 1}.${block}`, width * 2 ** stage, stage > 0 && block === 0 ? 2 : 1);
    }
  });
  return model({ inputs: x, outputs: nn.linear(nn.globalAverage(h, 'avgpool'), 'fc', classes), name: 'resnet' });
}

function bottleneck(nn: TorchLayers, x: SymbolicTensor, at: string, width: number, stride: number): SymbolicTensor {
  let h = nn.relu(nn.norm(nn.conv(x, `${at}.conv1`, width, 1), `${at}.bn1`), `${at}.relu1`);
  h = nn.relu(nn.norm(nn.conv(h, `${at}.conv2`, width, 3, { stride, pad: 1 }), `${at}.bn2`), `${at}.relu2`);
  h = nn.norm(nn.conv(h, `${at}.conv3`, width * EXPANSION, 1), `${at}.bn3`);
  const reshaped = stride !== 1 || x.shape.at(-1) !== width * EXPANSION;
  const shortcut = reshaped
    ? nn.norm(nn.conv(x, `${at}.downsample.0`, width * EXPANSION, 1, { stride }), `${at}.downsample.1`)
    : x;
  return nn.relu(nn.add([h, shortcut], `${at}.add`), `${at}.relu3`);
}
