"""
Does a translation invent and erase tumours? After J. P. Cohen, M. Luck, S. Honari, "Distribution Matching Losses Can
Hallucinate Features in Medical Image Translation", MICCAI 2018 (arXiv 1805.08841), on generated heads, FLAIR to T1:

    node --import ./test/generators/typescript.mjs test/bench/translation/phantoms.ts /tmp/heads
    /usr/bin/python3 test/bench/translation/experiment.py --heads /tmp/heads --keep /tmp/outcomes.jsonl [--seeds 1,2,3,4,5]
    node --import ./test/generators/typescript.mjs test/bench/translation/report.ts /tmp/outcomes.jsonl

`sh test/bench/translation/run.sh` is the three of them. A line a training is added to the file of --keep, and what is there is not trained again.
"""
import argparse
import copy
import json
import os
import time
from typing import Iterator

import numpy as np
import torch
from torch.nn import functional as F

from networks import Detector, Discriminator, Translator

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
BATCH = 8
STEPS = 2500
RATE = 1e-3
CYCLE = 10.0
# What counts the judgement of the whole section beside that of its patches.
WHOLE = 0.3
# Drawn pictures that the discriminators are shown again (Shrivastava et al. 2017).
REMEMBERED = 50
# Adversarial training goes round and round: a translator invents in most heads at one moment and in none at the next. So it
# is measured at moments from MEASURED_FROM on, and the means are what one gets who stops at any of them.
MEASURED_FROM, MEASURED_EVERY = 500, 50
# Standard deviation of the noise that the discriminators see on all pictures, and how slowly the weights that are measured follow those that are trained.
BLIND = 0.05
AVERAGED = 0.98
SOURCE_SHARE = 0.5
FLAIR_HEALTHY, T1_HEALTHY, FLAIR_SICK, T1_SICK, TUMOUR = range(5)


def load(folder: str, part: str, shape: list) -> torch.Tensor:
    """[heads, 5, rows, columns]: pictures in 0..1, the tumour as 0 and 1."""
    values = np.fromfile(os.path.join(folder, f'{part}.bin'), np.uint8).reshape(-1, 5, *shape).astype(np.float32)
    values[:, :TUMOUR] /= 255
    return torch.from_numpy(values)


def mixed(heads: torch.Tensor, healthy: int, sick: int, share: float) -> torch.Tensor:
    """A share of the heads with their tumour, the others without: [heads, 1, rows, columns]."""
    count = round(share * len(heads))
    return torch.cat([heads[:count, sick], heads[count:, healthy]])[:, None]


class Remembered:
    """Pictures that were drawn before: half of the time one of them is shown in place of a new one."""

    def __init__(self, rng: np.random.Generator):
        self.rng, self.pictures = rng, []

    def __call__(self, drawn: torch.Tensor) -> torch.Tensor:
        shown = []
        for picture in drawn.detach():
            if len(self.pictures) < REMEMBERED:
                self.pictures.append(picture)
            elif self.rng.random() < 0.5:
                i = self.rng.integers(REMEMBERED)
                picture, self.pictures[i] = self.pictures[i], picture
            shown.append(picture)
        return torch.stack(shown)


def judged(judgements: tuple, truth: float) -> torch.Tensor:
    patches, whole = ((of - truth).square().mean() for of in judgements)
    return patches + WHOLE * whole


def is_moment(step: int) -> bool:
    return step >= MEASURED_FROM and step % MEASURED_EVERY == 0


