"""Chooses the markers' rule and calibrates the intervals, on tuning images: what it prints goes into markers.py and interval.json.

    python3 models/cell-count/recipe/tune.py --data ../shared/data --fields fields --checkpoint cell-count.pt
"""
import argparse
import json
from itertools import product
from pathlib import Path

import numpy as np
import torch

from counter import CLASSES, Counter
from markers import MINIMUM_DISTANCE, MINIMUM_PEAK, counts_of, markers_of, matched
from pictures import KINDS, centroids_of, read_part
from picture import encode

LEVEL = 0.9
RULES = tuple(product((3, 4, 5, 6), (0.05, 0.15)))


def loaded(checkpoint):
    net = Counter().eval()
    net.load_state_dict(torch.load(checkpoint)['net'])
    return net


def densities(net, pictures):
    """{kind: [(picture, density [classes, rows, columns])]}"""
    seen = {}
    for kind, mine in pictures.items():
        with torch.no_grad():
            seen[kind] = [(one, net(encode(one.rgb))[0, :, :one.rgb.shape[0], :one.rgb.shape[1]].numpy()) for one in mine]
    return seen


def reach_of(one):
    """How far from its nucleus a marker may be, pixels: half of the picture's median diameter, as `overread eval` has it."""
    areas = centroids_of(one.instances)[2]
    return float(np.median(np.sqrt(areas / np.pi))) if len(areas) else 0


def f1(pairs, rule):
    hits = found = dots = 0
    for one, density in pairs:
        markers = markers_of(density, *rule)
        hits, found, dots = hits + len(matched(markers, one.dots, reach_of(one))), found + len(markers), dots + len(one.dots)
    return 2 * hits / (found + dots)


def truths(one):
    return np.bincount(one.dots[:, 2].astype(int), minlength=len(CLASSES))


def calibrated(counts, true):
    """(constant, proportional) of the narrowest half widths, on average, that hold all but the share that LEVEL leaves; conformal, so n + 1."""
    off, n = np.abs(counts - true), len(counts)
    kept = min(n, int(np.ceil((n + 1) * LEVEL)))
    best = (np.inf, 0, 0)
    for proportional in np.arange(0, 0.4, 0.005):
        constant = max(0, np.sort(off - proportional * counts)[kept - 1])
        best = min(best, (constant + proportional * counts.mean(), constant, proportional))
    return {'constant': round(float(best[1]), 2), 'proportional': round(float(best[2]), 3)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--fields', type=Path, required=True)
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--out', type=Path, default=Path(__file__).parent / 'interval.json')
    args = parser.parse_args()
    torch.set_num_threads(1)
    seen = densities(loaded(args.checkpoint), read_part(args.data, args.fields, 'tuning'))
    ranked = sorted((([f1(seen[kind], rule) for kind in KINDS if kind != 'brightfield-gray'], rule) for rule in RULES), key=lambda line: np.mean(line[0]))
    for scores, rule in ranked[-6:]:
        print('distance %d peak %g: F1' % rule, [round(score, 3) for score in scores])
    pairs = [pair for mine in seen.values() for pair in mine]
    counts, true = (np.array([of(part) for part in parts]) for of, parts in ((counts_of, [d for _, d in pairs]), (truths, [one for one, _ in pairs])))
    interval = {'level': LEVEL, **calibrated(counts.sum(1), true.sum(1)), 'classes': [calibrated(counts[:, k], true[:, k]) for k in range(len(CLASSES))]}
    for kind, mine in seen.items():
        off = np.array([counts_of(d).sum() - len(one.dots) for one, d in mine])
        n = np.array([len(one.dots) for one, _ in mine])
        held = np.abs(off) <= interval['constant'] + interval['proportional'] * (n + off)
        print(kind, len(mine), f'images, {held.mean():.2f} held, MAE {np.abs(off).mean():.2f} of {n.mean():.1f}, bias {off.mean():+.2f}, F1 {f1(mine, (MINIMUM_DISTANCE, MINIMUM_PEAK)):.3f}')
    print(json.dumps(interval))
    args.out.write_text(json.dumps(interval, indent=1) + '\n')


if __name__ == '__main__':
    main()
