"""Trains the lung U-Net and writes the model folder.

    python3 models/lung-unet/recipe/train.py --data ../shared/data --out models/lung-unet
"""
import argparse
import copy
import json
import math
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


def batches(real, generated, share, rng):
    """Endless batches; a `share` of each is of generated chests where there are any."""
    order = []
    while True:
        chosen = []
        for slot in range(BATCH):
            if generated and rng.random() < share:
                chosen.append(generated[rng.integers(len(generated))])
                continue
            if not order:
                order = list(rng.permutation(len(real)))
            chosen.append(real[order.pop()])
        pairs = [augmented(pair, rng) for pair in chosen]
        yield tuple(torch.stack(part).contiguous(memory_format=torch.channels_last) for part in zip(*pairs))


def average_into(average, net, step):
    """Exponential moving average of weights and batch statistics."""
    keep = min(1 - 1 / EMA_STEPS, step / (step + 10))
    with torch.no_grad():
        for mine, new in zip(average.state_dict().values(), net.state_dict().values()):
            mine.lerp_(new, 1 - keep) if mine.is_floating_point() else mine.copy_(new)


def train(real, generated, steps, share, seed, minutes=math.inf):
    """-> the averaged network in evaluation mode. Items in, all of them trained on."""
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    load = lambda items: [cached(read_grey(item.image), read_mask(item.mask)) for item in items]
    net = UNet().to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(net).eval()
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim == 1]
    optimiser = torch.optim.AdamW([{'params': decayed, 'weight_decay': WEIGHT_DECAY}, {'params': plain, 'weight_decay': 0}], lr=PEAK_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps, pct_start=0.08, cycle_momentum=False)
    started, total = time.time(), 0.0
    for step, (image, target) in zip(range(1, steps + 1), batches(load(real), load(generated), share, rng)):
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
    parser.add_argument('--generated', type=Path, help='dataset.json of `overread demo --dataset chest`, trained on as well')
    parser.add_argument('--share', type=float, default=0.2, help='of generated chests in a batch')
    parser.add_argument('--steps', type=int, default=2400)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--fold', type=int, default=VALIDATION_FOLD, help='of the patients, held out and measured on')
    parser.add_argument('--cross-validate', action='store_true', help='train one network a fold and write only figures')
    parser.add_argument('--out', type=Path, required=True, help='model folder, or with --cross-validate a JSON file')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    items = read_items(args.data / OPEN_SET)
    generated = read_items(args.generated, wanted='') if args.generated else []
    rows, started = [], time.time()
    for fold in range(FOLDS) if args.cross_validate else [args.fold]:
        training, validation = split(items, fold)
        net = train(training, generated, args.steps, args.share, args.seed)
        rows += [{**row, 'fold': fold} for row in measure(net, validation)]
        print(json.dumps({'fold': fold, 'seconds': round(time.time() - started), **summary(rows)}), flush=True)
    if args.cross_validate:
        args.out.write_text(json.dumps({'steps': args.steps, 'seed': args.seed, 'summary': summary(rows), 'perItem': rows}, indent=1) + '\n')
    else:
        export(net, args.out)


if __name__ == '__main__':
    main()
