"""Trains one network of the experiment.

    python3 test/bench/fusion/train.py --data .cache/fusion --kind PA|L|stacked|hemis|dualnet|auxloss|located --out .cache/fusion/networks
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from films import SIZE, Patients
from networks import started, warmed

BATCH = 16
PEAK_RATE = 4e-3
# From the networks of one view; all but the first layer of stacked begins at random.
PEAK_RATE_STARTED = {'stacked': 4e-3}
WEIGHT_DECAY = 1e-3
SHIFT = 6
# View dropout: how often a patient's lateral, and his PA, is taken away in training. More where the views share layers: they
# must learn each view by itself, too.
DROPPED = {'dualnet': (0.3, 0.15), 'hemis': (0.4, 0.2), 'stacked': (0.3, 0.15)}
# Of the map's softmax, about the spread of the maps of AuxLoss; of the loss beside the three others.
PLACE_SCALE, PLACE_WEIGHT = 4, 0.25


def varied(inputs, masks, rng):
    """Each patient's views shifted, with their masks, and made brighter, darker, flatter or softer, each by itself."""
    padded = F.pad(inputs, (SHIFT,) * 4, mode='replicate')
    shadows = np.pad(masks, ((0, 0), (0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    out, moved = torch.empty_like(inputs), np.empty_like(masks)
    for i in range(len(inputs)):
        for view in (0, 1):
            top, left = rng.integers(0, 2 * SHIFT + 1, 2)
            out[i, view] = padded[i, view, top:top + SIZE, left:left + SIZE]
            moved[i, view] = shadows[i, view, top:top + SIZE, left:left + SIZE]
    softened = F.avg_pool2d(out, 3, 1, 1, count_include_pad=False)
    soft = torch.from_numpy(rng.uniform(0, 0.6, (len(out), 2, 1, 1)).astype(np.float32))
    gain = torch.from_numpy(rng.uniform(0.85, 1.1, (len(out), 2, 1, 1)).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-0.1, 0.1, (len(out), 2, 1, 1)).astype(np.float32))
    return ((out + soft * (softened - out)) * gain + shift).clamp(-1, 1), moved


def place_loss(maps, classifier, masks):
    """
    Of the places of a last feature map, one must be the peak of Grad-CAM: minus log of the softmax's share of the places
    whose middle lies in the finding's mask, over all findings that the view shows. [n, channels, rows, columns] maps.
    """
    cell = SIZE // maps.shape[2]
    losses = []
    for target, weights in enumerate(classifier.weight):
        inside = torch.from_numpy(((masks[:, cell // 2::cell, cell // 2::cell] >> target) & 1).astype(np.float32)).flatten(1)
        who = inside.any(1)
        if who.any():
            cam = (maps[who] * weights[:, None, None]).sum(1).flatten(1)
            losses.append(-torch.logsumexp(F.log_softmax(cam / PLACE_SCALE, 1) + (inside[who] - 1) * 1e4, 1))
    return torch.cat(losses).mean() if losses else maps.sum() * 0


def located_loss(net, views, labels, masks):
    """AuxLoss' three losses, and that each view's map peaks in the finding."""
    branches = net.frontal_model, net.lateral_model
    maps = [F.relu(branch.features(view)) for branch, view in zip(branches, views)]
    features = [m.mean((2, 3)) for m in maps]
    logits = [net.classifier(torch.cat(features, 1)), *(branch.classifier(f) for branch, f in zip(branches, features))]
    told = sum(F.binary_cross_entropy_with_logits(each, labels) for each in logits) / 3
    return told + PLACE_WEIGHT * sum(place_loss(m, branch.classifier, masks[:, v]) for v, (m, branch) in enumerate(zip(maps, branches)))


def loss_of(kind, net, pa, l, labels, masks, rng):
    """Binary cross-entropy of what each network would answer, with views dropped by the means that it has."""
    bce = F.binary_cross_entropy_with_logits
    if kind == 'located':
        return located_loss(net, (pa, l), labels, masks)
    if kind in ('PA', 'L'):
        return bce(net(pa, l)['fused'], labels)
    if kind == 'auxloss':
        # Three losses. Its view heads never see the other view, so no view has to be dropped.
        return sum(bce(logits, labels) for logits in net(pa, l).values()) / 3
    lateral, frontal = DROPPED[kind]
    if kind == 'hemis':
        # The moments are over the views that are there; a batch has the same ones.
        draw = rng.random()
        pa, l = (pa, None) if draw < lateral else (None, l) if draw < lateral + frontal else (pa, l)
        return bce(net(pa, l)['fused'], labels)
    draw = torch.from_numpy(rng.random((len(labels), 1, 1, 1)))
    keep_l, keep_pa = draw >= lateral, (draw < lateral) | (draw >= lateral + frontal)
    return bce(net(pa * keep_pa, l * keep_l)['fused'], labels)


def train(kind, patients, steps, seed, single=None):
    """-> the network in evaluation mode; it starts from `single`, the state dicts of the networks of one view, where given."""
    net = (warmed(kind, single, seed) if single else started(kind, seed)).to(memory_format=torch.channels_last).train()
    rate = PEAK_RATE_STARTED.get(kind, PEAK_RATE / 2) if single else PEAK_RATE
    rng = np.random.default_rng(seed)
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim == 1]
    optimiser = torch.optim.AdamW([{'params': decayed, 'weight_decay': WEIGHT_DECAY}, {'params': plain, 'weight_decay': 0}], lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.15, cycle_momentum=False)
    order, total, begun = [], 0.0, time.time()
    for step in range(1, steps + 1):
        if len(order) < BATCH:
            order = list(rng.permutation(len(patients)))
        chosen, order = order[:BATCH], order[BATCH:]
        views, masks = varied(patients.inputs[chosen], patients.masks[chosen], rng)
        loss = loss_of(kind, net, views[:, :1], views[:, 1:], patients.labels[chosen], masks, rng)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        total += loss.item()
        if step % 50 == 0:
            print(f'{kind} step {step}/{steps} loss {total / 50:.4f} {time.time() - begun:.0f} s', flush=True)
            total = 0.0
    return net.to(memory_format=torch.contiguous_format).eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('.cache/fusion'))
    parser.add_argument('--kind', required=True)
    parser.add_argument('--steps', type=int, default=1000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--start', type=Path, help='folder of PA.pt and L.pt to start from; of auxloss.pt for located, which always needs it')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    begun, patients = time.time(), Patients(args.data / 'train')
    names = ('auxloss',) if args.kind == 'located' else ('PA', 'L')
    single = {name: torch.load(args.start / f'{name}.pt') for name in names} if args.start else None
    net = train(args.kind, patients, args.steps, args.seed, single)
    args.out.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), args.out / f'{args.kind}.pt')
    about = {'kind': args.kind, 'patients': len(patients), 'from': ' and '.join(names) if single else 'scratch', 'steps': args.steps, 'batch': BATCH, 'seed': args.seed, 'seconds': round(time.time() - begun)}
    (args.out / f'{args.kind}.json').write_text(json.dumps(about) + '\n')
    print(json.dumps(about))


if __name__ == '__main__':
    main()