def trained_by_distribution(heads: dict, share: float, seed: int, steps: int, cycle: float) -> Iterator[Translator]:
    """CycleGAN (Zhu et al. 2017): least squares against two discriminators, and the way there and back. Unpaired: sources and targets are other heads. Yields the translator at each moment."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    source = mixed(heads['source'], FLAIR_HEALTHY, FLAIR_SICK, SOURCE_SHARE)
    target = mixed(heads['target'], T1_HEALTHY, T1_SICK, share)
    there, back, of_target, of_source = Translator(), Translator(), Discriminator(), Discriminator()
    translators = torch.optim.Adam([*there.parameters(), *back.parameters()], RATE, (0.5, 0.999), foreach=True)
    judges = torch.optim.Adam([*of_target.parameters(), *of_source.parameters()], RATE, (0.5, 0.999), foreach=True)
    seen = lambda x: x + BLIND * torch.randn_like(x) * (x > 0)
    averaged = copy.deepcopy(there)
    again_t, again_s = Remembered(rng), Remembered(rng)
    for step in range(1, steps + 1):
        s, t = source[rng.choice(len(source), BATCH)], target[rng.choice(len(target), BATCH)]
        drawn_t, drawn_s = there(s), back(t)
        fooled = judged(of_target(seen(drawn_t)), 1) + judged(of_source(seen(drawn_s)), 1)
        returned = (back(drawn_t) - s).abs().mean() + (there(drawn_s) - t).abs().mean()
        translators.zero_grad()
        (fooled + cycle * returned).backward()
        translators.step()
        told = sum(judged(judge(seen(real)), 1) + judged(judge(seen(drawn)), 0) for judge, real, drawn in ((of_target, t, again_t(drawn_t)), (of_source, s, again_s(drawn_s))))
        judges.zero_grad()
        told.backward()
        judges.step()
        with torch.no_grad():
            for slow, fast in zip(averaged.parameters(), there.parameters()):
                slow.lerp_(fast, 1 - AVERAGED)
        if is_moment(step):
            yield averaged


def trained_by_pairs(heads: dict, share: float, seed: int, steps: int) -> Iterator[Translator]:
    """L1 against the same head's T1: a pair is sick on both sides or on none. Yields the translator at each moment."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    source = mixed(heads['target'], FLAIR_HEALTHY, FLAIR_SICK, share)
    target = mixed(heads['target'], T1_HEALTHY, T1_SICK, share)
    there = Translator()
    optimiser = torch.optim.Adam(there.parameters(), RATE, (0.5, 0.999))
    for step in range(1, steps + 1):
        chosen = rng.choice(len(source), BATCH)
        loss = (there(source[chosen]) - target[chosen]).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if is_moment(step):
            yield there


