"""Figures of the model folder's weights on the validation patients.

    python3 models/cxr-findings/recipe/measure.py --data ../shared/data [--elsewhere]

With `--elsewhere`: at its operating points on the COVID-19 Image Data Collection, which it never saw.
"""
import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.append(str(Path(__file__).resolve().parents[2] / 'recipes'))
from dataset import LABELS, OPEN_SET, read_items, split  # noqa: E402
from model_folder import read_weights  # noqa: E402
from network import Folded  # noqa: E402
from picture import encode, read_grey  # noqa: E402
from scoring import auc, calibration_error, intervals, sigmoid  # noqa: E402

FEWEST_PATIENTS = 8  # of either class: with fewer, an area over a part of the items is left out
MODEL = Path(__file__).resolve().parent.parent


def scored(net, items):
    """Logits [n, 6]."""
    with torch.no_grad():
        return np.concatenate([net(encode(read_grey(item.path))).numpy() for item in items]).astype(float)


def report(logits, items, pairs, points):
    """Per label, with 95 % intervals by patient. `pairs` and `points` as in the manifest."""
    truths = np.array([[label in item.labels for label in LABELS] for item in items])
    patients, views = np.array([item.patient for item in items]), np.array([item.view for item in items])
    probabilities = np.stack([sigmoid(a * logits[:, k] + b) for k, (a, b) in enumerate(pairs)], 1)
    # Nearly every other finding of this set stands beside Pneumonia: among those, what does a label's score still tell?
    parts = {'PA': views == 'PA', 'AP': views == 'AP', 'amongPneumonia': truths[:, LABELS.index('Pneumonia')]}

    def area(k, part):
        """AUC of a label over a part of the items, where it has enough patients of either class."""
        at = np.flatnonzero(part)
        counts = {'items': len(at), 'positives': int(truths[at, k].sum())}
        if min(len(set(patients[at][truths[at, k] == truth])) for truth in (False, True)) < FEWEST_PATIENTS:
            return counts
        (low,), (high,) = intervals(lambda drawn: [auc(logits[at[drawn], k], truths[at[drawn], k])], patients[at])
        return {**counts, 'auc': rounded(auc(logits[at, k], truths[at, k])), 'low': rounded(low), 'high': rounded(high)}

    def mean_area(at):
        return float(np.mean([auc(logits[at, k], truths[at, k]) for k in range(len(LABELS))]))

    labels = {}
    for k, label in enumerate(LABELS):
        truth, above = truths[:, k], probabilities[:, k] >= points[k]
        labels[label] = {
            **area(k, np.ones(len(items), bool)), 'positivePatients': len(set(patients[truth])),
            'operatingPoint': points[k],
            'truePositives': int((above & truth).sum()), 'falseNegatives': int((~above & truth).sum()),
            'trueNegatives': int((~above & ~truth).sum()), 'falsePositives': int((above & ~truth).sum()),
            'sensitivity': rounded(above[truth].mean()), 'specificity': rounded((~above)[~truth].mean()),
            'calibrationErrorBefore': rounded(calibration_error(sigmoid(logits[:, k]), truth)),
            'calibrationErrorAfter': rounded(calibration_error(probabilities[:, k], truth)),
            'brier': rounded(np.mean((probabilities[:, k] - truth) ** 2)),
            **{name: area(k, part) for name, part in parts.items()},
            # What view and age give by themselves, in the direction that suits these items.
            'aucOfViewAlone': rounded(either_way(views == 'AP', truth)),
            'aucOfAgeAlone': rounded(either_way([item.age for item in items], truth)),
        }
    (low,), (high,) = intervals(lambda drawn: [mean_area(drawn)], patients)
    return {
        'images': len(items), 'patients': len(set(patients)),
        'meanAuc': {'auc': rounded(mean_area(np.arange(len(items)))), 'low': rounded(low), 'high': rounded(high)},
        'labels': labels,
    }


def either_way(scores, truths):
    area = auc(scores, truths)
    return max(area, 1 - area)


def rounded(value):
    return round(float(value), 4)


def per_item(logits, items):
    return [{'id': item.id, 'patient': item.patient, 'view': item.view, 'logits': np.round(row, 5).tolist(),
             'truths': [int(label in item.labels) for label in LABELS]} for item, row in zip(items, logits)]


def elsewhere(net, data, pairs, points):
    """Pneumonias of any cause (nearly all COVID-19), frontal, from other hospitals and papers: how many count as Pneumonia or No Finding."""
    result = {}
    for name in ('open', 'noncommercial'):
        folder = data / name / 'covid-chestxray' / 'dev'
        with open(folder / 'labels.csv', newline='') as rows:
            rows = [row for row in csv.DictReader(rows) if not row['view'].startswith('L')]
        logits = np.concatenate([net(encode(read_grey(folder / 'images' / row['file']))).numpy() for row in rows]).astype(float)
        above = np.stack([sigmoid(a * logits[:, k] + b) >= points[k] for k, (a, b) in enumerate(pairs)], 1)
        healthy = np.array([row['finding'] == 'No Finding' for row in rows])
        for group, of in (('pneumonia', ~healthy), ('noFinding', healthy)):
            patients = [row['patient'] for row, chosen in zip(rows, of) if chosen]
            counts = {label: int(above[of, LABELS.index(label)].sum()) for label in ('Pneumonia', 'No Finding')}
            (low,), (high,) = intervals(lambda drawn: [above[of, LABELS.index('Pneumonia')][drawn].mean()], patients)
            result[f'{name} {group}'] = {'images': int(of.sum()), 'patients': len(set(patients)), **counts, 'shareOfPneumonia': [rounded(low), rounded(high)]}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--model', type=Path, default=MODEL)
    parser.add_argument('--elsewhere', action='store_true')
    args = parser.parse_args()
    torch.set_num_threads(1)
    _, validation = split(read_items(args.data / OPEN_SET))
    output = json.loads((args.model / 'manifest.json').read_text())['output']
    pairs = [(pair['a'], pair['b']) for pair in output['calibration']['targets']]
    points = [target['operatingPoint'] for target in output['targets']]
    net = Folded(read_weights(args.model))
    if args.elsewhere:
        with torch.no_grad():
            print(json.dumps(elsewhere(net, args.data / 'cxr', pairs, points), indent=1))
        return
    logits = scored(net, validation)
    print(json.dumps({'summary': report(logits, validation, pairs, points), 'perItem': per_item(logits, validation)}, indent=1))


if __name__ == '__main__':
    main()
