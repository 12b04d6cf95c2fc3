"""Trains the HeMIS U-Net on generated heads and open MS cases, and writes a checkpoint. `recipe.py` calls this; alone:

    python3 models/mri-hemis/recipe/train.py --heads FOLDER --data ../shared/data --without patient19 --checkpoint FILE

Every picture is read twice, with two subsets of the modalities of which one lies within the other. Without --data there are
generated heads alone.
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

from hemis import MODALITIES, HemisUNet
from plaques import drawn, healed
from slices import COLUMNS, LIMIT, ROWS, moments, normalised
from tissue import tissue_shares, ventricle_distance
from volumes import MS_SET, read_ms, read_phantoms

STEPS, SEED = 3200, 0
CROP, BATCH, PEAK_RATE = 96, 8, 4e-3
MS_SHARE = 0.5
KNOTS = np.linspace(-LIMIT, LIMIT, 9)  # z-scores between which a contrast has one steepness
PLACE_EVERY = 13  # voxels about which squares are cut out
HEAD_LEVEL = 0.2  # of the head's mean on T2: scalp, skull base and neck are above it
HEAD_SHARE = 0.4  # of generated heads: squares anywhere in the head, so that scalp and neck are not taken for lesions
UNSEEN_SHARE = 0.2  # of a patient's pictures: his own lesions do not show on T1 and T1c
SMOOTHING = 10  # pixels
ORDER_WEIGHT = 1.5  # of what a picture gets worse with more modalities
EMA_STEPS = 200  # the average remembers about this many steps


class Generated:
    """A generated head that slices are drawn from; `extracted` takes skull and scalp off."""

    def __init__(self, head, extracted):
        self.shape, self.spacing = head.truth.shape, head.spacing
        volumes = {name: volume * head.brain if extracted else volume for name, volume in head.volumes.items()}
        self.stats = {name: moments(volume) for name, volume in volumes.items()}
        self.volumes, self.truth = volumes, head.truth
        self.brain = np.flatnonzero(head.brain)[::PLACE_EVERY]
        self.head = np.flatnonzero(volumes['T2'] > self.stats['T2'][0] * HEAD_LEVEL)[::PLACE_EVERY]
        self.lesions = np.argwhere(head.truth)
        self.none = np.array([*(normalised(np.zeros(1), self.stats[name])[0] for name in MODALITIES), 0], np.float32)

    def place(self, rng):
        places = self.head if rng.random() < HEAD_SHARE else self.brain
        return places[rng.integers(len(places))]

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
        self.places = np.flatnonzero(tissue.sum(0) > 0.5)[::PLACE_EVERY]
        pieces, count = ndimage.label(head.truth, np.ones((3, 3, 3)))
        self.lesions = [np.argwhere(pieces == i + 1) for i in range(count)]
        self.sizes = np.array([len(piece) for piece in self.lesions], float)

    def place(self, rng):
        return self.places[rng.integers(len(self.places))]

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
        if rng.random() < UNSEEN_SHARE:
            x = np.concatenate([healed(x, target, self.levels, rng)[0][:2], x[2:]])
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
    if voxel is None:
        voxel = np.unravel_index(source.place(rng), source.shape)
    index, cy, cx = voxel[0], voxel[1] + rng.normal(0, 0.12 * rows), voxel[2] + rng.normal(0, 0.12 * columns)
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
    if rng.random() < 0.6:  # anatomy of another shape
        bend = torch.from_numpy(rng.normal(0, rng.uniform(0, 0.04), (1, 2, 6, 6)).astype(np.float32))
        grid = grid + F.interpolate(bend, size=(CROP, CROP), mode='bicubic', align_corners=True).permute(0, 2, 3, 1)
    out = F.grid_sample((planes - none)[None], grid, 'bilinear', 'zeros', align_corners=False)[0] + none
    x, target = source.changed(out.numpy(), unit, rng)
    return appearance(torch.from_numpy(np.ascontiguousarray(x, np.float32)), rng), (torch.from_numpy(target)[None] > 0.5).float()


def appearance(x, rng):
    """Each modality gets a contrast, gain, shift, coil profile, blur and noise of its own."""
    out = []
    for plane in x:
        if rng.random() < 0.85:
            plane = torch.from_numpy(other_contrast(plane.numpy(), rng))
        if rng.random() < 0.4:
            field = torch.from_numpy(rng.normal(0, 0.12, (1, 1, 3, 3)).astype(np.float32))
            plane = plane + (plane + 3) * F.interpolate(field, size=tuple(plane.shape), mode='bicubic', align_corners=True)[0, 0]
        if rng.random() < 0.25:
            plane = F.avg_pool2d(plane[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
        if rng.random() < 0.5:
            plane = plane + torch.from_numpy(rng.normal(0, rng.uniform(0, 0.25), tuple(plane.shape)).astype(np.float32))
        out.append(plane.clamp(-LIMIT, LIMIT))
    return torch.stack(out)


def other_contrast(plane, rng):
    """A rising map of the z-scores whose steepness differs from place to place, and another gain and shift."""
    steps = np.exp(rng.normal(0, 0.3, len(KNOTS) - 1) + rng.normal(0, 0.2)) * np.diff(KNOTS)
    values = np.concatenate([[0], np.cumsum(steps)])
    return np.interp(plane, KNOTS, values - np.interp(0, KNOTS, values) + rng.normal(0, 0.25)).astype(np.float32)


def losses_of(logits, target):
    """
    [n], of each picture: cross-entropy, heavier about lesions, plus Dice by the dot product: over the whole batch,
    pictures with a poor subset would best show nothing at all.
    """
    p, sides = torch.sigmoid(logits), (1, 2, 3)
    dice = (2 * (p * target).sum(sides) + SMOOTHING) / (p.sum(sides) + target.sum(sides) + SMOOTHING)
    weight = 1 + 2 * F.max_pool2d(target, 5, 1, 2)
    entropy = (F.binary_cross_entropy_with_logits(logits, target, reduction='none') * weight).mean(sides)
    return 2 * entropy + 1 - dice


def nested_subsets(n, rng):
    """Two bool [n, modalities], the first within the second: one, two or three modalities, and one to all of the others more."""
    order = rng.permuted(np.tile(np.arange(len(MODALITIES)), (n, 1)), axis=1)
    fewer = rng.integers(1, len(MODALITIES), n)
    more = rng.integers(fewer + 1, len(MODALITIES) + 1)
    return [torch.from_numpy(order < count[:, None]) for count in (fewer, more)]


def train(phantoms, patients, steps=STEPS, seed=SEED):
    """The average of the weights of the last steps."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    generated = [Generated(head, extracted) for head in phantoms for extracted in (False, True)]
    real = [Patient(head) for head in patients]
    net = HemisUNet().to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=1e-3)
    started, total = time.time(), 0.0
    for step in range(1, steps + 1):
        done = step / steps
        rate = PEAK_RATE * (done / 0.05 if done < 0.05 else 0.5 * (1 + math.cos(math.pi * (done - 0.05) / 0.95)))
        for group in optimiser.param_groups:
            group['lr'] = max(rate, PEAK_RATE / 100)
        pools = [real if real and rng.random() < MS_SHARE else generated for _ in range(BATCH)]
        pairs = [sampled(pool[rng.integers(len(pool))], rng) for pool in pools]
        x, target = (torch.stack(part) for part in zip(*pairs))
        with torch.autocast('cpu', dtype=torch.bfloat16):
            logits = net.nested(x, *nested_subsets(BATCH, rng))
        fewer, more = losses_of(logits.float(), torch.cat([target, target])).chunk(2)
        # More modalities must not make a picture worse.
        loss = (fewer + more + ORDER_WEIGHT * (more - fewer.detach()).clamp(min=0)).mean() / 2
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
            print(f'step {step}, {time.time() - started:.0f} s, {time.process_time():.0f} s of the processor, loss {total / 50:.4f}', flush=True)
            total = 0.0
    return average


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--heads', type=Path, required=True, help='folder that phantoms.ts wrote')
    parser.add_argument('--data', type=Path, help='folder with the open MS cases; generated heads alone when left out')
    parser.add_argument('--without', help='a patient of the MS cases that is held back')
    parser.add_argument('--steps', type=int, default=STEPS)
    parser.add_argument('--seed', type=int, default=SEED)
    parser.add_argument('--checkpoint', type=Path, required=True, help='write the weights here')
    args = parser.parse_args()
    torch.set_num_threads(1)
    patients = [head for head in read_ms(args.data / MS_SET) if head.patient != args.without] if args.data else []
    net = train(read_phantoms(args.heads, 'training'), patients, args.steps, args.seed)
    torch.save(net.state_dict(), args.checkpoint)


if __name__ == '__main__':
    main()
