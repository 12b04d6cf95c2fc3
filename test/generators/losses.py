"""Writes test/golden/losses.json: the losses of src/losses in PyTorch, their values and derivatives, in float64.

    python3 test/generators/losses.py

Written from the papers; every derivative is checked by torch's gradcheck before it is written. Needs torch and numpy.
"""
import json
import os

import torch
from torch.nn import functional as F

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden', 'losses.json')
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def mean(losses, weights):
    return losses.mean() if weights is None else (losses * weights).sum() / weights.expand_as(losses).sum()


def binary(y, z, w=None):
    return mean(F.binary_cross_entropy_with_logits(z, y, reduction='none'), w)


def categorical(y, z, w=None):
    return mean(-(y * F.log_softmax(z, -1)).sum(-1, keepdim=True), w)


def dice(y, z, w=None, activation='sigmoid', smooth=1, background=True):
    p = torch.softmax(z, -1) if activation == 'softmax' else torch.sigmoid(z)
    w = torch.ones(1) if w is None else w
    axes = tuple(range(z.dim() - 1))
    value = (2 * (w * p * y).sum(axes) + smooth) / ((w * p * p).sum(axes) + (w * y * y).sum(axes) + smooth)
    return 1 - (value if background else value[1:]).mean()


def focal(y, z, w=None, activation='sigmoid', gamma=2.0, alpha=None):
    if activation == 'sigmoid':
        p = torch.sigmoid(z)
        t = p * y + (1 - p) * (1 - y)
        a = 1 if alpha is None else alpha * y + (1 - alpha) * (1 - y)
        return mean(-a * (1 - t) ** gamma * torch.log(t), w)
    p = torch.softmax(z, -1)
    each = (1 - p) ** gamma * torch.log(p) * y
    return mean(-(each if alpha is None else each * torch.tensor(alpha)).sum(-1, keepdim=True), w)


def main():
    g = torch.Generator().manual_seed(5)
    shape = (2, 4, 5, 3)
    z = 3 * torch.randn(shape, generator=g)
    targets = (torch.rand(shape, generator=g) < 0.3).double()
    classes = F.one_hot(torch.randint(0, 3, shape[:-1], generator=g), 3).double()
    w = 1 + 9 * torch.rand((*shape[:-1], 1), generator=g)
    flat = lambda t: [round(v, 9) for v in t.flatten().tolist()]
    z = torch.tensor(flat(z)).reshape(shape)
    w = torch.tensor(flat(w)).reshape(*shape[:-1], 1)
    s, m = {'activation': 'sigmoid'}, {'activation': 'softmax'}
    cases = []

    def case(name, loss, options, y, weights, of):
        x = z.clone().requires_grad_(True)
        assert torch.autograd.gradcheck(lambda v: of(y, v, weights), (x,))
        value = of(y, x, weights)
        value.backward()
        cases.append({'name': name, 'loss': loss, 'options': options, 'labels': 'targets' if y is targets else 'classes',
                      'weighted': weights is not None, 'value': value.item(), 'gradient': flat(x.grad)})

    for weights in (None, w):
        tag = '' if weights is None else ', weighted'
        case('binary cross-entropy' + tag, 'binaryCrossEntropy', {}, targets, weights, binary)
        case('categorical cross-entropy' + tag, 'categoricalCrossEntropy', {}, classes, weights, categorical)
        case('Dice of targets' + tag, 'diceLoss', s, targets, weights, lambda y, v, k: dice(y, v, k))
        case('Dice of classes' + tag, 'diceLoss', m, classes, weights, lambda y, v, k: dice(y, v, k, 'softmax'))
        case('Dice of targets and cross-entropy' + tag, 'diceCrossEntropy', s, targets, weights, lambda y, v, k: binary(y, v, k) + dice(y, v, k))
        case('focal of targets' + tag, 'focalLoss', s, targets, weights, lambda y, v, k: focal(y, v, k))
    case('Dice of classes without background', 'diceLoss', {**m, 'withoutBackground': True, 'smooth': 0.1}, classes, None,
         lambda y, v, k: dice(y, v, k, 'softmax', 0.1, False))
    case('Dice of classes and cross-entropy, half and half', 'diceCrossEntropy', {**m, 'diceShare': 0.5}, classes, w,
         lambda y, v, k: categorical(y, v, k) + 0.5 * dice(y, v, k, 'softmax'))
    case('focal of targets, alpha', 'focalLoss', {**s, 'gamma': 1.5, 'alpha': 0.25}, targets, None, lambda y, v, k: focal(y, v, k, gamma=1.5, alpha=0.25))
    case('focal of classes, alpha', 'focalLoss', {**m, 'alpha': [0.2, 0.5, 1]}, classes, w, lambda y, v, k: focal(y, v, k, 'softmax', alpha=[0.2, 0.5, 1.0]))
    with open(OUT, 'w') as f:
        json.dump({'shape': shape, 'logits': flat(z), 'targets': flat(targets), 'classes': flat(classes), 'weights': flat(w), 'cases': cases}, f)


main()
