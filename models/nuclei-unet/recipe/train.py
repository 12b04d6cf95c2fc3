"""Trains the nuclei U-Net; export.py writes the model folder.

    python3 models/nuclei-unet/recipe/train.py --data ../shared/data --checkpoint nuclei-unet.pt
"""
import argparse
import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from augment import appearance, warped
from dataset import KINDS, read_instances, read_items, read_rgb, split, tuning_split
from loss import cross_entropy, dice_loss, weights_of
from network import UNet
from picture import normalised, targets_of

CROP, BATCH, PEAK_RATE = 160, 6, 4e-3
SHARES = (0.52, 0.40, 0.08)  # of the kinds, in the order of KINDS
EMA_STEPS = 200  # the average remembers about this many steps
SMALL = 100  # pixels of a nucleus, below which it weighs more


@dataclass(frozen=True)
class Cached:
    picture: torch.Tensor  # [3, rows, columns], uint8 to save memory
    instances: torch.Tensor  # [rows, columns], int32
    areas: torch.Tensor  # pixels of each instance, 0 for the background
    centres: np.ndarray  # [n, 2] (row, column)
    grey: bool


def cached(item):
    rgb, instances = read_rgb(item.image), read_instances(item.instances)
    picture = np.rint(normalised(rgb) * 255).astype(np.uint8).transpose(2, 0, 1)
    areas = np.bincount(instances.ravel()).astype(np.float32)
    rows, columns = (np.bincount(instances.ravel(), axis.ravel()) / np.maximum(areas, 1) for axis in np.indices(instances.shape))
    areas[0] = 0
    return Cached(torch.from_numpy(picture.copy()), torch.from_numpy(instances), torch.from_numpy(areas),
                  np.stack([rows, columns], 1)[areas > 0], bool((rgb == rgb[..., :1]).all()))


def drawn(pool, rng, crop=CROP):
    """A random crop -> picture [3, crop, crop], instances and the area of each pixel's nucleus [crop, crop]; half of the crops around a nucleus."""
    image = pool[rng.integers(len(pool))]
    shape = image.picture.shape[1:]
    centre = image.centres[rng.integers(len(image.centres))] if len(image.centres) and rng.random() < 0.5 else rng.uniform(0, shape)
    x, instances, scale = warped(image.picture, image.instances, centre, crop, rng)
    return appearance(x, image.grey, rng), instances, image.areas[instances.long()] / scale ** 2


def batch_of(caches, rng, crop=CROP):
    """[n, 3, crop, crop], its targets [n, 2, crop, crop] and where the nuclei are small [n, 1, crop, crop]."""
    crops = [drawn(caches[rng.choice(len(KINDS), p=SHARES)], rng, crop) for _ in range(BATCH)]
    image, instances, areas = (torch.stack(part) for part in zip(*crops))
    small = ((areas > 0) & (areas < SMALL)).float()[:, None]
    return image.contiguous(memory_format=torch.channels_last), targets_of(instances, areas), small


def averaged_into(average, net, keep):
    with torch.no_grad():
        for mine, new in zip(average.state_dict().values(), net.state_dict().values()):
            mine.lerp_(new, 1 - keep) if mine.is_floating_point() else mine.copy_(new)


def train(items, minutes, seed, bfloat16, on_save):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    caches = [[cached(item) for item in items if item.kind == kind] for kind in KINDS]
    net = UNet().to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=1e-2)
    started, saved, step, total, feeding = time.time(), time.time(), 0, 0.0, 0.0
    while (done := (time.time() - started) / (60 * minutes)) < 1:
        rate = PEAK_RATE * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group['lr'] = max(rate, 1e-5)
        begun = time.time()
        image, target, small = batch_of(caches, rng)
        feeding += time.time() - begun
        with torch.autocast('cpu', torch.bfloat16, enabled=bfloat16):
            logits = net(image)
        logits = logits.float()
        loss = cross_entropy(logits, target, weights_of(target, small)) + dice_loss(logits, target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        averaged_into(average, net, min(1 - 1 / EMA_STEPS, step / (step + 10)))
        total += loss.item()
        if step % 50 == 0:
            print(f'step {step} loss {total / 50:.4f} {time.time() - started:.0f} s, {feeding:.0f} of them crops', flush=True)
            total = 0.0
        if time.time() - saved > 60:
            on_save(average, step)
            saved = time.time()
    on_save(average, step)
    return average.to(memory_format=torch.contiguous_format).eval(), step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--minutes', type=float, default=40, help='of training, by the clock; the rate falls to zero over them')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--float32', action='store_true', help='no bfloat16, for processors without AVX-512')
    parser.add_argument('--checkpoint', type=Path, default=Path('nuclei-unet.pt'), help='written each minute')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    items = [item for kind in KINDS for item in tuning_split(split(read_items(args.data, kind))[0])[0]]
    _, steps = train(items, args.minutes, args.seed, not args.float32, lambda net, step: torch.save({'net': net.state_dict(), 'steps': step}, args.checkpoint))
    print(json.dumps({'steps': steps, 'minutes': args.minutes, 'images': len(items)}))


if __name__ == '__main__':
    main()
