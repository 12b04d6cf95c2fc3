"""Trains the cell counter; export.py writes the model folder.

    node --import ./test/generators/typescript.mjs models/cell-count/recipe/fields.ts fields
    python3 models/cell-count/recipe/train.py --data ../shared/data --fields fields --minutes 30 --largest-sigma 2 --checkpoint first.pt
    python3 models/cell-count/recipe/train.py --data ../shared/data --fields fields --minutes 26 --seed 2 --start first.pt --checkpoint cell-count.pt
"""
import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from counter import CLASSES, Counter, start_from_nuclei
from density import LARGEST_SIGMA, UNIT, density_of
from pictures import KINDS, centroids_of, read_part
from augment import appearance, warped
from picture import normalised

CROP, BATCH, PEAK_RATE = 160, 6, 2e-3
CONTINUED_RATE = 1.2e-3
SHARES = (0.36, 0.36, 0.05, 0.23)  # of the kinds, in the order of KINDS
EMA_STEPS = 200  # the average remembers about this many steps
SLIVER = 0.1  # a nucleus of which the crop shows less is not counted


@dataclass(frozen=True)
class Cached:
    kind: str
    picture: torch.Tensor  # [3, rows, columns], uint8 to save memory
    instances: torch.Tensor  # [rows, columns], int32
    areas: np.ndarray  # pixels of each instance
    positive: np.ndarray  # bool, of each instance
    centres: np.ndarray  # [n, 2] (x, y)
    grey: bool


def cached(pictured):
    picture = np.rint(normalised(pictured.rgb) * 255).astype(np.uint8).transpose(2, 0, 1)
    return Cached(pictured.kind, torch.from_numpy(picture.copy()), torch.from_numpy(pictured.instances), np.bincount(pictured.instances.ravel()),
                  pictured.positive, pictured.dots[:, :2], bool((pictured.rgb == pictured.rgb[..., :1]).all()))


def drawn(pool, rng, largest_sigma, crop=CROP):
    """A random crop -> picture [3, crop, crop], density [classes, crop, crop], and where the picture is [1, crop, crop]."""
    image = pool[rng.integers(len(pool))]
    rows, columns = image.picture.shape[1:]
    near = len(image.centres) and rng.random() < 0.4
    centre = image.centres[rng.integers(len(image.centres))][::-1] if near else rng.uniform(0, (rows, columns))
    x, numbers, scale = warped(image.picture, image.instances + 1, centre, crop, rng, 'zeros')
    inside = numbers > 0
    centres, found, areas = centroids_of((numbers - 1).clamp(min=0).int().numpy())
    full = image.areas[found] / scale ** 2
    seen = areas >= SLIVER * full
    dots = np.c_[centres, image.positive[found]][seen]
    density = torch.from_numpy(density_of(dots, full[seen], (crop, crop), len(CLASSES), largest_sigma))
    return appearance(x, image.grey, rng, 0 if image.kind == 'generated' else 0.1), density, inside[None].float()


def batch_of(caches, rng, largest_sigma, size=BATCH):
    crops = [drawn(caches[KINDS[rng.choice(len(KINDS), p=SHARES)]], rng, largest_sigma) for _ in range(size)]
    image, density, inside = (torch.stack(part) for part in zip(*crops))
    return image.contiguous(memory_format=torch.channels_last), density, inside


def loss_of(density, target, inside):
    """Squared error of the pixels, heavier on cells, and of the counts in windows of 32 and 80 pixels, in proportion to their variance if cells fell at random."""
    error = (density - target) * inside
    loss = 100 * (error ** 2 * (1 + 3 * target.amax(1, keepdim=True).clamp(max=1))).mean()
    for window in (32, 80):
        off, true = (F.avg_pool2d(x, window, window // 2) * window ** 2 / UNIT for x in (error, target * inside))
        loss = loss + 0.5 * (off ** 2 / (1 + true)).mean()
    return loss


def train(pictures, minutes, seed, bfloat16, on_save, start=None, largest_sigma=LARGEST_SIGMA):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    caches = {kind: [cached(one) for one in mine] for kind, mine in pictures.items()}
    net = Counter().to(memory_format=torch.channels_last).train()
    if start is None:
        start_from_nuclei(net, batch_of(caches, rng, largest_sigma, 24)[0])
    else:
        net.load_state_dict(torch.load(start)['net'])
    peak = PEAK_RATE if start is None else CONTINUED_RATE
    average = AveragedModel(net, avg_fn=lambda mean, new, n: mean + (new - mean) / min(EMA_STEPS, 1 + n / 10), use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=peak, weight_decay=1e-2)
    started, saved, step, total = time.time(), time.time(), 0, 0.0
    while (done := (time.time() - started) / (60 * minutes)) < 1:
        rate = peak * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group['lr'] = max(rate, 1e-5)
        image, target, inside = batch_of(caches, rng, largest_sigma)
        with torch.autocast('cpu', torch.bfloat16, enabled=bfloat16):
            density = net(image)
        loss = loss_of(density.float(), target, inside)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        average.update_parameters(net)
        total += loss.item()
        if step % 25 == 0:
            print(f'step {step} loss {total / 25:.4f} {time.time() - started:.0f} s', flush=True)
            total = 0.0
        if time.time() - saved > 60:
            on_save(average.module, step)
            saved = time.time()
    on_save(average.module, step)
    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--fields', type=Path, required=True, help='what fields.ts wrote')
    parser.add_argument('--minutes', type=float, default=40, help='of training, by the clock; the rate falls to zero over them')
    parser.add_argument('--start', type=Path, help='a checkpoint to go on from; else the weights of the nuclei U-Net')
    parser.add_argument('--largest-sigma', type=float, default=LARGEST_SIGMA, help='pixels: of the Gaussian of a large nucleus')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--float32', action='store_true', help='no bfloat16, for processors without AVX-512')
    parser.add_argument('--checkpoint', type=Path, default=Path('cell-count.pt'), help='written each minute')
    args = parser.parse_args()
    torch.set_num_threads(1)
    pictures = read_part(args.data, args.fields, 'training')
    steps = train(pictures, args.minutes, args.seed, not args.float32,
                  lambda net, step: torch.save({'net': net.state_dict(), 'steps': step}, args.checkpoint), args.start, args.largest_sigma)
    print(json.dumps({'steps': steps, 'minutes': args.minutes, 'pictures': {kind: len(mine) for kind, mine in pictures.items()}}))


if __name__ == '__main__':
    main()
