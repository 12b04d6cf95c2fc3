"""Does a mask keep a classifier from learning the site's marker? Generated pictures, five ways to train, several seeds.

    python3 test/bench/right-reasons/experiment.py --out test/bench/right-reasons

A picture is noise; the finding is a faint disc anywhere; a bright square in a corner is the marker of a site. In training the
marker comes with the finding nearly always, in the test as often with as without. Masks are of the discs; a picture without
the finding has none. In PyTorch, for speed: the losses are those of src/losses, which test/golden/guided-losses.test.ts
holds to PyTorch's, derivatives included. Writes results.json, table.md and plot.png.
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SIDE, TRAIN, TEST, STEPS, BATCH, RATE = 24, 400, 600, 250, 32, 3e-3
CORRELATION = 0.97  # of marker and finding in training
METHODS = {'baseline': 0.0, 'RRR': 30.0, 'GradMask': 0.3, 'ActivDiff': 0.3, 'reversal': 0.3}  # weights, set beforehand and not tuned


def pictures(count, correlation, seed):
    """-> x [n, 1, side, side], finding, marker [n], mask [n, 1, side, side]"""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.5, (count, SIDE, SIDE)).astype(np.float32)
    finding = rng.integers(0, 2, count)
    marker = np.where(rng.random(count) < correlation, finding, 1 - finding)
    mask = np.zeros_like(x)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for i in range(count):
        if finding[i]:
            cy, cx = rng.uniform(7, SIDE - 4, 2)
            disc = np.hypot(rows - cy, columns - cx) < 3.5
            x[i][disc] += 0.6
            mask[i] = disc
        if marker[i]:
            x[i, 1:4, 1:4] += 1.5
    return [torch.from_numpy(np.ascontiguousarray(a)) for a in (x[:, None], finding.astype(np.float32), marker.astype(np.float32), mask[:, None])]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU())
        self.head, self.site = nn.Linear(24, 1), nn.Sequential(nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 1))

    def representation(self, x):
        # The largest of each feature: a mean would drown a disc of 38 pixels.
        return self.features(x).amax((2, 3))

    def forward(self, x):
        return self.head(self.representation(x))[:, 0]


class Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.weight = weight
        return x.clone()

    @staticmethod
    def backward(ctx, dy):
        return -ctx.weight * dy, None


def shuffled_outside(x, mask, rng):
    out = x.clone()
    for i in range(len(x)):
        places = (mask[i, 0] == 0).nonzero(as_tuple=True)
        order = torch.from_numpy(rng.permutation(len(places[0])))
        out[i, 0][places] = x[i, 0][places][order]
    return out


def added_loss(method, net, x, marker, mask, progress, rng):
    has = mask.flatten(1).amax(1) > 0
    if method == 'reversal':
        weight = 2 / (1 + math.exp(-10 * progress)) - 1
        return F.binary_cross_entropy_with_logits(net.site(Reversed.apply(net.representation(x), weight))[:, 0], marker)
    if method == 'ActivDiff':
        whole, masked = net.representation(x[has]), net.representation(shuffled_outside(x[has], mask[has], rng))
        return ((whole - masked) ** 2).sum(1).add(1e-12).sqrt().mean()
    x = x.clone().requires_grad_(True)
    z = net(x)
    total = (F.logsigmoid(z) + F.logsigmoid(-z)).sum() if method == 'RRR' else z.abs().sum()
    slope, = torch.autograd.grad(total, x, create_graph=True)
    outside = (slope * (1 - mask) * has[:, None, None, None]).pow(2).sum((1, 2, 3))
    return outside.mean() if method == 'RRR' else outside.add(1e-12).sqrt().mean()


def trained(method, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x, finding, marker, mask = pictures(TRAIN, CORRELATION, 1000 + seed)
    net = Net()
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
    for step in range(STEPS):
        at = torch.from_numpy(rng.integers(0, TRAIN, BATCH))
        loss = F.binary_cross_entropy_with_logits(net(x[at]), finding[at])
        if METHODS[method]:
            loss = loss + METHODS[method] * added_loss(method, net, x[at], marker[at], mask[at], step / STEPS, rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net


def auc(scores, truths):
    order = scores.argsort()
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    p = truths.sum()
    return (ranks[truths > 0].sum() - p * (p + 1) / 2) / (p * (len(truths) - p))


def saliency_iou(net, x, mask, finding):
    """Of pictures with the finding: the strongest pixels of the input gradient, as many as the mask has, against the mask."""
    x, mask = x[finding > 0].clone().requires_grad_(True), mask[finding > 0]
    slope, = torch.autograd.grad(net(x).sum(), x)
    smooth = F.avg_pool2d(slope.abs(), 3, 1, 1)
    shares = []
    for s, m in zip(smooth[:, 0], mask[:, 0]):
        k = int(m.sum())
        top = torch.zeros(SIDE * SIDE)
        top[s.flatten().topk(k).indices] = 1
        inside = (top * m.flatten()).sum()
        shares.append(float(inside / (2 * k - inside)))
    return float(np.mean(shares))


def intervals(scores, truths):
    """95 %, bootstrap over pictures; each is a patient of its own. Seeds are drawn together: the pictures are the same."""
    rng = np.random.default_rng(7)
    draws = [np.mean([auc(s[at], truths[at]) for s in scores]) for at in (rng.integers(0, len(truths), len(truths)) for _ in range(500))]
    return [float(v) for v in np.percentile(draws, (2.5, 97.5))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--seeds', type=int, nargs='+', default=[1, 2, 3])
    parser.add_argument('--methods', nargs='+', default=list(METHODS), choices=list(METHODS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    x, finding, marker, mask = pictures(TEST, 0.5, 99)
    truths, results = finding.numpy(), {}
    for method in args.methods:
        scores, ious, marked = [], [], []
        for seed in args.seeds:
            net = trained(method, seed)
            with torch.no_grad():
                scores.append(net(x).numpy())
            ious.append(saliency_iou(net, x, mask, finding))
            marked.append(auc(scores[-1], marker.numpy()))
            print(method, seed, f'AUC {auc(scores[-1], truths):.3f} of the marker {marked[-1]:.3f} IoU {ious[-1]:.3f}', flush=True)
        each = [float(auc(s, truths)) for s in scores]
        results[method] = {'weight': METHODS[method], 'auc': {'value': float(np.mean(each)), 'interval': intervals(scores, truths), 'seeds': each},
                           'aucOfMarker': float(np.mean(marked)), 'saliencyIoU': {'value': float(np.mean(ious)), 'seeds': ious}}
    if set(results) == set(METHODS):
        write(args.out, results, args.seeds)


def write(out, results, seeds):
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    out.mkdir(parents=True, exist_ok=True)
    (out / 'results.json').write_text(json.dumps({'torch': torch.__version__, 'seeds': seeds, 'train': TRAIN, 'test': TEST, 'steps': STEPS, 'correlation': CORRELATION, 'methods': results}, indent=1) + '\n')
    lines = ['| method | weight | test AUC (95 % over pictures) | by seed | AUC of the marker | saliency IoU (by seed) |', '| --- | --- | --- | --- | --- | --- |']
    for name, r in results.items():
        lines.append(f"| {name} | {r['weight'] or '–'} | {r['auc']['value']:.3f} ({r['auc']['interval'][0]:.3f}–{r['auc']['interval'][1]:.3f}) | {', '.join(f'{v:.3f}' for v in r['auc']['seeds'])} "
                     f"| {r['aucOfMarker']:.3f} | {r['saliencyIoU']['value']:.3f} ({', '.join(f'{v:.3f}' for v in r['saliencyIoU']['seeds'])}) |")
    (out / 'table.md').write_text('\n'.join(lines) + '\n')
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.4))
    names = list(results)
    values = [results[n]['auc']['value'] for n in names]
    errors = np.abs(np.array([results[n]['auc']['interval'] for n in names]).T - values)
    axes[0].bar(names, values, yerr=errors, capsize=4, color='#4c78a8')
    axes[0].set_ylim(0.4, 1)
    axes[0].set_title('test AUC, 95 % over pictures')
    axes[1].bar(names, [results[n]['saliencyIoU']['value'] for n in names], color='#f58518')
    axes[1].set_title('saliency in mask, IoU')
    for axis in axes:
        axis.tick_params(axis='x', labelrotation=30)
    figure.tight_layout()
    figure.savefig(out / 'plot.png', dpi=90)


main()
