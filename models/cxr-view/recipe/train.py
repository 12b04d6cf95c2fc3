"""Trains the network on the packed pictures and keeps its weights.

    python3 train.py --out .cache/cxr-view/network.pt [--half] [--device cuda --workers 14]
"""
import argparse
import copy
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from augment import (FRONTAL, INVERTED, LATERAL, OTHER, ROTATED, chest_variants, other_variants, quarter_turns, renormalised, shuffled)
from network import ViewNet
from pool import HALF, chest_pools, kept, other_pools

# Pictures of a batch, by what they are drawn from and what they become.
REAL, FRONTAL_PHANTOMS, LATERAL_PHANTOMS = 24, 8, 18
OTHERS, SHUFFLED = 17, 3
TURNED, NEGATIVE = 0.19, 0.19  # shares of the chest pictures
PEAK_RATE, WEIGHT_DECAY, EMA_STEPS = 3e-3, 1e-3, 100


def batch_of(chests, others, rng):
    """-> (input [n, 1, SIZE, SIZE], class [n])"""
    names = ('real', 'frontal phantom', 'lateral phantom')
    counts = (REAL, FRONTAL_PHANTOMS, LATERAL_PHANTOMS)
    drawn = [chests[name].draw(count, rng) for name, count in zip(names, counts)]
    planes, aspects = (torch.cat(part) for part in zip(*drawn))
    source = torch.from_numpy(np.repeat([0, 1, 2], counts))
    partners = chests['real'].draw(len(planes), rng)[0]
    image, inside = chest_variants(planes, aspects, source > 0, source == 2, partners, rng)
    label = torch.where(source == 2, LATERAL, FRONTAL)
    fate = torch.from_numpy(rng.random(len(planes)))
    negative, turned = fate < NEGATIVE, (fate >= NEGATIVE) & (fate < NEGATIVE + TURNED)
    image = renormalised(torch.where(negative.view(-1, 1, 1), 1 - image, image), inside)
    turns = np.where(turned.numpy(), rng.integers(1, 4, len(planes)), 0)
    turns = np.where(negative.numpy() & (rng.random(len(planes)) < 0.2), rng.integers(1, 4, len(planes)), turns)
    image = quarter_turns(image, turns)
    label = torch.where(negative, INVERTED, torch.where(turned, ROTATED, label))
    kinds = rng.choice(sorted(others), OTHERS)
    drawn = [others[kind].draw(1, rng) for kind in kinds]
    other = other_variants(*(torch.cat(part) for part in zip(*drawn)), rng)
    torn = shuffled(image[torch.from_numpy(rng.permutation(len(image))[:SHUFFLED])], rng)
    image = torch.cat([image, other, torn])
    return image[:, None], torch.cat([label, torch.full((OTHERS + SHUFFLED,), OTHER)])


def average_into(average, net, step):
    """Exponential moving average of weights and batch statistics."""
    keep = min(1 - 1 / EMA_STEPS, step / (step + 10))
    with torch.no_grad():
        for mine, new in zip(average.state_dict().values(), net.state_dict().values()):
            mine.lerp_(new, 1 - keep) if mine.is_floating_point() else mine.copy_(new)


class Batches(torch.utils.data.Dataset):
    """Batch `step` depends on the seed and the step alone, whatever process draws it."""

    def __init__(self, chests, others, steps, seed):
        self.chests, self.others, self.steps, self.seed = chests, others, steps, seed

    def __len__(self):
        return self.steps

    def __getitem__(self, step):
        return batch_of(self.chests, self.others, np.random.default_rng([self.seed, step]))


def train(chests, others, steps, seed, device='cpu', workers=0):
    """-> the averaged network in evaluation mode, on the CPU"""
    torch.manual_seed(seed)
    net = ViewNet().to(device, memory_format=torch.channels_last).train()
    average = copy.deepcopy(net).eval()
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim == 1]
    optimiser = torch.optim.AdamW([{'params': decayed, 'weight_decay': WEIGHT_DECAY}, {'params': plain, 'weight_decay': 0}], lr=PEAK_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps, pct_start=0.1, cycle_momentum=False)
    loader = torch.utils.data.DataLoader(Batches(chests, others, steps, seed), batch_size=None, num_workers=workers)
    started, total = time.time(), 0.0
    for step, (image, label) in enumerate(loader, 1):
        loss = F.cross_entropy(net(image.to(device, memory_format=torch.channels_last))[1], label.to(device), label_smoothing=0.01)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        average_into(average, net, step)
        total += loss.item()
        if step % 50 == 0:
            print(f'step {step}/{steps} loss {total / 50:.4f} {time.time() - started:.0f} s', flush=True)
            total = 0.0
    return average.cpu().to(memory_format=torch.contiguous_format).eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--work', type=Path, default=Path('.cache/cxr-view'), help='generated and packed pictures, trained networks')
    parser.add_argument('--steps', type=int, default=900)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--workers', type=int, default=0, help='processes that draw batches')
    parser.add_argument('--half', action='store_true', help='train on half of the kinds that are no chest radiograph, to measure on the others')
    parser.add_argument('--out', type=Path, required=True, help='where the network goes')
    args = parser.parse_args()
    torch.set_num_threads(1)
    phantoms = args.work / 'phantoms'
    chests = kept(args.work / 'chests.npz', lambda: chest_pools(args.data, phantoms))
    others = kept(args.work / 'others.npz', lambda: other_pools(args.data, phantoms))
    if args.half:
        others = {kind: others[kind] for kind in HALF}
    net = train(chests, others, args.steps, args.seed, args.device, args.workers)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), args.out)


if __name__ == '__main__':
    main()
