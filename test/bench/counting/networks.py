"""A density U-Net, and Count-ception; both [n, 3, rows, columns] in 0..1 -> a map whose sum is `unit` a cell."""
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.append(str(Path(__file__).parents[3] / 'models/nuclei-unet/recipe'))
from network import UNet  # noqa: E402

SIGMA = 2.0
FIELD = 32


class DensityUNet(nn.Module):
    """Lempitsky and Zisserman's density (NIPS 2010) by a small U-Net. The target is a Gaussian of height 1 a cell."""

    unit, margin, multiple = 2 * np.pi * SIGMA ** 2, 0, 4

    def __init__(self):
        super().__init__()
        self.net = UNet(widths=(16, 32, 64), outputs=1)
        nn.init.normal_(self.net.head.weight, std=0.01)

    def forward(self, x):
        z = self.net(x)
        leak = 0.05 * z.clamp(max=0) if self.training else 0 * z
        return F.relu(z) + leak - leak.detach()

    @staticmethod
    def target(dots, shape):
        """[rows, columns]; what the picture's border cuts off of a cell is made up within the picture."""
        lines = [np.exp(-0.5 * ((np.arange(n) - c[:, None]) / SIGMA) ** 2) for n, c in zip(shape, (dots[:, 1], dots[:, 0]))]
        down, across = (line / line.sum(1, keepdims=True) for line in lines)
        return (DensityUNet.unit * down.T @ across).astype(np.float32)


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


METHODS = {'density-unet': DensityUNet, 'count-ception': CountCeption}
