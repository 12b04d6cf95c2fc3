"""What each network makes of patients that none was trained on, with laterals missing; writes results.json, results.md, results.svg.

    python3 test/bench/fusion/evaluate.py --data .cache/fusion --networks .cache/fusion/networks --out test/bench/fusion
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from films import Patients
from networks import FUSIONS, build
from peaks import peaks
from report import plot, table

MISSING = (0.0, 0.3, 0.6, 1.0)
DRAWS = 2000


def load(folder, kind):
    net = build(kind)
    net.load_state_dict(torch.load(Path(folder) / f'{kind}.pt'))
    return net.eval()


def answers(net, patients, views, batch=50):
    """Logits [n, findings] with 'both', 'PA' or 'L' of the views."""
    out = []
    with torch.no_grad():
        for start in range(0, len(patients), batch):
            pa, l = patients.inputs[start:start + batch].split(1, 1)
            out.append(net(pa if views != 'L' else None, l if views != 'PA' else None)['fused'].numpy())
    return np.concatenate(out)


def auc(scores, labels, weights):
    """Area under the ROC curve with a weight a patient, ties half; [..., n] weights -> [...]."""
    order = np.argsort(scores, kind='stable')
    s, positive, w = scores[order], labels[order] > 0, weights[..., order]
    _, group = np.unique(s, return_inverse=True)
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    negatives = np.add.reduceat(w * ~positive, starts, -1)
    positives = np.add.reduceat(w * positive, starts, -1)
    below = np.cumsum(negatives, -1) - negatives
    return (positives * (below + negatives / 2)).sum(-1) / (positives.sum(-1) * negatives.sum(-1))


def aucs(scores, labels, weights):
    """[findings..., mean] for each row of weights."""
    each = np.stack([auc(scores[:, k], labels[:, k], weights) for k in range(labels.shape[1])], -1)
    return np.concatenate([each, each.mean(-1, keepdims=True)], -1)


def interval(draws):
    low, high = np.percentile(draws, (2.5, 97.5), 0)
    return np.stack([low, high], -1).round(4).tolist()


def compare(logits, prior, labels, seed=5):
    """For each share of missing laterals, AUC of every network with a bootstrap over patients, and differences from PA alone."""
    rng = np.random.default_rng(seed)
    n = len(labels)
    weights = np.concatenate([np.ones((1, n)), rng.multinomial(n, np.full(n, 1 / n), DRAWS)])
    loses = rng.permutation(n)  # who loses the lateral first; the same patients for all networks
    results = []
    for share in MISSING:
        gone = np.zeros(n, bool)
        gone[loses[:round(share * n)]] = True
        found = {}
        for kind, by_views in logits.items():
            # The lateral network cannot say anything about a patient without one: the mean of its logits elsewhere.
            absent = np.broadcast_to(prior, labels.shape) if kind == 'L' else by_views['PA']
            found[kind] = aucs(np.where(gone[:, None], absent, by_views['both']), labels, weights)
        best = 'PA' if found['PA'][0, -1] >= found['L'][0, -1] else 'L'
        for kind, drawn in found.items():
            results.append({
                'missing': share, 'network': kind, 'auc': drawn[0].round(4).tolist(), 'interval': interval(drawn[1:]),
                'minusPA': (drawn[0] - found['PA'][0]).round(4).tolist(), 'minusPAInterval': interval(drawn[1:] - found['PA'][1:]),
                'bestSingle': best, 'minusBestSingle': (drawn[0] - found[best][0]).round(4).tolist(),
                'minusBestSingleInterval': interval(drawn[1:] - found[best][1:]),
            })
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('.cache/fusion'))
    parser.add_argument('--networks', type=Path, default=Path('.cache/fusion/networks'))
    parser.add_argument('--part', choices=('test', 'tune'), default='test', help='tune: to choose by; test: to report')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    patients = Patients(args.data / args.part)
    labels = patients.labels.numpy()
    networks = {kind: load(args.networks, kind) for kind in ('PA', 'L', *FUSIONS) if (args.networks / f'{kind}.pt').exists()}
    logits = {kind: {'both': answers(net, patients, 'both'), **({'PA': answers(net, patients, 'PA')} if kind != 'L' else {})}
              for kind, net in networks.items()}
    prior = answers(networks['L'], Patients(args.data / 'tune'), 'both').mean(0)
    results = {
        'part': args.part, 'patients': len(patients), 'targets': patients.targets, 'positives': labels.sum(0).astype(int).tolist(),
        'training': [json.loads((args.networks / f'{kind}.json').read_text()) for kind in networks],
        'auc': compare(logits, prior, labels), 'peaks': peaks(networks, patients),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / 'results.json').write_text(json.dumps(results, indent=1) + '\n')
    (args.out / 'results.md').write_text(table(results))
    plot(results, args.out / 'results.svg')
    print(table(results))


if __name__ == '__main__':
    main()
