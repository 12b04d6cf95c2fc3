"""Dice of every subset of the modalities on heads that were held back, with 95 % intervals by patient.

    python3 models/mri-hemis/recipe/measure.py --heads FOLDER --data ../shared/data --checkpoint FILE \\
        --fold patient07=FILE --fold patient19=FILE --out models/mri-hemis/recipe/validation.json

Generated heads are measured with the weights that are shipped, at the operating point that is shipped; each MS patient with
weights that never saw that patient (`train.py --without`), at the operating point that is best for the other patients. Dice is
of a whole head at the resolution of its own voxels.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from hemis import MODALITIES, SUBSETS, HemisUNet
from slices import OPERATING_POINT, at_pixels, encode, logit, moments
from volumes import MS_SET, read_ms, read_phantoms

BATCH = 4
POINTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def loaded(checkpoint):
    net = HemisUNet()
    net.load_state_dict(torch.load(checkpoint, weights_only=True))
    for layers in [*(layers for encoder in net.encoders.values() for layers in encoder), *net.up]:
        for i in (0, 3):
            layers[i], layers[i + 1] = fuse_conv_bn_eval(layers[i].eval(), layers[i + 1].eval()), nn.Identity()
    return net.eval().to(memory_format=torch.channels_last)


@torch.no_grad()
def counted(net, head):
    """{subset: pixels [points, 2]}, found and found rightly at each of POINTS: encoders run once, what the subsets share."""
    inputs = {name: encode(volume, moments(volume), head.spacing) for name, volume in head.volumes.items()}
    counts = {subset: np.zeros((len(POINTS), 2), int) for subset in SUBSETS}
    slices, rows, columns = head.truth.shape
    for start in range(0, slices, BATCH):
        features = {name: net.features(name, x[start:start + BATCH]) for name, x in inputs.items()}
        for subset in SUBSETS:
            logits, truth = at_pixels(net.merged([features[name] for name in subset]), rows, columns, head.spacing), head.truth[start:start + BATCH]
            counts[subset] += [((found := logits >= logit(point)).sum(), (found & truth).sum()) for point in POINTS]
    return counts


def dices(counts, truth):
    """Dice of a whole head at each of POINTS."""
    return [round(float(2 * right / max(1, found + truth.sum())), 4) for found, right in counts]


def measured(net, heads, known):
    rows = []
    for head in heads:
        if head.id in known:
            rows.append(known[head.id])
            continue
        at_points = {'+'.join(subset): dices(counts, head.truth) for subset, counts in counted(net, head).items()}
        rows.append({'id': head.id, 'patient': head.patient, 'kind': head.kind, 'atPoints': at_points})
        print(head.id, at_points, flush=True)
    return rows


def best_point(rows):
    """The operating point whose Dice is the best, as the mean of all subsets and rows."""
    return POINTS[int(np.mean([list(row['atPoints'].values()) for row in rows], (0, 1)).argmax())]


def decided(rows, point):
    """Rows with their Dice at an operating point."""
    return [{**row, 'point': point, 'dice': {name: values[POINTS.index(point)] for name, values in row['atPoints'].items()}} for row in rows]


def interval(values, draws=10000, seed=1):
    """Mean, and the 95 % percentile interval by drawing patients with replacement; none of a single patient."""
    values = np.array(values)
    if len(values) < 3:
        return {'mean': float(values.mean()), 'patients': len(values)}
    drawn = values[np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))].mean(1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {'mean': float(values.mean()), 'low': float(low), 'high': float(high), 'patients': len(values)}


def out_of_order(means):
    """Pairs where one modality more makes it worse by over 0.01: [(without, with, difference)]."""
    pairs = []
    for subset in SUBSETS:
        for more in MODALITIES:
            if more in subset:
                continue
            larger = '+'.join(name for name in MODALITIES if name in (*subset, more))
            change = means[larger] - means['+'.join(subset)]
            if change < -0.01:
                pairs.append(['+'.join(subset), larger, round(change, 3)])
    return pairs


def table(groups, ms):
    """The card's table, as markdown."""
    def cell(e):
        return f"{e['mean']:.3f} ({e['low']:.3f}–{e['high']:.3f})" if 'low' in e else f"{e['mean']:.3f}"
    lines = ['| there | ' + ' | '.join([*groups, *(row['id'] for row in ms)]) + ' |', '| --- |' + ' --- |' * (len(groups) + len(ms))]
    for subset in SUBSETS:
        name = '+'.join(subset)
        cells = [cell(interval([row['dice'][name] for row in rows])) for rows in groups.values()] + [f"{row['dice'][name]:.3f}" for row in ms]
        lines.append(f"| {', '.join(subset)} | " + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def write_card(path, text):
    """Replaces what stands between the card's marks."""
    begin, end = '<!-- measured -->', '<!-- /measured -->'
    card = path.read_text()
    before, rest = card.split(begin)
    path.write_text(before + begin + '\n' + text + '\n' + end + rest.split(end)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--heads', type=Path, required=True)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--fold', action='append', default=[], help='PATIENT=CHECKPOINT that was trained without the patient')
    parser.add_argument('--out', type=Path, default=Path(__file__).parent / 'validation.json')
    parser.add_argument('--card', type=Path, default=Path(__file__).parents[1] / 'README.md')
    parser.add_argument('--limit', type=int, default=24, help='how many of the generated heads, half of them of each kind')
    parser.add_argument('--rows', type=Path, action='append', default=[], help='outcomes of former calls with the same weights, not measured again')
    args = parser.parse_args()
    torch.set_num_threads(1)
    known = {row['id']: row for file in args.rows for row in json.loads(file.read_text())['perHead']}
    phantoms = measured(loaded(args.checkpoint), read_phantoms(args.heads, 'validation')[:args.limit], known)
    patients = {head.patient: head for head in read_ms(args.data / MS_SET)}
    ms = [row for fold in args.fold for patient, file in [fold.split('=')] for row in measured(loaded(file), [patients[patient]], known)]
    phantoms = decided(phantoms, OPERATING_POINT)
    others = {row['id']: [other for other in ms if other['patient'] != row['patient']] for row in ms}
    ms = [held for row in ms for held in decided([row], best_point(others[row['id']]) if others[row['id']] else OPERATING_POINT)]
    groups = {'generated, tumour': [r for r in phantoms if r['kind'] == 'tumour'], 'generated, plaques': [r for r in phantoms if r['kind'] == 'plaques']} if phantoms else {}
    means = {name: {s: float(np.mean([r['dice'][s] for r in rows])) for s in rows[0]['dice']} for name, rows in {**groups, **{r['id']: [r] for r in ms}}.items()}
    report = {'perHead': phantoms + ms, 'worseWithOneMore': {name: out_of_order(m) for name, m in means.items()}}
    args.out.write_text(json.dumps(report, indent=1) + '\n')
    worse = '; '.join(f"{name}: " + (', '.join(f"{a} → {b} ({d:+.3f})" for a, b, d in pairs) or 'none') for name, pairs in report['worseWithOneMore'].items())
    print('best operating point of the patients together', best_point(ms) if ms else None, {row['id']: row['point'] for row in ms})
    text = table(groups, ms) + f'\n\nWhere one modality more made it worse by over 0.01: {worse}.'
    print(text)
    if args.card.exists():
        write_card(args.card, text)


if __name__ == '__main__':
    main()
