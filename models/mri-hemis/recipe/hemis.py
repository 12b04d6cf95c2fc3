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

    def nested(self, x, *present):
        """
        Logits [subsets * n, 1, rows, columns] of a batch [n, modalities, rows, columns] whose pictures have subsets of
        their own, given as one or several bool [n, modalities]. All go through the decoder together: batch normalisation
        then sees what it will see when one network reads every subset.
        """
        levels = list(zip(*(self.features(name, x[:, i:i + 1].contiguous(memory_format=torch.channels_last)) for i, name in enumerate(self.modalities))))
        return self.decoded([torch.cat([Moments.apply(there, *features) for there in present]) for features in levels])

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


class Moments(torch.autograd.Function):
    """
    `abstraction` where each picture has modalities of its own: present bool [n, modalities], features of all modalities
    [n, channels, rows, columns] -> [n, 2 * channels, rows, columns]. Its derivative is written out, since that which
    PyTorch puts together takes longer than all convolutions.
    """

    @staticmethod
    def forward(ctx, present, *features):
        there = present.float().T[..., None, None, None]
        count = there.sum(0)
        mean, variance = (torch.zeros_like(features[0], dtype=torch.float32) for _ in range(2))
        for f, t in zip(features, there):
            f = f.float()
            mean.addcmul_(f, t / count)
            variance.addcmul_(f.mul(f), t)
        free = (count - 1).clamp(min=1)
        variance.addcmul_(mean.mul(mean), -count).div_(free).clamp_(min=0)
        ctx.save_for_backward(there / count, 2 * there / free * (count > 1), mean, *features)
        return torch.cat([mean, variance], 1).to(features[0].dtype, memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx, gradient):
        of_mean, of_variance, mean, *features = ctx.saved_tensors
        to_mean, to_variance = gradient.float().split(mean.shape[1], 1)
        to_variance = to_variance.contiguous(memory_format=torch.channels_last)
        return None, *(to_mean.mul(m).addcmul_(f.float().sub_(mean).mul_(to_variance), v).to(f.dtype) for f, m, v in zip(features, of_mean, of_variance))


def folded(net):
    """Every convolution as (name, kernel [rows, columns, in, out], bias), batch norm folded in, as tfjs names them."""
    named = [(f'{name}.down{level}', layers) for name in net.modalities for level, layers in enumerate(net.encoders[name])]
    named += [(f'up{step}', layers) for step, layers in enumerate(net.up)]
    convolutions = [layer for name, layers in named for layer in folded_block(name, layers)]
    return as_arrays([*convolutions, ('logits', net.head.weight.double().permute(2, 3, 1, 0), net.head.bias.double())])
