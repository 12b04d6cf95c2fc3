"""A small U-Net (Ronneberger et al. 2015, arXiv 1505.04597) with an edge output, of operations that tfjs-layers has exactly."""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.append(str(Path(__file__).resolve().parents[2] / 'recipes'))
from folding import folded_unet as folded  # noqa: E402, F401

WIDTHS = (16, 32, 64, 128)


def block(channels_in, channels_out):
    """Two 3x3 convolutions, each with batch normalisation and ReLU; 'same' zero padding."""
    layers = []
    for source in (channels_in, channels_out):
        layers += [nn.Conv2d(source, channels_out, 3, padding=1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU(True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """[n, inputs, rows, columns] in 0..1 -> logits [n, outputs, rows, columns] (nucleus, border); sides are multiples of 8."""

    def __init__(self, widths=WIDTHS, inputs=3, outputs=2, skips=True):
        super().__init__()
        self.skips = skips
        self.down = nn.ModuleList(block(a, b) for a, b in zip((inputs, *widths), widths))
        self.up = nn.ModuleList(block(a + b * skips, b) for a, b in zip(widths[:0:-1], widths[-2::-1]))
        self.head = nn.Conv2d(widths[0], outputs, 1)

    def forward(self, x):
        skips = []
        for level, layer in enumerate(self.down):
            x = layer(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        for layer, skip in zip(self.up, skips[-2::-1]):
            x = F.interpolate(x, scale_factor=2, mode='nearest')
            x = layer(torch.cat([x, skip], 1) if self.skips else x)
        return self.head(x)
