"""Dice of every subset of the modalities on heads that were held back, at the operating point that is shipped, each of a whole
head at the resolution of its own voxels; 95 % intervals by head. `recipe.py` calls this; alone it measures a checkpoint again:

    python3 models/mri-hemis/recipe/measure.py --heads FOLDER --data ../shared/data --checkpoint FILE --held-back patient19 --rows FILE
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
HEADS = 12  # generated ones
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


def measured(net, heads, file):
    """Writes a row a head into a file as they come, and leaves out heads that it has already."""
    rows = json.loads(file.read_text()) if file.exists() else []
    for head in heads:
        if head.id in (row['id'] for row in rows):
            continue
        at_points = {'+'.join(subset): dices(counts, head.truth) for subset, counts in counted(net, head).items()}
        rows.append({'id': head.id, 'kind': head.kind, 'lesionVoxels': int(head.truth.sum()), 'atPoints': at_points})
        print(head.id, {name: values[POINTS.index(OPERATING_POINT)] for name, values in at_points.items()}, flush=True)
        file.write_text(json.dumps(rows) + '\n')
    return rows


def decided(rows):
    """{subset: Dice of each of the rows at the operating point}."""
    return {'+'.join(subset): [row['atPoints']['+'.join(subset)][POINTS.index(OPERATING_POINT)] for row in rows] for subset in SUBSETS}


def interval(values, draws=10000, seed=1):
    """Mean, and the 95 % percentile interval by drawing heads with replacement; none of a single patient."""
    values = np.array(values)
    if len(values) < 3:
        return {'mean': float(values.mean()), 'heads': len(values)}
    drawn = values[np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))].mean(1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {'mean': float(values.mean()), 'low': float(low), 'high': float(high), 'heads': len(values)}


def worse_with_one_more(dice):
    """Pairs where one modality more makes the mean worse by over 0.01: (without, with, interval of the difference by head)."""
    pairs = []
    for subset in SUBSETS:
        for more in MODALITIES:
            if more in subset:
                continue
            fewer, larger = '+'.join(subset), '+'.join(name for name in MODALITIES if name in (*subset, more))
            change = interval(np.subtract(dice[larger], dice[fewer]))
            if change['mean'] < -0.01:
                pairs.append({'without': fewer, 'with': larger, 'change': change})
    return pairs


def by_count(dice):
    """Mean Dice of the subsets of one, two, three and four modalities."""
    return [float(np.mean([dice['+'.join(subset)] for subset in SUBSETS if len(subset) == n])) for n in range(1, len(MODALITIES) + 1)]


def card_text(columns):
    """The card's tables, as markdown: {column: {subset: Dice of its heads}}."""
    def cell(values):
        e = interval(values)
        return f"{e['mean']:.3f} ({e['low']:.3f}–{e['high']:.3f})" if 'low' in e else f"{e['mean']:.3f}"

    def change(pair):
        return f"{pair['without'].replace('+', ', ')} → with {(set(pair['with'].split('+')) - set(pair['without'].split('+'))).pop()} {cell_of(pair['change'])}"

    def cell_of(e):
        return f"{e['mean']:+.3f} ({e['low']:+.3f} to {e['high']:+.3f})" if 'low' in e else f"{e['mean']:+.3f}"

    lines = ['| there | ' + ' | '.join(columns) + ' |', '| --- |' + ' --- |' * len(columns)]
    for subset in SUBSETS:
        lines.append(f"| {', '.join(subset)} | " + ' | '.join(cell(dice['+'.join(subset)]) for dice in columns.values()) + ' |')
    for n in range(len(MODALITIES)):
        lines.append(f"| *mean of those with {n + 1}* | " + ' | '.join(f'*{by_count(dice)[n]:.3f}*' for dice in columns.values()) + ' |')
    worse = [f"- {name}: " + ('; '.join(map(change, worse_with_one_more(dice))) or 'nowhere') + '.' for name, dice in columns.items()]
    return '\n'.join([*lines, '', 'Where one modality more made the mean worse by over 0.01, with the interval of the difference:', '', *worse])


def write_report(folds, validation, card):
    """{name of a held-back patient, or '': its rows} -> `validation.json` and what stands between the card's marks."""
    rows = [{**row, 'fold': fold} for fold, of in folds.items() for row in of]
    columns = {f'generated, {kind}': [row for row in rows if row['kind'] == kind] for kind in ('tumour', 'plaques')}
    columns |= {row['id']: [row] for row in rows if row['kind'] == 'ms'}
    columns = {name: decided(of) for name, of in columns.items() if of}
    report = {'operatingPoints': POINTS, 'perHead': rows, 'byCount': {name: by_count(dice) for name, dice in columns.items()},
              'worseWithOneMore': {name: worse_with_one_more(dice) for name, dice in columns.items()}}
    validation.write_text(json.dumps(report) + '\n')
    text = card_text(columns)
    print(text)
    begin, end = '<!-- measured -->', '<!-- /measured -->'
    before, rest = card.read_text().split(begin)
    card.write_text(before + begin + '\n' + text + '\n' + end + rest.split(end)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--heads', type=Path, help='folder that phantoms.ts wrote')
    parser.add_argument('--limit', type=int, default=HEADS, help='how many of the generated heads, half of them of each kind')
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--held-back', help='the patient that was not trained on')
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--rows', type=Path, required=True, help='write a row a head here')
    args = parser.parse_args()
    torch.set_num_threads(1)
    heads = [head for head in read_ms(args.data / MS_SET) if head.patient == args.held_back] if args.held_back else []
    heads += read_phantoms(args.heads, 'validation')[:args.limit] if args.heads else []
    measured(loaded(args.checkpoint), heads, args.rows)


if __name__ == '__main__':
    main()
