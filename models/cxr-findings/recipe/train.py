"""Trains the members of the ensemble and writes the model folder.

    python3 models/cxr-findings/recipe/train.py --data ../shared/data --out models/cxr-findings
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

from augment import MARGIN, augmented
from dataset import LABELS, MEMBERS, OPEN_SET, OTHER_LABELS, folds, read_items, split
from export import export
from measure import per_item, report, scored
from model_folder import read_weights
from network import Ensemble, Folded, ResNet
from picture import SIZE, encode, read_grey
from scoring import auc, operating_point, platt, sigmoid

SMALL_SIZE = 128  # most steps; the last ones see the size that is shipped
SMALL_SHARE = 0.7
BATCH = 16
PEAK_RATE = 2e-3
WEIGHT_DECAY = 0.05
SMOOTHING = 0.05
EMA_STEPS = 120  # the average remembers about this many steps
OTHER_WEIGHT, ABOUT_WEIGHT = 0.3, 0.15
OUTPUTS = len(LABELS) + len(OTHER_LABELS) + 3  # beside the labels: AP, male, age


def targets_of(items):
    """[n, OUTPUTS]: labels 0 or 1, AP, male, age in units of about its spread."""
    return torch.tensor([[float(label in item.labels) for label in LABELS + OTHER_LABELS]
                         + [float(item.view == 'AP'), float(item.sex == 'M'), (item.age - 45) / 17] for item in items])


def loss_of(outputs, targets):
    """Binary cross-entropy of the shipped labels, and with less weight of the others and of view, sex and age."""
    binary = F.binary_cross_entropy_with_logits(outputs[:, :-1], targets[:, :-1] * (1 - SMOOTHING) + SMOOTHING / 2, reduction='none').mean(0)
    n, m = len(LABELS), len(LABELS) + len(OTHER_LABELS)
    age = F.smooth_l1_loss(outputs[:, -1], targets[:, -1])
    return binary[:n].mean() + OTHER_WEIGHT * binary[n:m].mean() + ABOUT_WEIGHT * (binary[m:].mean() + age)


def drawn(patients, rng):
    """Endless batches of indices. An image is drawn with 1/sqrt(images of its patient), so that no patient with many rules."""
    weight = np.array([patients.count(patient) ** -0.5 for patient in patients])
    while True:
        yield rng.choice(len(patients), BATCH, p=weight / weight.sum(), replace=False)


def average_into(average, net, step):
    """Exponential moving average of weights and batch statistics."""
    keep = min(1 - 1 / EMA_STEPS, step / (step + 10))
    with torch.no_grad():
        for mine, new in zip(average.state_dict().values(), net.state_dict().values()):
            mine.lerp_(new, 1 - keep) if mine.is_floating_point() else mine.copy_(new)


def cached(items, size):
    """Pictures somewhat larger than `size`: what `augmented` samples from."""
    return torch.cat([encode(read_grey(item.path), round(size * MARGIN)) for item in items])


def train(pictures, targets, patients, steps, seed):
    """`pictures` is {size: [n, 1, s, s]} -> the averaged network in evaluation mode."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    net = ResNet(OUTPUTS).to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(net).eval()
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim == 1]
    optimiser = torch.optim.AdamW([{'params': decayed, 'weight_decay': WEIGHT_DECAY}, {'params': plain, 'weight_decay': 0}], lr=PEAK_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps, pct_start=0.1, cycle_momentum=False)
    started, total = time.time(), 0.0
    for step, chosen in zip(range(1, steps + 1), drawn(patients, np.random.default_rng(seed))):
        size = SMALL_SIZE if step <= SMALL_SHARE * steps else SIZE
        image = augmented(pictures[size][chosen], size, random).contiguous(memory_format=torch.channels_last)
        loss = loss_of(net(image), targets[chosen])
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


def out_of_fold(nets, inputs, parts):
    """Logits [n, labels] of each training picture by the one member that did not learn from it."""
    logits = np.zeros((len(inputs), len(LABELS)))
    with torch.no_grad():
        for net, (_, kept) in zip(nets, parts):
            logits[kept] = torch.cat([net(part) for part in inputs[kept].split(16)])[:, :len(LABELS)].numpy()
    return logits


def calibrated(logits, truths):
    """-> (a, b) and operating point of each label, as the manifest states them."""
    pairs = [tuple(round(value, 4) for value in platt(logits[:, k], truths[:, k])) for k in range(len(LABELS))]
    points = [operating_point(sigmoid(a * logits[:, k] + b), truths[:, k]) for k, (a, b) in enumerate(pairs)]
    return pairs, [math.floor(point * 1e4) / 1e4 for point in points]


def member(index, parts, training, arguments):
    """The trained member, from the work folder where it is there already."""
    saved = arguments.work / f'member{index}.pt' if arguments.work else None
    net = ResNet(OUTPUTS).eval()
    if saved and saved.exists():
        net.load_state_dict(torch.load(saved))
        return net
    learnt = [training[i] for i in parts[index][0]]
    pictures = {size: cached(learnt, size) for size in (SMALL_SIZE, SIZE)}
    net = train(pictures, targets_of(learnt), [item.patient for item in learnt], arguments.steps, arguments.seed + index)
    if saved:
        saved.parent.mkdir(parents=True, exist_ok=True)
        torch.save(net.state_dict(), saved)
    return net


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--steps', type=int, default=800, help='of each member')
    parser.add_argument('--seed', type=int, default=100)
    parser.add_argument('--threads', type=int, default=1, help='more than one changes the rounding')
    parser.add_argument('--work', type=Path, help='folder that keeps trained members; those that are there are not trained again')
    parser.add_argument('--only', type=int, nargs='+', choices=range(MEMBERS), help='train these members into --work, and no more')
    parser.add_argument('--out', type=Path, help='model folder')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    training, validation = split(read_items(arguments.data / OPEN_SET))
    parts = folds(training)
    if not (arguments.out or arguments.only and arguments.work):
        parser.error('expected --out, or --only with --work')
    nets = [member(index, parts, training, arguments) for index in arguments.only or range(MEMBERS)]
    if arguments.only:
        return
    inputs = torch.cat([encode(read_grey(item.path)) for item in training])
    truths = np.array([[label in item.labels for label in LABELS] for item in training])
    logits = out_of_fold(nets, inputs, parts)
    pairs, points = calibrated(logits, truths)
    export(Ensemble(nets, len(LABELS)).eval(), arguments.out, pairs, points)
    within = [[auc(logits[kept, k], truths[kept, k]) for k in range(len(LABELS))] for _, kept in parts]
    figures = {
        'steps': arguments.steps, 'seed': arguments.seed,
        # Of single members, each on its own kept patients; areas are means over the members, since their scales differ.
        'outOfFold': {'auc': dict(zip(LABELS, np.round(np.mean(within, 0), 4).tolist())), 'meanAuc': round(float(np.mean(within)), 4)},
        'validation': report(measured := scored(Folded(read_weights(arguments.out)), validation), validation, pairs, points),
        'perItem': per_item(measured, validation),
    }
    (arguments.out / 'recipe').mkdir(parents=True, exist_ok=True)
    (arguments.out / 'recipe' / 'validation.json').write_text(json.dumps(figures, indent=1) + '\n')
    by_part = {'training': [item.id for item in training], 'validation': [item.id for item in validation]}
    (arguments.out / 'recipe' / 'split.json').write_text(json.dumps(by_part, indent=1) + '\n')
    print(json.dumps({key: figures[key] for key in ('outOfFold', 'validation')}, indent=1))


if __name__ == '__main__':
    main()
