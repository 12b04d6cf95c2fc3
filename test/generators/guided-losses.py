"""Writes test/golden/guided-losses.json: the losses on derivatives and representations in PyTorch, in float64.

    python3 test/generators/guided-losses.py

A small network (a convolution, softplus, a dense layer); each loss and its derivatives by the network's weights, which are
of second order. Needs torch.
"""
import json
import os

import torch
from torch.nn import functional as F

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden', 'guided-losses.json')
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def features(w, x):
    """NHWC in and out; the kernel is laid out as tfjs does, [rows, columns, in, out]."""
    y = F.conv2d(x.permute(0, 3, 1, 2), w['kernel'].permute(3, 2, 0, 1), w['bias'], padding=1)
    return F.softplus(y).permute(0, 2, 3, 1).flatten(1)


def network(w, x):
    return features(w, x) @ w['dense']


def right_reasons(w, x, outside, softmax):
    z = network(w, x)
    total = F.log_softmax(z, 1).sum() if softmax else (F.logsigmoid(z) + F.logsigmoid(-z)).sum()
    slope, = torch.autograd.grad(total, x, create_graph=True)
    return ((slope * outside) ** 2).sum((1, 2, 3)).mean()


def gradient_mask(w, x, outside, softmax):
    z = network(w, x)
    contrast = (z[:, 0] - z[:, 1]).abs().sum() if softmax else z.abs().sum()
    slope, = torch.autograd.grad(contrast, x, create_graph=True)
    return ((slope * outside) ** 2).sum((1, 2, 3)).sqrt().mean()


def activation_difference(w, x, masked, _):
    return ((features(w, x) - features(w, masked)) ** 2).sum(1).sqrt().mean()


class Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, dy):
        return -0.7 * dy


def reversal(w, x, sites, _):
    return F.binary_cross_entropy_with_logits(Reversed.apply(features(w, x)) @ w['dense'], sites)


def aux(w, x, labels, _):
    heads = [network(w, x), 2 * network(w, x), network(w, x) - 1]
    return sum(F.binary_cross_entropy_with_logits(z, labels) for z in heads) / 3


def main():
    g = torch.Generator().manual_seed(3)
    flat = lambda t: [float(f'{v:.8g}') for v in t.flatten().tolist()]
    rounded = lambda t: torch.tensor(flat(t)).reshape(t.shape)
    x = rounded(torch.randn((3, 5, 4, 2), generator=g))
    outside = (torch.rand((3, 5, 4, 1), generator=g) < 0.6).double()
    masked = rounded(x * (1 - outside))
    sites = (torch.rand((3, 2), generator=g) < 0.5).double()
    weights = {'kernel': rounded(0.4 * torch.randn((3, 3, 2, 3), generator=g)), 'bias': rounded(0.2 * torch.randn(3, generator=g)),
               'dense': rounded(0.3 * torch.randn((60, 2), generator=g))}
    cases = []
    for name, of, given, softmax in (('rightReasons', right_reasons, outside, False), ('rightReasons', right_reasons, outside, True),
                                     ('gradientMask', gradient_mask, outside, False), ('gradientMask', gradient_mask, outside, True),
                                     ('activationDifference', activation_difference, masked, False), ('reverseGradient', reversal, sites, False),
                                     ('auxLoss', aux, sites, False)):
        w = {k: v.clone().requires_grad_(True) for k, v in weights.items()}
        value = of(w, x.clone().requires_grad_(True), given, softmax)
        value.backward()
        cases.append({'loss': name, 'activation': 'softmax' if softmax else 'sigmoid', 'value': value.item(),
                      'gradients': {k: flat(v.grad if v.grad is not None else torch.zeros_like(v)) for k, v in w.items()}})
    with open(OUT, 'w') as f:
        json.dump({'shape': list(x.shape), 'pictures': flat(x), 'outside': flat(outside), 'masked': flat(masked), 'sites': flat(sites),
                   'weights': {k: {'shape': list(v.shape), 'values': flat(v)} for k, v in weights.items()}, 'cases': cases}, f)
        f.write('\n')


main()
