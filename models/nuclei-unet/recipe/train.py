"""Trains the nuclei U-Net and writes the model folder.

    python3 models/nuclei-unet/recipe/train.py --data ../shared/data --out models/nuclei-unet
"""
import argparse
import copy
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from dataset import KINDS, read_instances, read_items, read_rgb, split
from export import export
from network import UNet
from picture import normalised, targets_of

CROP, BATCH, PEAK_RATE = 160, 6, 6e-3
SHARES = (0.42, 0.43, 0.15)  # of the kinds, in the order of KINDS
EMA_STEPS = 60  # the average remembers about this many steps


def cached(item):
    """(picture, planes, coordinates of nuclei): [3, ...] and [nucleus, border], uint8 to save memory."""
    rgb, instances = read_rgb(item.image), read_instances(item.instances)
    picture = np.rint(normalised(rgb) * 255).astype(np.uint8).transpose(2, 0, 1)
    planes = targets_of(instances)
    return torch.from_numpy(picture.copy()), torch.from_numpy(planes), np.argwhere(planes[0])


def augmented(cache, rng):
    """A turned, scaled, flipped square around a place of the picture, and its grey scale, stain or polarity changed."""
    picture, planes, nuclei = cache
    rows, columns = picture.shape[1:]
    scale, angle = math.exp(rng.uniform(-0.35, 0.35)), rng.uniform(0, 2 * math.pi)
    half = CROP * scale / 2
    centre = nuclei[rng.integers(len(nuclei))] if len(nuclei) and rng.random() < 0.5 else rng.uniform(0, (rows, columns))
    margin = 0.7 * half
    y0, x0 = (np.clip(c, min(margin, n / 2), max(n - margin, n / 2)) for c, n in zip(centre, (rows, columns)))
    flip = -1 if rng.random() < 0.5 else 1
    cos, sin = math.cos(angle) * half, math.sin(angle) * half
    theta = torch.tensor([[[flip * cos * 2 / columns, -sin * 2 / columns, 2 * x0 / columns - 1],
                           [flip * sin * 2 / rows, cos * 2 / rows, 2 * y0 / rows - 1]]], dtype=torch.float32)
    reach = int(half * 1.5) + 2
    top, left = max(0, int(y0) - reach), max(0, int(x0) - reach)
    bottom, right = min(rows, int(y0) + reach), min(columns, int(x0) + reach)
    part = torch.cat([picture[:, top:bottom, left:right].float() / 255, planes[:, top:bottom, left:right].float()])[None]
    grid = F.affine_grid(theta, (1, 5, CROP, CROP), align_corners=False)
    grid = torch.stack([((grid[..., 0] + 1) * columns / 2 - left) * 2 / (right - left) - 1,
                        ((grid[..., 1] + 1) * rows / 2 - top) * 2 / (bottom - top) - 1], -1)
    out = F.grid_sample(part, grid, 'bilinear', 'reflection', align_corners=False)[0]
    return appearance(out[:3], rng), out[3:]


def appearance(x, rng):
    gamma = math.exp(rng.uniform(-0.5, 0.5))
    x = x.clamp(0, 1) ** gamma
    if rng.random() < 0.5:  # stain: each channel its own gain and shift
        x = x * torch.from_numpy(rng.uniform(0.8, 1.15, (3, 1, 1)).astype(np.float32)) + torch.from_numpy(rng.uniform(-0.08, 0.08, (3, 1, 1)).astype(np.float32))
    if rng.random() < 0.1:
        x = x.mean(0, keepdim=True).expand(3, -1, -1)
    if rng.random() < 0.1:
        x = 1 - x
    if rng.random() < 0.3:
        x = x + torch.randn(x.shape) * rng.uniform(0, 0.05)
    if rng.random() < 0.15:
        x = F.avg_pool2d(x[None], 3, 1, 1)[0]
    return x.clamp(0, 1)


def loss_of(logits, target):
    """Cross-entropy, heavier in and around the edge, plus Dice by the dot product of each output."""
    near = F.max_pool2d(target[:, 1:], 5, 1, 2)
    contour = F.max_pool2d(target[:, :1], 3, 1, 1) + F.max_pool2d(-target[:, :1], 3, 1, 1)
    weight = 1 + 4 * near + 2 * contour
    entropy = (F.binary_cross_entropy_with_logits(logits, target, reduction='none') * weight).sum() / (2 * weight.sum())
    p = torch.sigmoid(logits)
    dice = (2 * (p * target).sum((0, 2, 3)) + 1) / (p.sum((0, 2, 3)) + target.sum((0, 2, 3)) + 1)
    return entropy + (1 - dice).mean()


def train(items, minutes, seed, on_save):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    caches = [[cached(item) for item in items if item.kind == kind] for kind in KINDS]
    net = UNet().to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=1e-3)
    started, saved, step, total = time.time(), time.time(), 0, 0.0
    while (done := (time.time() - started) / (60 * minutes)) < 1:
        rate = PEAK_RATE * min(1, (step + 1) / 30) * (0.5 + 0.5 * math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group['lr'] = max(rate, 1e-5)
        drawn = []
        for _ in range(BATCH):
            pool = caches[rng.choice(len(KINDS), p=SHARES)]
            drawn.append(augmented(pool[rng.integers(len(pool))], rng))
        image, target = (torch.stack(part).contiguous(memory_format=torch.channels_last) for part in zip(*drawn))
        loss = loss_of(net(image), target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        step += 1
        keep = min(1 - 1 / EMA_STEPS, step / (step + 10))
        with torch.no_grad():
            for mine, new in zip(average.state_dict().values(), net.state_dict().values()):
                mine.lerp_(new, 1 - keep) if mine.is_floating_point() else mine.copy_(new)
        total += loss.item()
        if step % 20 == 0:
            print(f'step {step} loss {total / 20:.4f} {time.time() - started:.0f} s', flush=True)
            total = 0.0
        if time.time() - saved > 60:
            on_save(average, step)
            saved = time.time()
    on_save(average, step)
    return average.to(memory_format=torch.contiguous_format).eval(), step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--minutes', type=float, default=30, help='of training, by the clock; the rate falls to zero over them')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--checkpoint', type=Path, default=Path('nuclei-unet.pt'), help='written each minute')
    parser.add_argument('--out', type=Path, required=True, help='model folder')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    items = [item for kind in KINDS for item in split(read_items(args.data, kind))[0]]
    net, steps = train(items, args.minutes, args.seed, lambda net, step: torch.save({'net': net.state_dict(), 'steps': step}, args.checkpoint))
    export(net, args.out)
    print(json.dumps({'steps': steps, 'minutes': args.minutes}))


if __name__ == '__main__':
    main()
