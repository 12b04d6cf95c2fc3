"""The network: a small U-Net (Ronneberger et al. 2015, arXiv 1505.04597) of operations that tfjs-layers has exactly."""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.append(str(Path(__file__).resolve().parents[2] / 'recipes'))
from folding import folded_unet as folded  # noqa: E402, F401

WIDTHS = (8, 16, 32, 64, 128)


def block(channels_in, channels_out):
    """Two 3x3 convolutions, each with batch normalisation and ReLU; 'same' zero padding."""
    layers = []
    for source in (channels_in, channels_out):
        layers += [nn.Conv2d(source, channels_out, 3, padding=1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU(True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """[n, 1, rows, columns] in 0..1 -> logits of the same size; rows and columns are multiples of 16."""

    def __init__(self, widths=WIDTHS):
        super().__init__()
        self.down = nn.ModuleList(block(a, b) for a, b in zip((1, *widths), widths))
        self.up = nn.ModuleList(block(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1]))
        self.head = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x):
        skips = []
        for level, layer in enumerate(self.down):
            x = layer(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        for layer, skip in zip(self.up, skips[-2::-1]):
            x = layer(torch.cat([F.interpolate(x, scale_factor=2, mode='nearest'), skip], 1))
        return self.head(x)


def from_folded(convolutions):
    """A UNet that computes the same from folded convolutions (batch norm left as the identity), for evaluation."""
    net = UNet(tuple(kernel.shape[3] for name, kernel, _ in convolutions if name.startswith('down'))[::2]).eval()
    norms = iter([m for layers in (*net.down, *net.up) for m in layers if isinstance(m, nn.BatchNorm2d)])
    convs = iter([m for layers in (*net.down, *net.up) for m in layers if isinstance(m, nn.Conv2d)] + [net.head])
    with torch.no_grad():
        for name, kernel, bias in convolutions:
            conv = next(convs)
            conv.weight.copy_(torch.from_numpy(kernel).permute(3, 2, 0, 1))
            if name == 'logits':
                conv.bias.copy_(torch.from_numpy(bias))
            else:
                norm = next(norms)
                norm.eps = 0.0
                norm.bias.copy_(torch.from_numpy(bias))
    return net
