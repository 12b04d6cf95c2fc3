"""HeMIS U-Net (Havaei et al. 2016, arXiv 1607.05194) of operations that tfjs-layers has exactly."""
import sys
from itertools import combinations
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path += [str(Path(__file__).resolve().parents[2] / folder) for folder in ('recipes', 'lung-unet/recipe')]
from folding import as_arrays, folded_block  # noqa: E402
from network import block  # noqa: E402  two 3x3 convolutions with batch norm, the same as in the U-Net of the lungs

MODALITIES = ('T1', 'T1c', 'T2', 'FLAIR')
WIDTHS = (8, 16, 32, 64)
SUBSETS = tuple(subset for n in range(1, 5) for subset in combinations(MODALITIES, n))


class HemisUNet(nn.Module):
    """
    {modality: [n, 1, rows, columns]}, any non-empty subset -> logits [n, 1, rows, columns]; rows and columns are
    multiples of 8. Each modality has an encoder; mean and unbiased variance over those that are there go to the decoder
    at every level, the variance of one being zero.
    """

    def __init__(self, modalities=MODALITIES, widths=WIDTHS, classes=1):
        super().__init__()
        self.modalities = modalities
        self.encoders = nn.ModuleDict({name: nn.ModuleList(block(a, b) for a, b in zip((1, *widths), widths)) for name in modalities})
        below = [2 * widths[-1], *widths[-2:0:-1]]
        self.up = nn.ModuleList(block(source + 2 * b, b) for source, b in zip(below, widths[-2::-1]))
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, images):
        return self.merged([self.features(name, images[name]) for name in self.modalities if name in images])

    def mixed(self, x, present):
        """
        A batch whose pictures have modalities of their own: [n, modalities, rows, columns] and bool [n, modalities].
        Batch normalisation then sees what it will see when all subsets are read by one network.
        """
        sums = squares = None
        for i, name in enumerate(self.modalities):
            chosen = present[:, i].nonzero()[:, 0]
            if len(chosen) < 2:  # no statistics of a single picture
                chosen = torch.arange(len(x))
            own = present[chosen, i].float()[:, None, None, None]
            features = [f.float() * own for f in self.features(name, x[chosen, i:i + 1].contiguous(memory_format=torch.channels_last))]
            if sums is None:
                sums = [f.new_zeros(len(x), *f.shape[1:]) for f in features]
                squares = [f.new_zeros(len(x), *f.shape[1:]) for f in features]
            sums = [s.index_add(0, chosen, f) for s, f in zip(sums, features)]
            squares = [s.index_add(0, chosen, f * f) for s, f in zip(squares, features)]
        count = present.sum(1).float()[:, None, None, None]
        means = [s / count for s in sums]
        variances = [((q - count * m * m) / (count - 1).clamp(min=1)).clamp(min=0) * (count > 1) for q, m in zip(squares, means)]
        return self.decoded([torch.cat(pair, 1) for pair in zip(means, variances)])

    def features(self, name, x):
        """What one modality's encoder gives, at every level."""
        features = []
        for level, layer in enumerate(self.encoders[name]):
            x = layer(F.max_pool2d(x, 2) if level else x)
            features.append(x)
        return features

    def merged(self, levels):
        """Logits from the features of the modalities that are there."""
        return self.decoded([abstraction(features) for features in zip(*levels)])

    def decoded(self, moments):
        x = moments[-1]
        for layer, skip in zip(self.up, moments[-2::-1]):
            x = layer(torch.cat([F.interpolate(x, scale_factor=2, mode='nearest'), skip], 1))
        return self.head(x)


def abstraction(features):
    mean = sum(features) / len(features)
    # torch.var over a stack of few takes longer than all convolutions.
    variance = sum((f - mean) ** 2 for f in features) / max(1, len(features) - 1)
    return torch.cat([mean, variance], 1)


def folded(net):
    """Every convolution as (name, kernel [rows, columns, in, out], bias), batch norm folded in, as tfjs names them."""
    named = [(f'{name}.down{level}', layers) for name in net.modalities for level, layers in enumerate(net.encoders[name])]
    named += [(f'up{step}', layers) for step, layers in enumerate(net.up)]
    convolutions = [layer for name, layers in named for layer in folded_block(name, layers)]
    return as_arrays([*convolutions, ('logits', net.head.weight.double().permute(2, 3, 1, 0), net.head.bias.double())])
