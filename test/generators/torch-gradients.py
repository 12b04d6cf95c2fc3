"""Writes test/golden/gradients: derivatives of small networks in PyTorch, first and second order, in float64.

    python3 test/generators/torch-gradients.py

For each network the loss is mean (y - logits)^2, which is 'first'; 'second' adds the square of the derivative by the
pictures of the mean logit, as RRR does; 'training' is 'first' with the statistics of the batch. Of every parameter's derivative
(laid out as tfjs does) the norm and three projections are kept. Weights are those of the other golden files; those of
the U-Net and the patch classifier are written here. Needs torch.
"""
import importlib.util
import json
import math
import os
import sys

import torch
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, '..', 'golden')
sys.path.insert(0, HERE)
import torch_networks as net  # noqa: E402


def module(name):
    spec = importlib.util.spec_from_file_location(name.replace('-', '_'), os.path.join(HERE, name + '.py'))
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


golden, hemis = module('torch-golden'), module('torch-hemis')
torch.set_num_threads(1)
PROJECTIONS = 3


def digest(gradient):
    """NCHW kernels -> HWIO, dense kernels -> [in, out]; the norm, and the products with cos((k + 1)·i + k)."""
    laid = gradient.permute(2, 3, 1, 0) if gradient.dim() == 4 else gradient.t() if gradient.dim() == 2 else gradient
    flat = laid.reshape(-1)
    i = torch.arange(len(flat), dtype=torch.float64)
    values = [flat.norm()] + [(flat * torch.cos((k + 1) * i + k)).sum() for k in range(PROJECTIONS)]
    return [float(f'{v.item():.7g}') for v in values]


def target(shape):
    """Known on both sides: no random numbers."""
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    return torch.sin(0.7 * i).reshape(shape)


def loss_of(outputs, pictures, second):
    total = sum(((target(o.permute(0, 2, 3, 1).shape if o.dim() == 4 else o.shape) - (o.permute(0, 2, 3, 1) if o.dim() == 4 else o)) ** 2).mean() for o in outputs)
    if not second:
        return total
    slopes = torch.autograd.grad(sum(o.mean() for o in outputs), pictures, create_graph=True)
    return total + 100 * sum((s ** 2).sum() for s in slopes)


def derivatives(run, parameters, pictures):
    out = {}
    for order in ('first', 'second'):
        for p in parameters.values():
            p.grad = None
        xs = [x.clone().requires_grad_(True) for x in pictures]
        loss = loss_of(run(xs), xs, order == 'second')
        loss.backward()
        out[order] = {'loss': loss.item(), 'gradients': {name: digest(p.grad) for name, p in parameters.items() if p.grad is not None}}
    return out


def of_module(twin, file, pictures, run, batch=None):
    state = torch.load(os.path.join(GOLDEN, file)) if file.endswith('.pt') else read_safetensors(os.path.join(GOLDEN, file))
    twin.load_state_dict({k.replace('model.', '', 1) if k.startswith('model.') else k: v for k, v in state.items()}, strict=False)
    twin = twin.double().eval()
    named = dict(twin.named_parameters())
    out = derivatives(run, named, pictures)
    if batch is None:
        return out
    twin.train()
    for p in named.values():
        p.grad = None
    loss = loss_of(run([batch]), [batch], False)
    loss.backward()
    out['training'] = {'inputs': [golden.encode(batch.float())], 'loss': loss.item(), 'gradients': {n: digest(p.grad) for n, p in named.items() if p.grad is not None}}
    return out


def read_safetensors(path):
    import numpy as np
    import struct
    data = open(path, 'rb').read()
    size = struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:8 + size])
    kinds = {'F32': '<f4', 'I64': '<i8'}
    return {k: torch.from_numpy(np.frombuffer(data[8 + size + v['data_offsets'][0]:8 + size + v['data_offsets'][1]], kinds[v['dtype']]).reshape(v['shape']).copy())
            for k, v in header.items() if k != '__metadata__'}


def convolutions(plan, seed):
    g = torch.Generator().manual_seed(seed)
    state = {}
    for name, *shape in plan:
        fan = math.prod(shape[1:])
        state[name + '.weight'] = torch.randn(shape, generator=g) * (2 / fan) ** 0.5
        state[name + '.bias'] = 0.3 * torch.randn(shape[0], generator=g)
    return state


def conv(state, x, name, padding=1, relu=True):
    y = F.conv2d(x, state[name + '.weight'], state[name + '.bias'], padding=padding)
    return F.relu(y) if relu else y


