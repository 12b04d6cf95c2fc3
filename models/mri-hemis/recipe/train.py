"""Trains the HeMIS U-Net on generated heads and open MS cases, and writes a checkpoint.

    python3 models/mri-hemis/recipe/train.py --heads FOLDER --steps 800 --checkpoint GENERATED
    python3 models/mri-hemis/recipe/train.py --heads FOLDER --data ../shared/data --start GENERATED --steps 2500 --checkpoint FILE

Without --data it sees generated heads alone. Every picture of a batch has a subset of the modalities of its own, so that the
statistics of batch normalisation are those of all subsets together, which is what is shipped.
"""
import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional as F

from hemis import MODALITIES, SUBSETS, HemisUNet
from plaques import drawn, healed
from slices import COLUMNS, LIMIT, ROWS, moments, normalised
from tissue import tissue_shares, ventricle_distance
from volumes import MS_SET, read_ms, read_phantoms

CROP, BATCH, PEAK_RATE = 96, 8, 4e-3
MS_SHARE = 0.7
SMOOTHING = 10  # pixels
EMA_STEPS = 120  # the average remembers about this many steps
SUBSET_PRESENT = torch.tensor([[name in subset for name in MODALITIES] for subset in SUBSETS])
# One modality, two, three and four come equally often: four are otherwise one subset of 15.
SUBSET_CHANCE = np.array([1 / math.comb(4, len(subset)) / 4 for subset in SUBSETS])


class Generated:
    """A generated head that slices are drawn from; `extracted` takes skull and scalp off."""

    def __init__(self, head, extracted):
        self.shape, self.spacing = head.truth.shape, head.spacing
        volumes = {name: volume * head.brain if extracted else volume for name, volume in head.volumes.items()}
        self.stats = {name: moments(volume) for name, volume in volumes.items()}
        self.volumes, self.truth = volumes, head.truth
        self.slices = np.flatnonzero((volumes['T2'] > self.stats['T2'][0] * 0.2).mean((1, 2)) > 0.02)
        self.lesions = np.argwhere(head.truth)
        self.none = np.array([*(normalised(np.zeros(1), self.stats[name])[0] for name in MODALITIES), 0], np.float32)

    def lesion(self, rng):
        return self.lesions[rng.integers(len(self.lesions))] if len(self.lesions) else None

    def planes(self, index):
        planes = [normalised(self.volumes[name][index], self.stats[name]) for name in MODALITIES]
        return np.stack([*planes, self.truth[index].astype(np.float32)])

    def changed(self, planes, unit, rng):
        return planes[:4], planes[4]


class Patient:
    """A brain-extracted patient, who gets other plaques, other contrasts and fewer of his own lesions every time."""

    def __init__(self, head):
        self.shape, self.spacing = head.truth.shape, head.spacing
        z = {name: normalised(volume, moments(volume)) for name, volume in head.volumes.items()}
        tissue = tissue_shares(z, head.truth)
        self.levels = [float(np.median(z[name][tissue[2] > 0.95])) for name in MODALITIES]
        self.all = np.stack([*(z[name] for name in MODALITIES), head.truth.astype(np.float32), *tissue, ventricle_distance(tissue[0])]).astype(np.float16)
        self.none = np.array([*(normalised(np.zeros(1), moments(head.volumes[name]))[0] for name in MODALITIES), 0, 0, 0, 0, 99], np.float32)
        self.slices = np.flatnonzero(tissue.sum(0).mean((1, 2)) > 0.02)
        pieces, count = ndimage.label(head.truth, np.ones((3, 3, 3)))
        self.lesions = [np.argwhere(pieces == i + 1) for i in range(count)]
        self.sizes = np.array([len(piece) for piece in self.lesions], float)

    def lesion(self, rng):
        """A voxel of one of the lesions: the more often, the larger, but by far not in proportion."""
        chance = self.sizes ** 0.4
        piece = self.lesions[rng.choice(len(self.sizes), p=chance / chance.sum())]
        return piece[rng.integers(len(piece))]

    def planes(self, index):
        return self.all[:, index].astype(np.float32)

    def changed(self, planes, unit, rng):
        x, target, tissue, ventricles = planes[:4], np.clip(planes[4], 0, 1), planes[5:8], planes[8]
        if rng.random() < 0.4:
            x, target = healed(x, target, self.levels, rng)
        if rng.random() < 0.75:
            x, target = drawn(x, target, tissue, ventricles, self.levels, unit, rng)
        if rng.random() < 0.7:
            # Another scanner: fluid and grey matter lie elsewhere, white matter and what is in it stay.
            change = rng.normal(0, (0.35, 0.3), (4, 2))
            x = x + np.einsum('mt,tyx->myx', change, tissue[:2]) * (1 - target)
        return x, target


