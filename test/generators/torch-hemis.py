"""Writes test/golden/hemis: a small HeMIS U-Net in PyTorch, and its logits for every subset of four modalities.

    python3 test/generators/torch-hemis.py

Written from the paper (Havaei et al. 2016), apart from src/architectures and from the recipe of mri-hemis. Needs torch.
"""
import base64
import itertools
import json
import os
import struct

import torch
from torch.nn import functional as F

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden', 'hemis')
MODALITIES, WIDTHS, CLASSES, ROWS, COLUMNS = ['T1', 'T1c', 'T2', 'FLAIR'], [3, 5, 4], 2, 16, 24


def parameters():
    """Weights by the names of the layers, convolutions with bias, no normalisation."""
    g = torch.Generator().manual_seed(21)
    state = {}

    def conv(name, inputs, outputs, kernel):
        state[name + '.weight'] = torch.randn((outputs, inputs, kernel, kernel), generator=g) * (2 / (inputs * kernel * kernel)) ** 0.5
        state[name + '.bias'] = 0.3 * torch.randn(outputs, generator=g)

    for m in MODALITIES:
        channels = 1
        for level, width in enumerate(WIDTHS):
            conv(f'{m}.down{level}_conv0', channels, width, 3)
            conv(f'{m}.down{level}_conv1', width, width, 3)
            channels = width
    channels = 2 * WIDTHS[-1]
    for step, width in enumerate(reversed(WIDTHS[:-1])):
        conv(f'up{step}_conv0', channels + 2 * width, width, 3)
        conv(f'up{step}_conv1', width, width, 3)
        channels = width
    conv('logits', channels, CLASSES, 1)
    return state


def network(state, images):
    def conv(x, name):
        return F.relu(F.conv2d(x, state[name + '.weight'], state[name + '.bias'], padding=1))

    levels = [[] for _ in WIDTHS]
    for m, x in images.items():
        for level in range(len(WIDTHS)):
            if level:
                x = F.max_pool2d(x, 2)
            x = conv(conv(x, f'{m}.down{level}_conv0'), f'{m}.down{level}_conv1')
            levels[level].append(x)
    merged = []
    for features in levels:
        mean = sum(features) / len(features)
        variance = torch.zeros_like(mean)
        if len(features) > 1:
            variance = sum((f - mean) ** 2 for f in features) / (len(features) - 1)
        merged.append(torch.cat([mean, variance], 1))
    x = merged.pop()
    for step, skip in enumerate(reversed(merged)):
        x = torch.cat([F.interpolate(x, scale_factor=2, mode='nearest'), skip], 1)
        x = conv(conv(x, f'up{step}_conv0'), f'up{step}_conv1')
    return F.conv2d(x, state['logits.weight'], state['logits.bias'])


def encode(tensor):
    """NCHW → NHWC, base64 of float32."""
    array = tensor.permute(0, 2, 3, 1).contiguous().numpy().astype('<f4')
    return {'shape': list(array.shape), 'base64': base64.b64encode(array.tobytes()).decode()}


def write_safetensors(path, state):
    header, blobs, offset = {}, [], 0
    for name, tensor in state.items():
        blob = tensor.contiguous().numpy().astype('<f4').tobytes()
        header[name] = {'dtype': 'F32', 'shape': list(tensor.shape), 'data_offsets': [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text + b''.join(blobs))


def main():
    os.makedirs(GOLDEN, exist_ok=True)
    state = parameters()
    g = torch.Generator().manual_seed(22)
    images = {m: torch.randn((1, 1, ROWS, COLUMNS), generator=g) for m in MODALITIES}
    subsets = [list(s) for n in range(1, 5) for s in itertools.combinations(MODALITIES, n)]
    write_safetensors(GOLDEN + '/state.safetensors', state)
    golden = {
        'torch': torch.__version__,
        'options': {'inputShape': [ROWS, COLUMNS], 'modalities': MODALITIES, 'classes': CLASSES, 'widths': WIDTHS},
        'images': {m: encode(x) for m, x in images.items()},
        'subsets': [{'present': s, 'logits': encode(network(state, {m: images[m] for m in s}))} for s in subsets],
    }
    with open(GOLDEN + '/golden.json', 'w') as f:
        json.dump(golden, f, indent=1)
        f.write('\n')


if __name__ == '__main__':
    main()