def unet_plan(widths=(3, 6), inputs=2, classes=2):
    plan, channels = [], inputs
    for level, width in enumerate(widths):
        plan += [(f'down{level}_conv0', width, channels, 3, 3), (f'down{level}_conv1', width, width, 3, 3)]
        channels = width
    for step, width in enumerate(reversed(widths[:-1])):
        plan += [(f'up{step}_conv0', width, channels + width, 3, 3), (f'up{step}_conv1', width, width, 3, 3)]
        channels = width
    return plan + [('logits', classes, channels, 1, 1)]


def unet(state, x, depth=1):
    levels = []
    for level in range(depth + 1):
        x = F.max_pool2d(x, 2) if level else x
        x = conv(state, conv(state, x, f'down{level}_conv0'), f'down{level}_conv1')
        levels.append(x)
    for i, skip in enumerate(levels[-2::-1]):
        x = torch.cat([F.interpolate(x, scale_factor=2, mode='nearest'), skip], 1)
        x = conv(state, conv(state, x, f'up{i}_conv0'), f'up{i}_conv1')
    return conv(state, x, 'logits', 0, False)


def patches(state, x):
    for level in range(2):
        x = F.max_pool2d(conv(state, x, f'conv{level}', 0), 2)
    x = x.permute(0, 2, 3, 1).flatten(1)
    x = F.relu(F.linear(x, state['dense0.weight'], state['dense0.bias']))
    return F.linear(x, state['logits.weight'], state['logits.bias'])


def of_state(state, pictures, run, save=None):
    if save:
        golden.safetensors(os.path.join(GOLDEN, 'gradients', save), state)
    double = {k: v.double().requires_grad_(True) for k, v in state.items()}
    return derivatives(lambda xs: run(double, xs), double, pictures)


def main():
    os.makedirs(os.path.join(GOLDEN, 'gradients'), exist_ok=True)
    picture = lambda shape, seed: golden.picture(shape, seed).double()
    small, x, (pa, l) = golden.SMALL, picture((2, 1, 20, 24), 31), (picture((2, 1, 20, 24), 5), picture((2, 1, 20, 24), 6))
    batch = picture((3, 1, 32, 36), 38)  # of two pictures and their last map of one pixel, statistics are of two numbers: all rounding
    dense, res = net.DenseNet(**small), net.ResNet(classes=3, layers=(1, 2), width=4)
    networks = {
        'densenet': ([x], of_module(dense, 'densenet/state.pt', [x], lambda xs: [dense(*xs)], batch)),
        'resnet': ([x], of_module(res, 'resnet/state.pt', [x], lambda xs: [res(*xs)], batch)),
    }
    twins = {'stacked': net.Stacked(channels=2, **small), 'hemis': net.Hemis(**{**small, 'merge_after': 2}), 'dualnet': net.DualNet(**small), 'auxloss': net.AuxLoss(**small)}
    for name, twin in twins.items():
        networks[name] = ([pa, l], of_module(twin, f'fusion/{name}.safetensors', [pa, l], lambda xs, twin=twin: list(twin(*xs).values())))
    colour = picture((2, 2, 8, 6), 33)
    networks['unet'] = ([colour], of_state(convolutions(unet_plan(), 34), [colour], lambda s, xs: [unet(s, *xs)], 'unet.safetensors'))
    patch = picture((3, 2, 14, 16), 35)
    dense0, logits = ('dense0', 6, 4 * 2 * 2), ('logits', 2, 6)
    state = convolutions([('conv0', 3, 2, 3, 3), ('conv1', 4, 3, 3, 3), dense0, logits], 36)
    networks['patch-classifier'] = ([patch], of_state(state, [patch], lambda s, xs: [patches(s, *xs)], 'patch-classifier.safetensors'))
    series = [picture((2, 1, 8, 12), 40 + i) for i in range(len(hemis.MODALITIES))]
    state = read_safetensors(os.path.join(GOLDEN, 'hemis', 'state.safetensors'))
    networks['hemis-unet'] = (series, of_state(state, series, lambda s, xs: [hemis.network(s, dict(zip(hemis.MODALITIES, xs)))]))
    out = {'torch': torch.__version__, 'networks': {name: {'inputs': [golden.encode(p.float()) for p in pictures], **of} for name, (pictures, of) in networks.items()}}
    with open(os.path.join(GOLDEN, 'gradients', 'golden.json'), 'w') as f:
        f.write(json.dumps(out) + '\n')


if __name__ == '__main__':
    main()
