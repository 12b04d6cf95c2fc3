"""A density U-Net, the shipped counter trained further, and Count-ception; all [n, 3, rows, columns] in 0..1 -> a map whose sum is `unit` a cell."""
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MODELS = Path(__file__).parents[3] / 'models'
sys.path += [str(MODELS / 'nuclei-unet/recipe'), str(MODELS / 'recipes')]
from model_folder import read_weights  # noqa: E402
from network import UNet  # noqa: E402
from picture import normalised  # noqa: E402

SIGMA = 2.0
FIELD = 32


def rectified(z, training):
    # Where a cell is missed altogether a ReLU gives no gradient: here it leaks one.
    leak = 0.05 * z.clamp(max=0) if training else 0 * z
    return F.relu(z) + leak - leak.detach()


class DensityUNet(nn.Module):
    """Lempitsky and Zisserman's density (NIPS 2010) by a small U-Net. The target is a Gaussian of height 1 a cell."""

    unit, margin, multiple = 2 * np.pi * SIGMA ** 2, 0, 4

    @staticmethod
    def prepared(rgb):
        return rgb

    def __init__(self):
        super().__init__()
        self.net = UNet(widths=(16, 32, 64), outputs=1)
        nn.init.normal_(self.net.head.weight, std=0.01)

    def forward(self, x):
        return rectified(self.net(x), self.training)

    @staticmethod
    def target(dots, shape):
        """[rows, columns]; what the picture's border cuts off of a cell is made up within the picture."""
        lines = [np.exp(-0.5 * ((np.arange(n) - c[:, None]) / SIGMA) ** 2) for n, c in zip(shape, (dots[:, 1], dots[:, 0]))]
        down, across = (line / line.sum(1, keepdims=True) for line in lines)
        return (DensityUNet.unit * down.T @ across).astype(np.float32)


class TunedCounter(nn.Module):
    """The shipped `cell-count`, trained further: its weights with batch norm folded in, and of its densities the first."""

    unit, margin, multiple, target = DensityUNet.unit, 0, 8, staticmethod(DensityUNet.target)

    @staticmethod
    def prepared(rgb):
        """As the engine reads it; one colour alone, as VGG's blue, is shown as the grey that it stands for."""
        one_colour = (rgb.max((0, 1)) > 0.1).sum() == 1
        return normalised(rgb.max(2, keepdims=True).repeat(3, 2) if one_colour else rgb)

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict()
        for name, kernel, bias in read_weights(MODELS / 'cell-count'):
            kernel, bias = torch.from_numpy(kernel).permute(3, 2, 0, 1), torch.from_numpy(bias)
            if name == 'logits':
                kernel, bias = kernel[:1], bias[:1]
            layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2], padding=kernel.shape[2] // 2)
            layer.weight.data.copy_(kernel)
            layer.bias.data.copy_(bias)
            self.layers[name] = layer

    def block(self, name, x):
        for step in (0, 1):
            x = F.relu(self.layers[f'{name}_conv{step}'](x))
        return x

    def forward(self, x):
        skips = []
        for level in range(4):
            x = self.block(f'down{level}', F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        for level in range(3):
            x = self.block(f'up{level}', torch.cat([F.interpolate(x, scale_factor=2, mode='nearest'), skips[2 - level]], 1))
        return rectified(self.layers['logits'](x), self.training)


def conv(channels_in, channels_out, size, padding=0):
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, size, padding=padding), nn.LeakyReLU(0.01), nn.BatchNorm2d(channels_out))


class Pair(nn.Module):
    """A 1x1 beside a 3x3 convolution."""

    def __init__(self, channels_in, ones, threes):
        super().__init__()
        self.ones, self.threes = conv(channels_in, ones, 1), conv(channels_in, threes, 3, 1)

    def forward(self, x):
        return torch.cat([self.ones(x), self.threes(x)], 1)


class CountCeption(nn.Module):
    """Cohen et al. 2017 (arXiv 1703.08710): each output counts the cells in its 32 x 32 field; 'valid', so that 31 rows and columns go."""

    unit, margin, multiple = FIELD ** 2, FIELD - 1, 1

    @staticmethod
    def prepared(rgb):
        return rgb

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            conv(3, 64, 3), Pair(64, 16, 16), Pair(32, 16, 32), conv(48, 16, 14), Pair(16, 112, 48), Pair(160, 40, 40),
            Pair(80, 32, 96), conv(128, 16, 17), conv(16, 64, 1), conv(64, 64, 1), nn.Conv2d(64, 1, 1))

    def forward(self, x):
        return self.net(x)

    @staticmethod
    def target(dots, shape):
        """[rows + 31, columns + 31]: [y, x] is how many dots are in the rows y - 31 ... y and the columns x - 31 ... x, as in the engine."""
        counts = np.zeros([n + FIELD - 1 for n in shape], np.float32)
        for x, y in np.rint(dots).astype(int):
            counts[y:y + FIELD, x:x + FIELD] += 1
        return counts


METHODS = {'density-unet': DensityUNet, 'tuned-cell-count': TunedCounter, 'count-ception': CountCeption}
