"""The network: small ResNets of basic blocks (He et al. 2016, arXiv 1512.03385) whose last feature maps stand side by side."""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.append(str(Path(__file__).resolve().parents[2] / 'recipes'))
from folding import as_arrays, folded_pair  # noqa: E402

WIDTHS = (16, 32, 64, 128)
BLOCKS = (2, 2, 2, 2)


def convolution(channels_in, channels_out, size, stride=1):
    """Convolution with symmetric zero padding, and its batch normalisation."""
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, size, stride, size // 2, bias=False), nn.BatchNorm2d(channels_out))


class BasicBlock(nn.Module):
    def __init__(self, channels_in, channels_out, stride):
        super().__init__()
        self.first = convolution(channels_in, channels_out, 3, stride)
        self.second = convolution(channels_out, channels_out, 3)
        self.shortcut = convolution(channels_in, channels_out, 1, stride) if stride > 1 or channels_in != channels_out else None

    def forward(self, x):
        y = self.second(F.relu(self.first(x), inplace=True))
        return F.relu(y + (self.shortcut(x) if self.shortcut else x), inplace=True)


class ResNet(nn.Module):
    """[n, 1, rows, columns] in 0..1 -> logits [n, outputs]; the feature map is 1/32 of the picture."""

    def __init__(self, outputs, widths=WIDTHS, blocks=BLOCKS):
        super().__init__()
        self.stem = nn.ModuleList([convolution(1, widths[0], 5, 2), convolution(widths[0], widths[0], 3)])
        layers, channels = [], widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks)):
            for block in range(count):
                layers.append(BasicBlock(channels, width, 2 if stage and not block else 1))
                channels = width
        self.blocks = nn.ModuleList(layers)
        self.head = nn.Linear(channels, outputs)

    def features(self, x):
        for layer in self.stem:
            x = F.relu(layer(x), inplace=True)
        x = F.max_pool2d(x, 2)
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


class Ensemble(nn.Module):
    """The mean of the members' logits, of their first `shipped` outputs: [n, 1, rows, columns] -> [n, shipped]."""

    def __init__(self, members, shipped):
        super().__init__()
        self.members, self.shipped = nn.ModuleList(members), shipped

    def forward(self, x):
        return torch.stack([member(x)[:, :self.shipped] for member in self.members]).mean(0)


def convolutions(net):
    """(name, convolution with its batch norm) of a member in the order of computation."""
    yield from ((f'stem{i}', layer) for i, layer in enumerate(net.stem))
    for i, block in enumerate(net.blocks):
        for part in ('first', 'second', 'shortcut'):
            if getattr(block, part) is not None:
                yield f'block{i}_{part}', getattr(block, part)


def folded(ensemble):
    """
    Every layer with weights as (name, kernel [rows, columns, in, out] or [in, out], bias), batch norm folded in. The heads are
    one: on the members' features side by side, their weights divided by the number of members give the mean of the logits.
    """
    layers, n = [], len(ensemble.members)
    for m, net in enumerate(ensemble.members):
        for name, (conv, norm) in convolutions(net):
            layers.append((f'member{m}_{name}', *folded_pair(conv, norm)))
    heads = [net.head for net in ensemble.members]
    layers.append(('scores', torch.cat([head.weight[:ensemble.shipped].double().T for head in heads]) / n,
                   sum(head.bias[:ensemble.shipped].double() for head in heads) / n))
    return as_arrays(layers)


class Folded(nn.Module):
    """Computes the same from folded layers: what is in `weights.bin`, for evaluation."""

    def __init__(self, layers):
        super().__init__()
        layers = {name: (torch.from_numpy(kernel), torch.from_numpy(bias)) for name, kernel, bias in layers}
        names = [name.split('_', 1) for name in layers if name.startswith('member')]
        self.members, (weight, bias) = [], layers['scores']
        for member in dict.fromkeys(member for member, _ in names):
            net = ResNet(1, [len(bias) for name, (_, bias) in layers.items() if name.startswith(f'{member}_') and name.endswith('first')][::2]).eval()
            for name, (conv, norm) in convolutions(net):
                kernel, shift = layers[f'{member}_{name}']
                conv.weight.data, norm.bias.data, norm.eps = kernel.permute(3, 2, 0, 1).contiguous(), shift, 0.0
            self.members.append(net)
        self.weight, self.bias = weight, bias

    def forward(self, x):
        return torch.cat([net.features(x).mean((2, 3)) for net in self.members], 1) @ self.weight + self.bias
