"""Dice of nuclei, and AP and F1 of single nuclei at IoU 0.5, over the validation images, by kind, with bootstrap intervals.

    python3 models/nuclei-unet/recipe/measure.py --data ../shared/data --checkpoint nuclei-unet.pt --out validation.json
    python3 models/nuclei-unet/recipe/measure.py --data ../shared/data --write-validation DIR
    npx overread eval --model nuclei-unet --dataset DIR/he

The last two measure the same images through the engine. Ways of making objects: `mask` is the connected parts of the
mask (as without an edge output); `edge` is instances.py.
"""
import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from dataset import KINDS, read_instances, read_items, read_rgb, split
from instances import MINIMUM_PIXELS, instances_of
from picture import decode, encode

WAYS = ('mask', 'edge')


def objects_of(labels, way):
    if way == 'edge':
        return instances_of(labels)
    return instances_of((labels > 0).astype(np.uint8), MINIMUM_PIXELS, 1)


def matches(found, truth):
    """(true positives, false positives, false negatives) at IoU above 0.5, where a match can only be one to one."""
    _, truth = np.unique(truth, return_inverse=True)
    _, found = np.unique(found, return_inverse=True)
    n, m = truth.max() + 1, found.max() + 1
    table = np.bincount(truth.ravel() * m + found.ravel(), minlength=n * m).reshape(n, m)
    union = table.sum(1)[1:, None] + table.sum(0)[None, 1:] - table[1:, 1:]
    hits = int((table[1:, 1:] > 0.5 * union).sum())
    return hits, int(m) - 1 - hits, int(n) - 1 - hits


def dice_of(found, truth):
    total = found.sum() + truth.sum()
    return float(2 * np.logical_and(found, truth).sum() / total) if total else 1.0


def measure(items, labels_of):
    rows = []
    for item in items:
        truth, labels = read_instances(item.instances), labels_of(item)
        objects = {way: objects_of(labels, way) for way in WAYS}
        rows.append({'id': item.id, 'kind': item.kind, 'dice': round(dice_of(objects['edge'] > 0, truth > 0), 5),
                     **{way: matches(objects[way], truth) for way in WAYS}})
    return rows


def f1(counts):
    tp, fp, fn = counts
    return 2 * tp / max(2 * tp + fp + fn, 1)


def ap(counts):
    return counts[0] / max(sum(counts), 1)


def summary(rows, draws=2000, seed=1):
    """By kind: mean Dice over images; AP and F1 of all objects pooled, and the mean of the images' AP; 95 % percentile intervals by drawing images."""
    result = {}
    for kind in KINDS:
        mine = [row for row in rows if row['kind'] == kind]
        if not mine:
            continue
        chosen = np.random.default_rng(seed).integers(0, len(mine), (draws, len(mine)))

        def interval(value, drawn):
            return {'value': round(float(value), 4), 'low': round(float(np.percentile(drawn, 2.5)), 4), 'high': round(float(np.percentile(drawn, 97.5)), 4)}

        dice, counts = np.array([row['dice'] for row in mine]), {way: np.array([row[way] for row in mine]) for way in WAYS}
        result[kind] = {'images': len(mine), 'nuclei': int(counts['mask'][:, [0, 2]].sum()), 'dice': interval(dice.mean(), dice[chosen].mean(1)),
                        'worst': min(mine, key=lambda row: row['dice'])['id'], 'worstDice': float(dice.min())}
        each = np.array([ap(row['edge']) for row in mine])
        result[kind]['meanAp:edge'] = interval(each.mean(), each[chosen].mean(1))
        for name, metric in (('f1', f1), ('ap', ap)):
            values = {way: [metric(counts[way][draw].sum(0)) for draw in chosen] for way in counts}
            for way in counts:
                result[kind][f'{name}:{way}'] = interval(metric(counts[way].sum(0)), values[way])
            result[kind][f'{name}:edge-mask'] = interval(metric(counts['edge'].sum(0)) - metric(counts['mask'].sum(0)),
                                                         np.subtract(values['edge'], values['mask']))
    return result


def from_checkpoint(path):
    from network import UNet
    net = UNet().eval()
    net.load_state_dict(torch.load(path)['net'])

    def labels_of(item):
        rgb = read_rgb(item.image)
        with torch.no_grad():
            return decode(net(encode(rgb)), rgb.shape[:2])
    return labels_of


def write_validation(items, folder):
    """Each kind as a data set that `overread eval` reads."""
    listed = {}
    for item in items:
        (folder / item.kind).mkdir(parents=True, exist_ok=True)
        shutil.copy(item.image, folder / item.kind / f'{item.id}.png')
        shutil.copy(item.instances, folder / item.kind / f'{item.id}-instances.png')
        listed.setdefault(item.kind, []).append({'id': item.id, 'patientId': item.id, 'images': [{'path': f'{item.id}.png', 'modality': 'GM'}],
                                                 'instances': f'{item.id}-instances.png'})
    for kind, entries in listed.items():
        about = {'schemaVersion': 1, 'name': f'DSB 2018, {kind}, validation', 'licence': 'CC0-1.0', 'items': entries}
        (folder / kind / 'dataset.json').write_text(json.dumps(about, indent=1) + '\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--checkpoint', type=Path)
    parser.add_argument('--write-validation', type=Path, help='write the validation images there, as data sets')
    parser.add_argument('--out', type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    items = [item for kind in KINDS for item in split(read_items(args.data, kind))[1]]
    if args.write_validation:
        write_validation(items, args.write_validation)
        return
    rows = measure(items, from_checkpoint(args.checkpoint))
    print(json.dumps(summary(rows), indent=1))
    if args.out:
        lines = ',\n'.join('  ' + json.dumps(row) for row in rows)
        args.out.write_text(f'{{\n "summary": {json.dumps(summary(rows), indent=1)},\n "perItem": [\n{lines}\n ]\n}}\n')


if __name__ == '__main__':
    main()
