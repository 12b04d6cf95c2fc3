"""Trains one network of the experiment.

    python3 test/bench/fusion/train.py --data .cache/fusion --kind PA|L|stacked|hemis|dualnet|auxloss --out .cache/fusion/networks
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
PEAK_RATE = 4e-3  # from scratch; half of it from the networks of one view
WEIGHT_DECAY = 1e-3
SHIFT = 6
# View dropout: how often a patient's lateral, or his PA, is taken away in training.
DROP_LATERAL, DROP_PA = 0.3, 0.15


def varied(inputs, rng):
    """Each patient's views shifted, and made brighter, darker, flatter or softer, each by itself."""
    padded = F.pad(inputs, (SHIFT,) * 4, mode='replicate')
    out = torch.empty_like(inputs)
    for i in range(len(inputs)):
        for view in (0, 1):
            top, left = rng.integers(0, 2 * SHIFT + 1, 2)
            out[i, view] = padded[i, view, top:top + SIZE, left:left + SIZE]
    softened = F.avg_pool2d(out, 3, 1, 1, count_include_pad=False)
    soft = torch.from_numpy(rng.uniform(0, 0.6, (len(out), 2, 1, 1)).astype(np.float32))
    gain = torch.from_numpy(rng.uniform(0.85, 1.1, (len(out), 2, 1, 1)).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-0.1, 0.1, (len(out), 2, 1, 1)).astype(np.float32))
    return ((out + soft * (softened - out)) * gain + shift).clamp(-1, 1)


def loss_of(kind, net, pa, l, labels, rng):
    """Binary cross-entropy of what each network would answer, with views dropped by the means that it has."""
    bce = F.binary_cross_entropy_with_logits
    if kind in ('PA', 'L'):
        return bce(net(pa, l)['fused'], labels)
    if kind == 'auxloss':
        # Three losses. Its view heads never see the other view, so no view has to be dropped.
        return sum(bce(logits, labels) for logits in net(pa, l).values()) / 3
    if kind == 'hemis':
        # The moments are over the views that are there; a batch has the same ones.
        draw = rng.random()
        pa, l = (pa, None) if draw < DROP_LATERAL else (None, l) if draw < DROP_LATERAL + DROP_PA else (pa, l)
        return bce(net(pa, l)['fused'], labels)
    draw = torch.from_numpy(rng.random((len(labels), 1, 1, 1)))
    keep_l, keep_pa = draw >= DROP_LATERAL, (draw < DROP_LATERAL) | (draw >= DROP_LATERAL + DROP_PA)
    return bce(net(pa * keep_pa, l * keep_l)['fused'], labels)


def train(kind, patients, steps, seed, single=None):
    """-> the network in evaluation mode; it starts from `single`, the state dicts of the networks of one view, where given."""
    net = (warmed(kind, single, seed) if single else started(kind, seed)).to(memory_format=torch.channels_last).train()
    rate = PEAK_RATE / 2 if single else PEAK_RATE
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
        views = varied(patients.inputs[chosen], rng)
        loss = loss_of(kind, net, views[:, :1], views[:, 1:], patients.labels[chosen], rng)
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
    parser.add_argument('--start', type=Path, help='folder of PA.pt and L.pt to start from')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    begun, patients = time.time(), Patients(args.data / 'train')
    single = {view: torch.load(args.start / f'{view}.pt') for view in ('PA', 'L')} if args.start else None
    net = train(args.kind, patients, args.steps, args.seed, single)
    args.out.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), args.out / f'{args.kind}.pt')
    about = {'kind': args.kind, 'patients': len(patients), 'from': 'the networks of one view' if single else 'scratch', 'steps': args.steps, 'batch': BATCH, 'seed': args.seed, 'seconds': round(time.time() - begun)}
    (args.out / f'{args.kind}.json').write_text(json.dumps(about) + '\n')
    print(json.dumps(about))


if __name__ == '__main__':
    main()
