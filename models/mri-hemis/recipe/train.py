"""Trains the HeMIS U-Net on generated heads and open MS cases, and writes the model folder or a checkpoint.

    python3 models/mri-hemis/recipe/train.py --heads FOLDER --data ../shared/data --minutes 13 --checkpoint FIRST
    python3 models/mri-hemis/recipe/train.py --heads FOLDER --data ../shared/data --minutes 5 --start FIRST --checkpoint FILE

The second part keeps the statistics of batch normalisation as they are. In the first, they are those of a batch, whose
pictures all have one subset of the modalities; the average over subsets, which is what is shipped, suits none of them.
"""
import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from hemis import MODALITIES, SUBSETS, HemisUNet
from slices import COLUMNS, LIMIT, ROWS, moments, normalised
from volumes import MS_SET, read_ms, read_phantoms

CROP, BATCH, PEAK_RATE = 96, 8, 4e-3
MS_SHARE = 0.5
EMA_STEPS = 80  # the average remembers about this many steps


class Source:
    """A head that slices are drawn from; `extracted` takes skull and scalp off."""

    def __init__(self, head, extracted):
        self.head, self.extracted = head, extracted
        volumes = {name: volume * head.brain if extracted else volume for name, volume in head.volumes.items()}
        self.stats = {name: moments(volume) for name, volume in volumes.items()}
        seen = np.stack([volume > self.stats['T2'][0] * 0.2 for volume in (volumes['T2'],)])[0]
        self.slices = np.flatnonzero(seen.mean((1, 2)) > 0.02)
        self.lesions = np.argwhere(head.truth)

    def planes(self, index):
        values = [self.head.volumes[name][index] for name in MODALITIES]
        if self.extracted:
            values = [value * self.head.brain[index] for value in values]
        planes = [normalised(value, self.stats[name]) for name, value in zip(MODALITIES, values)]
        return torch.from_numpy(np.stack([*planes, self.head.truth[index].astype(np.float32)]))


def sampled(source, rng):
    """A turned, scaled, flipped square of a slice as the network's grid would show it: ([4, CROP, CROP], [1, CROP, CROP])."""
    rows, columns = source.head.truth.shape[1:]
    on_lesion = rng.random() < 0.6 and len(source.lesions)
    if on_lesion:
        index, cy, cx = source.lesions[rng.integers(len(source.lesions))]
        cy, cx = cy + rng.normal(0, 0.12 * rows), cx + rng.normal(0, 0.12 * columns)
    else:
        index, cy, cx = rng.choice(source.slices), rng.uniform(0.15, 0.85) * rows, rng.uniform(0.15, 0.85) * columns
    spacing = source.head.spacing
    unit = max(columns * spacing[0] / COLUMNS, rows * spacing[1] / ROWS) * math.exp(rng.uniform(-0.3, 0.35))  # mm a pixel
    angle, flip = math.radians(rng.normal(0, 7)), -1 if rng.random() < 0.5 else 1
    half_x, half_y = unit * CROP / spacing[0], unit * CROP / spacing[1]  # in units of which 2 are the side
    cos, sin = math.cos(angle), math.sin(angle)
    theta = torch.tensor([[[flip * cos * half_x / columns, -sin * half_x / columns, 2 * cx / columns - 1],
                           [flip * sin * half_y / rows, cos * half_y / rows, 2 * cy / rows - 1]]], dtype=torch.float32)
    planes = source.planes(int(index))
    none = torch.tensor([*(normalised(np.zeros(1), source.stats[name])[0] for name in MODALITIES), 0.0])[:, None, None]
    grid = F.affine_grid(theta, (1, 5, CROP, CROP), align_corners=False)
    out = F.grid_sample((planes - none)[None], grid, 'bilinear', 'zeros', align_corners=False)[0] + none
    return appearance(out[:4], rng), (out[4:] > 0.5).float()


