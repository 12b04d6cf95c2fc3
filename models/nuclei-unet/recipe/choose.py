"""Which operating points and sizes give the best AP and Dice on tuning images: first points, then sizes; the best last.

    python3 models/nuclei-unet/recipe/choose.py --data ../shared/data --checkpoint nuclei-unet.pt
"""
import argparse
import itertools
from pathlib import Path

import numpy as np
import torch

from dataset import read_instances, read_items, read_rgb, split, tuning_split
from instances import MINIMUM_MARKER_PIXELS, MINIMUM_PIXELS, instances_of
from measure import ap, dice_of, matches
from network import UNet
from picture import decided, encode

KINDS = ('he', 'fluorescence')
POINTS = tuple(itertools.product((0.4, 0.5, 0.6), (0.2, 0.3, 0.4, 0.5, 0.6)))
SIZES = tuple(itertools.product((10, 15, 20), (1, 4, 8)))


def scores_of(seen, points, sizes):
    """AP and mean Dice of each kind."""
    scores = []
    for pairs in seen.values():
        found = [(instances_of(decided(logits, points), *sizes), truth) for logits, truth in pairs]
        scores += [ap(sum(np.array(matches(*pair)) for pair in found)), np.mean([dice_of(a > 0, b > 0) for a, b in found])]
    return scores


def best_of(seen, choices):
    """Prints a line a choice, in the order of their mean score, and returns the last."""
    ranked = sorted(((scores_of(seen, *choice), choice) for choice in choices), key=lambda pair: np.mean(pair[0]))
    for scores, (points, sizes) in ranked:
        names = (f'{kind} {metric}' for kind in KINDS for metric in ('AP', 'Dice'))
        print('nucleus %g border %g pixels %d marker %d:' % (*points, *sizes), round(float(np.mean(scores)), 4),
              {name: round(float(score), 3) for name, score in zip(names, scores)}, flush=True)
    return ranked[-1][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--checkpoint', type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    net = UNet().eval()
    net.load_state_dict(torch.load(args.checkpoint)['net'])
    seen = {}
    for kind in KINDS:
        seen[kind] = []
        for item in tuning_split(split(read_items(args.data, kind))[0])[1]:
            rgb, truth = read_rgb(item.image), read_instances(item.instances)
            with torch.no_grad():
                seen[kind].append((net(encode(rgb))[0, :, :truth.shape[0], :truth.shape[1]].numpy(), truth))
    points, _ = best_of(seen, [(points, (MINIMUM_PIXELS, MINIMUM_MARKER_PIXELS)) for points in POINTS])
    best_of(seen, [(points, sizes) for sizes in SIZES])


if __name__ == '__main__':
    main()