def sampled(source, rng):
    """A turned, scaled, flipped square of a slice as the network's grid would show it: ([4, CROP, CROP], [1, CROP, CROP])."""
    rows, columns = source.shape[1:]
    voxel = source.lesion(rng) if rng.random() < 0.5 else None
    if voxel is not None:
        index, cy, cx = voxel
        cy, cx = cy + rng.normal(0, 0.12 * rows), cx + rng.normal(0, 0.12 * columns)
    else:
        index, cy, cx = rng.choice(source.slices), rng.uniform(0.25, 0.75) * rows, rng.uniform(0.25, 0.75) * columns
    spacing = source.spacing
    unit = max(columns * spacing[0] / COLUMNS, rows * spacing[1] / ROWS) * math.exp(rng.uniform(-0.25, 0.3))  # mm a pixel
    angle, flip = math.radians(rng.normal(0, 7)), -1 if rng.random() < 0.5 else 1
    half_x, half_y = unit * CROP / spacing[0], unit * CROP / spacing[1]  # in units of which 2 are the side
    cos, sin = math.cos(angle), math.sin(angle)
    theta = torch.tensor([[[flip * cos * half_x / columns, -sin * half_x / columns, 2 * cx / columns - 1],
                           [flip * sin * half_y / rows, cos * half_y / rows, 2 * cy / rows - 1]]], dtype=torch.float32)
    none = torch.from_numpy(source.none)[:, None, None]
    planes = torch.from_numpy(source.planes(int(index)))
    grid = F.affine_grid(theta, (1, len(planes), CROP, CROP), align_corners=False)
    out = F.grid_sample((planes - none)[None], grid, 'bilinear', 'zeros', align_corners=False)[0] + none
    x, target = source.changed(out.numpy(), unit, rng)
    return appearance(torch.from_numpy(np.ascontiguousarray(x, np.float32)), rng), (torch.from_numpy(target)[None] > 0.5).float()


def appearance(x, rng):
    """Each modality gets a contrast, gain, shift, coil profile, blur and noise of its own."""
    out = []
    for plane in x:
        if rng.random() < 0.7:
            t = ((plane + LIMIT) / (2 * LIMIT)).clamp(0, 1)
            plane = plane + (t ** math.exp(rng.normal(0, 0.25)) - t) * 2 * LIMIT
            plane = plane * math.exp(rng.normal(0, 0.22)) + rng.normal(0, 0.25)
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
    """
    Cross-entropy, heavier about lesions, plus Dice of each picture by the dot product: over the whole batch, pictures
    with a poor subset would best show nothing at all.
    """
    p, sides = torch.sigmoid(logits), (1, 2, 3)
    dice = (2 * (p * target).sum(sides) + SMOOTHING) / (p.sum(sides) + target.sum(sides) + SMOOTHING)
    weight = 1 + 2 * F.max_pool2d(target, 5, 1, 2)
    entropy = (F.binary_cross_entropy_with_logits(logits, target, reduction='none') * weight).mean()
    return 2 * entropy + 1 - dice.mean()


def train(phantoms, patients, steps, seed, start=None, keep_at=None, peak=PEAK_RATE, share=MS_SHARE):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    generated = [Generated(head, extracted) for head in phantoms for extracted in (False, True)]
    real = [Patient(head) for head in patients]
    net = HemisUNet()
    if start:
        net.load_state_dict(torch.load(start, weights_only=True))
    net = net.to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=peak, weight_decay=1e-3)
    started, total = time.time(), 0.0
    for step in range(1, steps + 1):
        done = step / steps
        rate = peak * (done / 0.05 if done < 0.05 else 0.5 * (1 + math.cos(math.pi * (done - 0.05) / 0.95)))
        for group in optimiser.param_groups:
            group['lr'] = max(rate, peak / 100)
        pools = [real if real and rng.random() < share else generated for _ in range(BATCH)]
        pairs = [sampled(pool[rng.integers(len(pool))], rng) for pool in pools]
        x, target = (torch.stack(part) for part in zip(*pairs))
        with torch.autocast('cpu', dtype=torch.bfloat16):
            logits = net.mixed(x, SUBSET_PRESENT[rng.choice(len(SUBSETS), BATCH, p=SUBSET_CHANCE)])
        loss = loss_of(logits.float(), target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        total += float(loss.detach())
        keep = min(1 - 1 / EMA_STEPS, step / (step + 10))
        with torch.no_grad():
            for mine, theirs in zip(average.state_dict().values(), net.state_dict().values()):
                mine.mul_(keep).add_(theirs, alpha=1 - keep) if mine.is_floating_point() else mine.copy_(theirs)
        if step % 50 == 0:
            print(f'step {step}, {time.time() - started:.0f} s, loss {total / 50:.4f}', flush=True)
            total = 0.0
            if keep_at:
                torch.save(average.state_dict(), keep_at)
    return average


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--heads', type=Path, required=True, help='folder that phantoms.ts wrote')
    parser.add_argument('--data', type=Path, help='folder with the open MS cases; generated heads alone when left out')
    parser.add_argument('--without', help='a patient of the MS cases that is held back')
    parser.add_argument('--steps', type=int, default=2500)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--rate', type=float, default=PEAK_RATE, help='learning rate at its peak')
    parser.add_argument('--share', type=float, default=MS_SHARE, help='of patients among the pictures')
    parser.add_argument('--start', type=Path, help='go on from these weights')
    parser.add_argument('--checkpoint', type=Path, required=True, help='write the weights here')
    args = parser.parse_args()
    torch.set_num_threads(1)
    patients = [head for head in read_ms(args.data / MS_SET) if head.patient != args.without] if args.data else []
    net = train(read_phantoms(args.heads, 'training'), patients, args.steps, args.seed, args.start, args.checkpoint, args.rate, args.share)
    torch.save(net.state_dict(), args.checkpoint)


if __name__ == '__main__':
    main()
