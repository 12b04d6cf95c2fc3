"""Three ways of drawing patches where the target is far below 0.5 % of the pixels: uniform, balanced, CASED.

The target is the necrotic core of a tumour in generated heads (phantoms.ts), read from FLAIR and T1c. Heads of
training and test are different seeds of the generator. Same small U-Net, same number of patches, from the same start.
"""
import json
import math
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from loss import dice_loss
from network import UNet

WIDTHS, PATCH, GRID, BATCH, STEPS, PEAK_RATE = (8, 16, 32), 48, 16, 12, 200, 6e-3
TRAINING_HEADS, TEST_HEADS = 30, 20
SAMPLERS = ('uniform', 'balanced', 'cased')


def heads(first, count):
    """-> planes [slices, 2, rows, columns] in 0..1, targets [slices, rows, columns], and what phantoms.ts says."""
    with tempfile.TemporaryDirectory() as folder:
        command = ['node', '--import', './test/generators/typescript.mjs', 'test/bench/nuclei/phantoms.ts', '--first', str(first), '--heads', str(count), '--out', f'{folder}/heads.bin']
        about = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3]).stdout)
        planes = np.fromfile(f'{folder}/heads.bin', np.uint8).reshape(-1, 3, about['rows'], about['columns'])
    return torch.from_numpy(planes[:, :2].astype(np.float32) / 255), torch.from_numpy(planes[:, 2].astype(np.float32)), about


class Patches:
    """All patches of a grid over all slices, parted into those with target and those without; a probability is kept for each.

    CASED (Jesson et al. 2017, MICCAI): the probability of a patch falls as the network does better there. Here it is the
    running mean of the patch's cross-entropy within its class, and the classes are drawn alike, beginning with the
    target's alone and falling to one half over the first third of the training.
    """

    def __init__(self, targets, rng):
        self.rng = rng
        slices, rows, columns = targets.shape
        ys, xs = range(0, rows - PATCH + 1, GRID), range(0, columns - PATCH + 1, GRID)
        self.places = np.array([(s, y, x) for s in range(slices) for y in ys for x in xs])
        has = np.array([bool(targets[s, y:y + PATCH, x:x + PATCH].any()) for s, y, x in self.places])
        self.classes = [np.flatnonzero(has), np.flatnonzero(~has)]
        self.errors = np.ones(len(self.places))

    def draw(self, sampler, done):
        if sampler == 'uniform':
            return self.rng.integers(len(self.places), size=BATCH)
        share = 0.5 if sampler == 'balanced' else max(0.5, 1 - 1.5 * done)
        drawn = []
        for _ in range(BATCH):
            some = self.classes[int(self.rng.random() >= share)]
            weights = self.errors[some] if sampler == 'cased' else np.ones(len(some))
            drawn.append(self.rng.choice(some, p=weights / weights.sum()))
        return np.array(drawn)

    def note(self, drawn, errors):
        self.errors[drawn] = 0.3 * self.errors[drawn] + 0.7 * errors


def trained(planes, targets, sampler, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    patches = Patches(targets, rng)
    net = UNet(WIDTHS, inputs=2, outputs=1).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=1e-2)
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group['lr'] = PEAK_RATE * min(1, (step + 1) / 30) * (0.5 + 0.5 * math.cos(math.pi * step / STEPS)) + 1e-5
        drawn = patches.draw(sampler, step / STEPS)
        places = patches.places[drawn]
        image = torch.stack([planes[s, :, y:y + PATCH, x:x + PATCH] for s, y, x in places])
        target = torch.stack([targets[s, None, y:y + PATCH, x:x + PATCH] for s, y, x in places])
        logits = net(image)
        each = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction='none').mean((1, 2, 3))
        loss = each.mean() + dice_loss(logits, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        patches.note(drawn, np.maximum(each.detach().numpy(), 1e-3))
    return net.eval()


def dice_by_head(net, planes, targets, slices):
    with torch.no_grad():
        found = torch.cat([net(part) for part in planes.split(24)])[:, 0] > 0
    found, truth = (x.reshape(-1, slices * x.shape[1] * x.shape[2]).bool() for x in (found, targets))
    return (2 * (found & truth).sum(1) / (found.sum(1) + truth.sum(1)).clamp(min=1)).numpy()


def compared(seeds, draws=2000):
    planes, targets, about = heads(1000, TRAINING_HEADS)
    unseen, truth, test = heads(2000, TEST_HEADS)
    dice = {name: [] for name in SAMPLERS}
    for seed in range(1, seeds + 1):
        for name in SAMPLERS:
            begun = time.time()
            dice[name].append(dice_by_head(trained(planes, targets, name, seed), unseen, truth, test['slicesPerHead']))
            print(name, seed, round(float(dice[name][-1].mean()), 3), f'{time.time() - begun:.0f} s', flush=True)
    chosen = np.random.default_rng(1).integers(0, TEST_HEADS, (draws, TEST_HEADS))
    mean = {name: np.mean(dice[name], 0) for name in SAMPLERS}

    def interval(values):
        drawn = values[chosen].mean(1)
        return {'value': round(float(values.mean()), 4), 'low': round(float(np.percentile(drawn, 2.5)), 4), 'high': round(float(np.percentile(drawn, 97.5)), 4)}

    return {'share': {'training': about['share'], 'test': test['share']}, 'heads': {'training': TRAINING_HEADS, 'test': TEST_HEADS}, 'steps': STEPS,
            'samplers': {name: {'dice': interval(mean[name]), 'bySeed': [round(float(d.mean()), 4) for d in dice[name]],
                                **({'difference': interval(mean[name] - mean['uniform'])} if name != 'uniform' else {})} for name in SAMPLERS}}