def trained_detector(heads: torch.Tensor, steps: int = 150) -> Detector:
    """Tells T1 with a tumour from T1 without, in other brightness, noise and sharpness too, since a translation has its own."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    detector = Detector()
    optimiser = torch.optim.Adam(detector.parameters(), 3e-3)
    truth = torch.cat([torch.zeros(16), torch.ones(16)])
    for _ in range(steps):
        chosen = rng.choice(len(heads), 16)
        x = torch.cat([heads[chosen, T1_HEALTHY], heads[chosen, T1_SICK]])[:, None]
        of_each = lambda low, high: torch.empty(len(x), 1, 1, 1).uniform_(low, high)
        blur = of_each(0, 1)
        drawn = (x * (1 - blur) + F.avg_pool2d(x, 3, 1, 1) * blur) * of_each(0.85, 1.15) + torch.randn_like(x) * of_each(0, 0.06)
        loss = F.binary_cross_entropy_with_logits(detector(drawn * (x > 0)), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return detector


@torch.no_grad()
def measured(translator: Translator, detector: Detector, test: torch.Tensor) -> dict:
    healthy, sick = (translator(test[:, state][:, None])[:, 0] for state in (FLAIR_HEALTHY, FLAIR_SICK))
    mask = test[:, TUMOUR]
    inside = lambda x: (x * mask).sum((1, 2)) / mask.sum((1, 2))
    kept = inside(test[:, T1_HEALTHY] - sick) / inside(test[:, T1_HEALTHY] - test[:, T1_SICK])
    share = lambda x: float(x.float().mean())
    return {
        'invented': share(detector(healthy[:, None]) > 0), 'erased': share(detector(sick[:, None]) <= 0),
        'erasedByContrast': share(kept < 0.5), 'contrastKept': float(kept.median()),
        'errorHealthy': float((healthy - test[:, T1_HEALTHY]).abs()[test[:, T1_HEALTHY] > 0].mean()),
        'errorSick': float((sick - test[:, T1_SICK]).abs()[test[:, T1_SICK] > 0].mean()),
    }


@torch.no_grad()
def picture(translator: Translator, test: torch.Tensor) -> list:
    """What a few heads became, for the eye: rows FLAIR, real T1, drawn T1; healthy, then sick."""
    rows = []
    for state, real in ((FLAIR_HEALTHY, T1_HEALTHY), (FLAIR_SICK, T1_SICK)):
        few = test[:8]
        rows += [few[:, state], few[:, real], translator(few[:, state][:, None])[:, 0]]
    return torch.cat([torch.cat(list(row), 1) for row in rows]).mul(255).round().byte().numpy()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('--heads', required=True)
    parser.add_argument('--keep', required=True)
    parser.add_argument('--seeds', default='1,2,3,4,5')
    parser.add_argument('--shares', default=','.join(map(str, SHARES)))
    parser.add_argument('--losses', default='adversarial,l1')
    parser.add_argument('--steps', type=int, default=STEPS)
    parser.add_argument('--cycle', type=float, default=CYCLE)
    parser.add_argument('--pictures', help='a folder for a picture of each translator')
    options = parser.parse_args()
    torch.set_num_threads(1)
    with open(os.path.join(options.heads, 'index.json'), encoding='utf8') as file:
        index = json.load(file)
    heads = {part: load(options.heads, part, index['shape']) for part in index['parts']}
    detector = trained_detector(heads['detector'])
    kept = {}
    if os.path.exists(options.keep):
        with open(options.keep, encoding='utf8') as file:
            kept = {(line['loss'], line['share'], line['seed']) for line in map(json.loads, file)}

    def keep(line: dict) -> None:
        with open(options.keep, 'a', encoding='utf8') as file:
            file.write(json.dumps(line) + '\n')
        print(line, flush=True)

    if ('real', None, None) not in kept:
        with torch.no_grad():
            test = heads['test']
            alarms, missed = (float(of.float().mean()) for of in (detector(test[:, T1_HEALTHY][:, None]) > 0, detector(test[:, T1_SICK][:, None]) <= 0))
        keep({'loss': 'real', 'share': None, 'seed': None, 'falseAlarms': alarms, 'missed': missed, 'heads': index['parts'], 'steps': options.steps, 'batch': BATCH, 'rate': RATE, 'wholeWeight': WHOLE, 'remembered': REMEMBERED, 'measuredFrom': MEASURED_FROM, 'measuredEvery': MEASURED_EVERY, 'cycle': options.cycle, 'sourceShare': SOURCE_SHARE})
    for seed in map(int, options.seeds.split(',')):
        for share in map(float, options.shares.split(',')):
            for loss in options.losses.split(','):
                if (loss, share, seed) in kept:
                    continue
                start = time.process_time()
                trained = trained_by_pairs(heads, share, seed, options.steps) if loss == 'l1' else trained_by_distribution(heads, share, seed, options.steps, options.cycle)
                moments = []
                for translator in trained:
                    moments.append(measured(translator, detector, heads['test']))
                means = {name: float(np.mean([moment[name] for moment in moments])) for name in moments[0]}
                of_each = {f'{name}AtMoments': [round(moment[name], 4) for moment in moments] for name in ('invented', 'erased')}
                keep({'loss': loss, 'share': share, 'seed': seed, **means, **of_each, 'cpuSeconds': round(time.process_time() - start, 1)})
                if options.pictures:
                    from PIL import Image
                    Image.fromarray(picture(translator, heads['test'])).save(os.path.join(options.pictures, f'{loss}-{share}-{seed}.png'))


if __name__ == '__main__':
    main()
