"""Dice and IoU of a model folder's weights over a data set, at source resolution, with a bootstrap over patients.

    python3 measure.py --data ../shared/data [--set open|noncommercial|PATH/dataset.json] [--overlays DIR]
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage

sys.path.append(str(Path(__file__).resolve().parents[2] / 'recipes'))
from dataset import NONCOMMERCIAL_SET, OPEN_SET, VALIDATION_FOLD, read_items, split  # noqa: E402
from model_folder import read_weights  # noqa: E402
from network import from_folded  # noqa: E402
from picture import decode, encode, read_grey, read_mask  # noqa: E402

MODEL = Path(__file__).resolve().parent.parent


def dice_iou(found, truth):
    overlap = np.logical_and(found, truth).sum()
    total = found.sum() + truth.sum()
    return (2 * overlap / total, overlap / (total - overlap)) if total else (1.0, 1.0)


def measure(net, items, overlays=None):
    """One {id, patient, dice, iou} per item; with `overlays`, a PNG each: truth green, found red, both yellow."""
    rows = []
    for item in items:
        grey, truth = read_grey(item.image), read_mask(item.mask)
        with torch.no_grad():
            found = decode(net(encode(grey)), grey.shape)
        dice, iou = dice_iou(found, truth)
        rows.append({'id': item.id, 'patient': item.patient, 'dice': float(dice), 'iou': float(iou)})
        if overlays:
            save_overlay(grey, truth, found, Path(overlays) / f'{dice:.4f}-{item.id}.png')
    return sorted(rows, key=lambda row: row['dice'])


def save_overlay(grey, truth, found, path):
    rgb = np.repeat(grey.astype(np.uint8)[..., None], 3, -1)
    edges = [mask ^ ndimage.binary_erosion(mask, iterations=2) for mask in (found, truth)]
    rgb[edges[0] | edges[1]] = 0
    for channel, edge in enumerate(edges):
        rgb[edge, channel] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)


def summary(rows, draws=10000, seed=1):
    """Mean over images, 95 % percentile interval by drawing patients with replacement."""
    result = {'images': len(rows), 'patients': len({row['patient'] for row in rows})}
    for metric in ('dice', 'iou'):
        by_patient = {}
        for row in rows:
            by_patient.setdefault(row['patient'], []).append(row[metric])
        sums = np.array([(sum(v), len(v)) for v in by_patient.values()])
        drawn = sums[np.random.default_rng(seed).integers(0, len(sums), (draws, len(sums)))].sum(1)
        low, high = np.percentile(drawn[:, 0] / drawn[:, 1], (2.5, 97.5))
        values = [row[metric] for row in rows]
        result[metric] = {'mean': float(np.mean(values)), 'low': float(low), 'high': float(high),
                          'median': float(np.median(values)), 'worst': min(values)}
    result['worst'] = min(rows, key=lambda row: row['dice'])['id']
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--set', default='open', help='open: the validation patients; noncommercial; or a dataset.json')
    parser.add_argument('--model', type=Path, default=MODEL)
    parser.add_argument('--overlays', type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.set == 'open':
        items = split(read_items(args.data / OPEN_SET), VALIDATION_FOLD)[1]
    elif args.set == 'noncommercial':
        items = read_items(args.data / NONCOMMERCIAL_SET)
    else:
        items = read_items(args.set, wanted='')
    rows = measure(from_folded(read_weights(args.model)), items, args.overlays)
    print(json.dumps({'summary': summary(rows), 'perItem': rows}, indent=1))


if __name__ == '__main__':
    main()
