"""Dice of nuclei, and F1 and AP of single nuclei at IoU 0.5, over the validation images, by kind, with bootstrap intervals.

    python3 models/nuclei-unet/recipe/measure.py --data ../shared/data --checkpoint nuclei-unet.pt --out validation.json
    python3 models/nuclei-unet/recipe/measure.py --data ../shared/data --write-validation DIR
    npx overread infer --model nuclei-unet --out MASKS DIR/KIND/*.png
    python3 models/nuclei-unet/recipe/measure.py --data ../shared/data --labels MASKS --out engine.json

Ways of making objects of labels: `mask` is the connected parts of nucleus and border together (as without an edge
output); `edge` those of the nucleus alone, grown back into the border that touches them.
"""
import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from skimage.segmentation import watershed

from dataset import KINDS, read_instances, read_items, read_rgb, split
from picture import decode, encode

SMALLEST = 10  # pixels; smaller parts are no objects


def objects_of(labels, way):
    parts, _ = ndimage.label(labels > 0 if way == 'mask' else labels == 1)
    areas = np.bincount(parts.ravel())
    parts[(areas < SMALLEST)[parts]] = 0
    return parts if way == 'mask' else watershed(np.zeros(labels.shape), parts, mask=labels > 0)


def matches(found, truth):
    """(true positives, false positives, false negatives) at IoU above 0.5, where a match can only be one to one."""
    _, truth = np.unique(truth, return_inverse=True)
    _, found = np.unique(found, return_inverse=True)
    n, m = truth.max() + 1, found.max() + 1
    table = np.bincount(truth.ravel() * m + found.ravel(), minlength=n * m).reshape(n, m)
    union = table.sum(1)[1:, None] + table.sum(0)[None, 1:] - table[1:, 1:]
    hits = int((table[1:, 1:] > 0.5 * union).sum())
    return hits, int(m) - 1 - hits, int(n) - 1 - hits


def measure(items, labels_of):
    rows = []
    for item in items:
        truth, labels = read_instances(item.instances), labels_of(item)
        found = labels > 0
        total = found.sum() + (truth > 0).sum()
        dice = 2 * np.logical_and(found, truth > 0).sum() / total if total else 1.0
        rows.append({'id': item.id, 'kind': item.kind, 'dice': round(float(dice), 5),
                     **{way: matches(objects_of(labels, way), truth) for way in ('mask', 'edge')}})
    return rows


def f1(counts):
    tp, fp, fn = counts
    return 2 * tp / max(2 * tp + fp + fn, 1)


def ap(counts):
    return counts[0] / max(sum(counts), 1)


def summary(rows, draws=2000, seed=1):
    """By kind: mean Dice over images; F1 and AP of all objects pooled; 95 % percentile intervals by drawing images."""
    result = {}
    for kind in KINDS:
        mine = [row for row in rows if row['kind'] == kind]
        chosen = np.random.default_rng(seed).integers(0, len(mine), (draws, len(mine)))

        def interval(value, drawn):
            return {'value': round(float(value), 4), 'low': round(float(np.percentile(drawn, 2.5)), 4), 'high': round(float(np.percentile(drawn, 97.5)), 4)}

        dice, counts = np.array([row['dice'] for row in mine]), {way: np.array([row[way] for row in mine]) for way in ('mask', 'edge')}
        result[kind] = {'images': len(mine), 'nuclei': int(counts['mask'][0:, [0, 2]].sum()), 'dice': interval(dice.mean(), dice[chosen].mean(1)),
                        'worst': min(mine, key=lambda row: row['dice'])['id'], 'worstDice': float(dice.min())}
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--checkpoint', type=Path)
    parser.add_argument('--labels', type=Path, help="folder of the engine's label images, by file name")
    parser.add_argument('--write-validation', type=Path, help='copy the validation pictures there')
    parser.add_argument('--out', type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    items = [item for kind in KINDS for item in split(read_items(args.data, kind))[1]]
    if args.write_validation:
        for item in items:
            (args.write_validation / item.kind).mkdir(parents=True, exist_ok=True)
            shutil.copy(item.image, args.write_validation / item.kind / f'{item.id}.png')
        return
    labels_of = from_checkpoint(args.checkpoint) if args.checkpoint else (
        lambda item: np.asarray(Image.open(next(args.labels.rglob(f'{item.id}*.png')))))
    rows = measure(items, labels_of)
    print(json.dumps(summary(rows), indent=1))
    if args.out:
        args.out.write_text(json.dumps({'summary': summary(rows), 'perItem': rows}, indent=1) + '\n')


if __name__ == '__main__':
    main()
