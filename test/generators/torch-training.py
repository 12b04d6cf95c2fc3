"""Writes test/golden/training.json: 20 steps of training of a small U-Net in PyTorch, for each optimiser.

    python3 test/generators/torch-training.py

Weights of test/golden/gradients/unet.safetensors; pictures and targets are known by formula. Needs torch.
"""
import importlib.util
import json
import os

import torch
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, '..', 'golden')
spec = importlib.util.spec_from_file_location('torch_gradients', os.path.join(HERE, 'torch-gradients.py'))
twins = importlib.util.module_from_spec(spec)
spec.loader.exec_module(twins)
STEPS, RATE, CLIP, SHAPE = 20, 0.01, 1.0, (2, 8, 6, 2)
OPTIMISERS = {
    'sgd': lambda p: torch.optim.SGD(p, lr=RATE, momentum=0.9, weight_decay=0.001),
    'adam': lambda p: torch.optim.Adam(p, lr=RATE, weight_decay=0.001),
    'adamw': lambda p: torch.optim.AdamW(p, lr=RATE, weight_decay=0.05),
}


def batch(step):
    i = torch.arange(2 * 8 * 6 * 2, dtype=torch.float64)
    x = torch.sin(0.1 * i + step).reshape(SHAPE).permute(0, 3, 1, 2)
    y = (torch.sin(0.05 * i + 2 * step) > 0.3).double().reshape(SHAPE).permute(0, 3, 1, 2)
    return x, y


def loss_of(z, y):
    p = torch.sigmoid(z)
    dice = (2 * (p * y).sum((0, 2, 3)) + 1) / ((p * p).sum((0, 2, 3)) + (y * y).sum((0, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(z, y) + 1 - dice.mean()


def main():
    curves = {}
    for name, make in OPTIMISERS.items():
        state = {k: v.double().requires_grad_(True) for k, v in twins.read_safetensors(os.path.join(GOLDEN, 'gradients', 'unet.safetensors')).items()}
        optimiser, curve = make(list(state.values())), []
        for step in range(STEPS):
            x, y = batch(step)
            loss = loss_of(twins.unet(state, x), y)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(state.values()), CLIP)
            optimiser.step()
            curve.append(float(f'{loss.item():.8g}'))
        curves[name] = curve
    with open(os.path.join(GOLDEN, 'training.json'), 'w') as f:
        f.write(json.dumps({'torch': torch.__version__, 'rate': RATE, 'clip': CLIP, 'shape': SHAPE, 'curves': curves}) + '\n')


if __name__ == '__main__':
    main()