def appearance(x, rng):
    """Each modality gets a contrast, gain, shift, coil profile, blur and noise of its own."""
    out = []
    for plane in x:
        if rng.random() < 0.7:
            t = ((plane + LIMIT) / (2 * LIMIT)).clamp(0, 1)
            plane = plane + (t ** math.exp(rng.normal(0, 0.25)) - t) * 2 * LIMIT
            plane = plane * math.exp(rng.normal(0, 0.15)) + rng.normal(0, 0.2)
        if rng.random() < 0.4:
            field = torch.from_numpy(rng.normal(0, 0.12, (1, 1, 3, 3)).astype(np.float32))
            plane = plane + (plane + 3) * F.interpolate(field, size=tuple(plane.shape), mode='bicubic', align_corners=True)[0, 0]
        if rng.random() < 0.2:
            plane = F.avg_pool2d(plane[None, None], 3, 1, 1)[0, 0]
        if rng.random() < 0.5:
            plane = plane + torch.from_numpy(rng.normal(0, rng.uniform(0, 0.25), tuple(plane.shape)).astype(np.float32))
        out.append(plane.clamp(-LIMIT, LIMIT))
    return torch.stack(out)


def loss_of(logits, target):
    """Cross-entropy plus Dice by the dot product over the batch."""
    p = torch.sigmoid(logits)
    dice = (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
    weight = 1 + 3 * F.max_pool2d(target, 5, 1, 2)
    entropy = (F.binary_cross_entropy_with_logits(logits, target, reduction='none') * weight).mean()
    return entropy + 1 - dice


def train(phantoms, patients, minutes, seed, start=None):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    generated = [Source(head, extracted) for head in phantoms for extracted in (False, True)]
    real = [Source(head, False) for head in patients]
    net = HemisUNet()
    if start:
        net.load_state_dict(torch.load(start, weights_only=True))
    net = net.to(memory_format=torch.channels_last).train(start is None)
    peak = PEAK_RATE / 4 if start else PEAK_RATE
    average = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=peak, weight_decay=1e-3)
    started, step, total = time.time(), 0, 0.0
    while (spent := (time.time() - started) / 60 / minutes) < 1:
        rate = peak * (min(1, spent / 0.05 + 0.05) if spent < 0.05 else 0.5 * (1 + math.cos(math.pi * (spent - 0.05) / 0.95)))
        for group in optimiser.param_groups:
            group['lr'] = rate
        pools = [real if real and rng.random() < MS_SHARE else generated for _ in range(BATCH)]
        pairs = [sampled(pool[rng.integers(len(pool))], rng) for pool in pools]
        x, target = (torch.stack(part) for part in zip(*pairs))
        # Every subset of the modalities comes as often as every other.
        subset = SUBSETS[rng.integers(len(SUBSETS))]
        images = {name: x[:, i:i + 1].contiguous(memory_format=torch.channels_last) for i, name in enumerate(MODALITIES) if name in subset}
        loss = loss_of(net(images), target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        step += 1
        total += float(loss.detach())
        keep = min(1 - 1 / EMA_STEPS, step / (step + 10))
        with torch.no_grad():
            for mine, theirs in zip(average.state_dict().values(), net.state_dict().values()):
                mine.mul_(keep).add_(theirs, alpha=1 - keep) if mine.is_floating_point() else mine.copy_(theirs)
        if step % 50 == 0:
            print(f'step {step}, {60 * spent * minutes:.0f} s, loss {total / 50:.4f}', flush=True)
            total = 0.0
    return average, step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--heads', type=Path, required=True, help='folder that phantoms.ts wrote')
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--without', help='a patient of the MS cases that is held back')
    parser.add_argument('--minutes', type=float, default=15)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--start', type=Path, help='go on from these weights, with their statistics as they are')
    parser.add_argument('--checkpoint', type=Path, required=True, help='write the weights here')
    args = parser.parse_args()
    torch.set_num_threads(1)
    patients = [head for head in read_ms(args.data / MS_SET) if head.patient != args.without]
    net, steps = train(read_phantoms(args.heads, 'training'), patients, args.minutes, args.seed, args.start)
    print(f'{steps} steps on {len(patients)} patients and the generated heads')
    torch.save(net.state_dict(), args.checkpoint)


if __name__ == '__main__':
    main()
