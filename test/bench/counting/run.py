"""One training of the benchmark, tested: appends a line to results.jsonl beside this file. report.py prints the table.

    python3 test/bench/counting/run.py --data ../shared/data --set vgg --n 32 --method density-unet --seed 1
"""
import argparse
import copy
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from cells import parts, read
from networks import METHODS, SIGMA

# Pixels a side; the U-Net sees VGG whole: borders of crops that are none of the picture's bias its sums.
CROP = {'density-unet': 256, 'tuned-cell-count': 256, 'count-ception': 64}
BATCH = {'density-unet': 2, 'tuned-cell-count': 2, 'count-ception': 3}
PEAK_RATE = {'density-unet': 3e-3, 'tuned-cell-count': 1e-3, 'count-ception': 2e-3}
EMA_STEPS = 100
FROZEN_FROM = 0.35  # of the steps: from there on batch norm has fixed statistics. A batch's own tell how many cells are in it, which no picture's count may use
VALIDATED_EVERY = 100  # steps
# Each turn and mirror of a picture, as (quarter turns, mirrored).
SYMMETRIES = tuple((turns, mirrored) for turns in range(4) for mirrored in (False, True))


def margined(rgb, margin):
    """[rows, columns, 3] -> [1, 3, rows + 2 margin, columns + 2 margin], black beyond the picture."""
    return F.pad(torch.from_numpy(rgb).permute(2, 0, 1)[None], (margin,) * 4)


class Drawn:
    """Crops of pictures with their targets, turned and mirrored."""

    def __init__(self, pictures, method, rng):
        self.kind, self.rng, self.crop = METHODS[method], rng, min(CROP[method], *(n // 8 * 8 for one in pictures for n in one.rgb.shape[:2]))
        self.pictures = [margined(self.kind.prepared(one.rgb), self.kind.margin)[0] for one in pictures]
        self.targets = [torch.from_numpy(self.kind.target(one.dots, one.rgb.shape[:2])) for one in pictures]

    def one(self):
        k = self.rng.integers(len(self.pictures))
        picture, target = self.pictures[k], self.targets[k]
        y, x = (int(self.rng.integers(n - 2 * self.kind.margin - self.crop + 1)) for n in picture.shape[1:])
        extent = self.crop + 2 * self.kind.margin
        mine = self.crop + self.kind.margin
        image, wanted = picture[:, y:y + extent, x:x + extent], target[None, y:y + mine, x:x + mine]
        turns, mirrored = SYMMETRIES[self.rng.integers(8)]
        image, wanted = (torch.rot90(part, turns, (1, 2)) for part in (image, wanted))
        if mirrored:
            image, wanted = image.flip(2), wanted.flip(2)
        gain = math.exp(self.rng.uniform(-0.1, 0.1))
        return image * gain, wanted

    def batch(self, size):
        image, wanted = (torch.stack(part) for part in zip(*(self.one() for _ in range(size))))
        return image.contiguous(memory_format=torch.channels_last), wanted


def loss_of(method, found, wanted):
    if method == 'count-ception':
        return (found - wanted).abs().mean()
    error, unit = found - wanted, 2 * np.pi * SIGMA ** 2
    loss = 30 * (error ** 2).mean()
    for window in (32, 128, found.shape[2]):  # the error of a count beside that of cells that fall at random
        off = F.avg_pool2d(error, window, window // 2) * window ** 2 / unit
        loss = loss + 2 * (off ** 2 / (1 + F.avg_pool2d(wanted, window, window // 2) * window ** 2 / unit)).mean()
    return loss


def counts_of(net, pictures, symmetries=SYMMETRIES[:1]):
    """The count of each picture; with several symmetries their mean."""
    counts = []
    with torch.no_grad():
        for one in pictures:
            image = margined(net.prepared(one.rgb), net.margin)
            rows, columns = (-n % net.multiple for n in image.shape[2:])
            sums = []
            for turns, mirrored in symmetries:
                turned = torch.rot90(F.pad(image, (0, columns, 0, rows)), turns, (2, 3))
                found = net(turned.flip(3) if mirrored else turned).clamp(min=0)  # as the engine does
                sums.append(float(found.sum()) / net.unit)
            counts.append(np.mean(sums))
    return np.array(counts)


def errors(net, pictures, symmetries=SYMMETRIES[:1]):
    return counts_of(net, pictures, symmetries) - np.array([len(one.dots) for one in pictures])


def train(training, validation, method, steps, seed, log):
    """-> the average of weights that erred least on the validation images, and where."""
    torch.manual_seed(seed)
    drawn = Drawn(training, method, np.random.default_rng(seed))
    net = METHODS[method]().to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE[method], weight_decay=1e-3)
    best = (math.inf, 0, None)
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group['lr'] = PEAK_RATE[method] * min(1, step / 50) * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-6
        if step == int(FROZEN_FROM * steps):
            for layer in net.modules():
                if isinstance(layer, torch.nn.BatchNorm2d):
                    layer.eval()
        image, wanted = drawn.batch(BATCH[method])
        with torch.autocast('cpu', torch.bfloat16):
            found = net(image)
        loss = loss_of(method, found.float(), wanted)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        with torch.no_grad():
            for mine, new in zip(average.state_dict().values(), net.state_dict().values()):
                mine.lerp_(new, 1 / min(EMA_STEPS, 1 + step / 5)) if mine.is_floating_point() else mine.copy_(new)
        if step % VALIDATED_EVERY == 0 and step > steps // 2 or step == steps:
            each = errors(average.eval(), validation)
            off = float(np.abs(each).mean())
            if off < best[0]:
                best = (off, step, copy.deepcopy(average.state_dict()))
            log(f'step {step} loss {loss.item():.3f} validation MAE {off:.2f} bias {each.mean():+.2f}')
    average.load_state_dict(best[2])
    return average.eval(), best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--set', required=True, choices=('vgg', 'mbm', 'adipocyte'))
    parser.add_argument('--n', type=int, required=True)
    parser.add_argument('--method', required=True, choices=METHODS)
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--steps', type=int, default=1500)
    parser.add_argument('--no-test', action='store_true', help='stop after validation: for the choice of hyper-parameters')
    parser.add_argument('--out', type=Path, default=Path(__file__).parent / 'results.jsonl')
    args = parser.parse_args()
    torch.set_num_threads(1)
    started = time.time()
    training, validation, test = parts(read(args.data, args.set), args.set, args.n, args.seed)
    net, (off, step, _) = train(training, validation, args.method, args.steps, args.seed, lambda line: print(line, f'{time.time() - started:.0f} s', flush=True))
    if args.no_test:
        return
    plain, turned = errors(net, test), errors(net, test, SYMMETRIES)
    result = {'set': args.set, 'n': args.n, 'method': args.method, 'seed': args.seed, 'steps': args.steps, 'chosenStep': step,
              'validation': {'images': len(validation), 'mae': round(off, 3)},
              'test': {'images': len(test), 'mae': round(float(np.abs(plain).mean()), 3), 'bias': round(float(plain.mean()), 3),
                       'maeOfEightTurns': round(float(np.abs(turned).mean()), 3)},
              'minutes': round((time.time() - started) / 60, 1)}
    print(json.dumps(result))
    with args.out.open('a') as out:
        out.write(json.dumps(result) + '\n')


if __name__ == '__main__':
    main()
