"""What the edge head, skips, losses and CASED bring: small networks, equal steps, several seeds, measured on the validation images.

    python3 test/bench/nuclei/compare.py --data ../shared/data --out models/nuclei-unet/recipe/comparison.json

Every network of a seed sees the same crops. Differences are to the first of its part, paired by image (or head) and
averaged over seeds, with 95 % intervals by bootstrap over images; a part stops after the seed that ends its minutes.
"""
import argparse
import itertools
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parents[3] / 'models/nuclei-unet/recipe')]

import sparse
from dataset import KINDS, read_instances, read_items, read_rgb, split, tuning_split
from instances import instances_of
from loss import cross_entropy, dice_loss, weights_of
from measure import ap, dice_of, matches
from network import UNet
from picture import decided, encode
from train import averaged_into, batch_of, cached

WIDTHS, STEPS, PEAK_RATE = (8, 16, 32, 64), 300, 6e-3
MEASURED = ('he', 'fluorescence')
POINTS = tuple(itertools.product((0.35, 0.5, 0.65), (0.25, 0.4, 0.55)))
VARIANTS = {
    'edge head, skips, cross-entropy + Dice': {},
    'no edge head': {'outputs': 1},
    'no skips': {'skips': False},
    'cross-entropy alone': {'losses': ('entropy',)},
    'Dice alone': {'losses': ('dice',)},
}


def trained(caches, seed, outputs=2, skips=True, losses=('entropy', 'dice')):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = UNet(WIDTHS, outputs=outputs, skips=skips).to(memory_format=torch.channels_last).train()
    average = UNet(WIDTHS, outputs=outputs, skips=skips).eval()
    average.load_state_dict(net.state_dict())
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=1e-2)
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group['lr'] = PEAK_RATE * min(1, (step + 1) / 30) * (0.5 + 0.5 * math.cos(math.pi * step / STEPS)) + 1e-5
        image, target, small = batch_of(caches, rng, crop=128)
        weight = weights_of(target, small)[:, :outputs]
        target = target[:, :outputs]
        with torch.autocast('cpu', torch.bfloat16):
            logits = net(image)
        terms = {'entropy': lambda: cross_entropy(logits.float(), target, weight), 'dice': lambda: dice_loss(logits.float(), target)}
        loss = sum(terms[name]() for name in losses)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        averaged_into(average, net, min(0.98, step / (step + 10)))
    return average


def predicted(net, pictures):
    with torch.no_grad():
        return [net(x)[0, :, :truth.shape[0], :truth.shape[1]].numpy() for x, truth in pictures]


def scored(logits, truth, points):
    """-> ((true positives, false positives, false negatives), Dice); without an edge output, objects are connected parts."""
    if len(logits) == 1:
        logits = np.concatenate([logits, np.full_like(logits, -99)])
    found = instances_of(decided(logits, points))
    return matches(found, truth), dice_of(found > 0, truth > 0)


def mean_score(scores):
    return ap(np.sum([counts for counts, _ in scores], 0)) + np.mean([dice for _, dice in scores])


def nuclei(data, seeds, minutes):
    items = {kind: split(read_items(data, kind)) for kind in KINDS}
    caches = [[cached(item) for item in tuning_split(items[kind][0])[0]] for kind in KINDS]

    def pictures(some):
        return [(encode(read_rgb(item.image)), read_instances(item.instances)) for item in some]

    tuning = {kind: pictures(tuning_split(items[kind][0])[1]) for kind in MEASURED}
    validation = {kind: pictures(items[kind][1]) for kind in MEASURED}
    rows, started = [], time.time()
    for seed in range(1, seeds + 1):
        for name, options in VARIANTS.items():
            begun = time.time()
            net = trained(caches, seed, **options)
            outputs = {kind: predicted(net, tuning[kind]) for kind in MEASURED}
            points = max(POINTS, key=lambda p: sum(mean_score([scored(o, t, p) for o, (_, t) in zip(outputs[kind], tuning[kind])]) for kind in MEASURED))
            row = {'variant': name, 'seed': seed, 'points': points}
            for kind in MEASURED:
                scores = [scored(o, t, points) for o, (_, t) in zip(predicted(net, validation[kind]), validation[kind])]
                row[kind] = {'counts': [list(map(int, c)) for c, _ in scores], 'dice': [round(d, 5) for _, d in scores]}
            rows.append(row)
            print(name, seed, points, {kind: (round(ap(np.sum(row[kind]['counts'], 0)), 3), round(float(np.mean(row[kind]['dice'])), 3)) for kind in MEASURED},
                  f'{time.time() - begun:.0f} s', flush=True)
        if time.time() - started > 60 * minutes:
            break
    return rows


def interval(value, drawn):
    return {'value': round(float(value), 4), 'low': round(float(np.percentile(drawn, 2.5)), 4), 'high': round(float(np.percentile(drawn, 97.5)), 4)}


def nuclei_table(rows, draws=2000):
    seeds = sorted({row['seed'] for row in rows if sum(r['seed'] == row['seed'] for r in rows) == len(VARIANTS)})
    table = {}
    for kind in MEASURED:
        of = {name: [row[kind] for row in rows if row['variant'] == name and row['seed'] in seeds] for name in VARIANTS}
        n = len(of[next(iter(VARIANTS))][0]['dice'])
        chosen = np.random.default_rng(1).integers(0, n, (draws, n))
        measures = {'ap': lambda row, at: ap(np.array(row['counts'])[at].sum(0)), 'dice': lambda row, at: np.array(row['dice'])[at].mean()}
        for metric, measure in measures.items():
            whole = {name: np.mean([measure(row, np.arange(n)) for row in of[name]]) for name in VARIANTS}
            drawn = {name: np.array([np.mean([measure(row, at) for row in of[name]]) for at in chosen]) for name in VARIANTS}
            base = next(iter(VARIANTS))
            for name in VARIANTS:
                entry = table.setdefault(name, {'seeds': seeds})
                entry[f'{kind}:{metric}'] = {**interval(whole[name], drawn[name]), 'bySeed': [round(float(measure(row, np.arange(n))), 4) for row in of[name]]}
                if name != base:
                    entry[f'{kind}:{metric}:difference'] = interval(whole[name] - whole[base], drawn[name] - drawn[base])
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--minutes', type=float, default=18, help='of the part about nuclei')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    report = {'steps': STEPS, 'widths': WIDTHS, 'sparse': sparse.compared(args.seeds)}
    rows = nuclei(args.data, args.seeds, args.minutes)
    report |= {'nuclei': nuclei_table(rows), 'perNetwork': [{key: row[key] for key in ('variant', 'seed', 'points')} for row in rows]}
    args.out.write_text(json.dumps(report, indent=1) + '\n')
    print(json.dumps(report, indent=1))


if __name__ == '__main__':
    main()
