"""Trains the lung U-Net and writes the model folder.

    python3 models/lung-unet/recipe/train.py --data ../shared/data --out models/lung-unet

With `--folds 1 2 3` it trains one network for each of the other folds of the patients instead, for figures only.
"""
import argparse
import copy
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from augment import augmented, cached
from dataset import FOLDS, OPEN_SET, VALIDATION_FOLD, read_items, split
from export import export
from measure import measure, summary
from network import UNet
from picture import read_grey, read_mask

BATCH = 8
PEAK_RATE = 4e-3
WEIGHT_DECAY = 1e-3
EMA_STEPS = 150  # the average remembers about this many steps


def loss_of(logits, target):
    """Binary cross-entropy plus soft Dice (Milletari et al. 2016) of each picture."""
    probability = torch.sigmoid(logits)
    overlap = (probability * target).sum((1, 2, 3))
    dice = (2 * overlap + 1) / (probability.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logits, target) + (1 - dice).mean()


def batches(items, rng):
    """Endless batches. An image is drawn with 1/sqrt(images of its patient), so that no patient with many rules."""
    pairs = [cached(read_grey(item.image), read_mask(item.mask)) for item in items]
    patients = [item.patient for item in items]
    weight = np.array([patients.count(patient) ** -0.5 for patient in patients])
    while True:
        chosen = rng.choice(len(pairs), BATCH, p=weight / weight.sum())
        drawn = [augmented(pairs[index], rng) for index in chosen]
        yield tuple(torch.stack(part).contiguous(memory_format=torch.channels_last) for part in zip(*drawn))


def average_into(average, net, step):
    """Exponential moving average of weights and batch statistics."""
    keep = min(1 - 1 / EMA_STEPS, step / (step + 10))
    with torch.no_grad():
        for mine, new in zip(average.state_dict().values(), net.state_dict().values()):
            mine.lerp_(new, 1 - keep) if mine.is_floating_point() else mine.copy_(new)


def train(items, steps, seed):
    """-> the averaged network in evaluation mode, trained on all of `items`."""
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    net = UNet().to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(net).eval()
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim == 1]
    optimiser = torch.optim.AdamW([{'params': decayed, 'weight_decay': WEIGHT_DECAY}, {'params': plain, 'weight_decay': 0}], lr=PEAK_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps, pct_start=0.08, cycle_momentum=False)
    started, total = time.time(), 0.0
    for step, (image, target) in zip(range(1, steps + 1), batches(items, np.random.default_rng(seed))):
        with torch.autocast('cpu', dtype=torch.bfloat16):
            logits = net(image)
        loss = loss_of(logits.float(), target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        average_into(average, net, step)
        total += loss.item()
        if step % 100 == 0:
            print(f'step {step}/{steps} loss {total / 100:.4f} {time.time() - started:.0f} s', flush=True)
            total = 0.0
    return average.to(memory_format=torch.contiguous_format).eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--steps', type=int, default=2000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=1, help='more than one changes the rounding')
    parser.add_argument('--folds', type=int, nargs='+', choices=range(FOLDS), default=[VALIDATION_FOLD], help='held out in turn')
    parser.add_argument('--out', type=Path, required=True, help='model folder')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    items, rows = read_items(args.data / OPEN_SET), []
    for fold in args.folds:
        started = time.time()
        training, validation = split(items, fold)
        net = train(training, args.steps, args.seed)
        if fold == VALIDATION_FOLD:
            export(net, args.out)
        measured = measure(net, validation)
        print(json.dumps({'fold': fold, 'seconds': round(time.time() - started), **summary(measured)}), flush=True)
        rows += [{'fold': fold, **row} for row in measured]
        figures = {'steps': args.steps, 'seed': args.seed, 'summary': summary(rows), 'perItem': rows}
        (args.out / 'recipe').mkdir(parents=True, exist_ok=True)
        (args.out / 'recipe' / 'validation.json').write_text(json.dumps(figures, indent=1) + '\n')


if __name__ == '__main__':
    main()
