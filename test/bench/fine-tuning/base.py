r"""Makes the base of the fine-tuning experiment: a small nuclei U-Net that has seen fluorescence only, as a model folder.

    python3 test/bench/fine-tuning/base.py --data ../shared/data --out FOLDER/nuclei-fluorescence

Then, with the split that it writes (16 sections to train, the 19 of the recipe's validation; the data name no patients):

    npx overread train --model FOLDER/nuclei-fluorescence --recipe test/bench/fine-tuning/recipe.json --backend wasm \
        --dataset ../shared/data/histology/open/dsb2018-he/dev --split FOLDER/split.json --out FOLDER/nuclei-sections

Network, crops and losses are those of models/nuclei-unet/recipe, with half of its widths and none of its sections.
"""
import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parents[3] / 'models/nuclei-unet/recipe')]

import train as recipe
from dataset import read_items, split, tuning_split
from export import write_manifest, write_weights
from loss import cross_entropy, dice_loss, weights_of
from network import UNet, folded
from picture import targets_of

WIDTHS, CROP, PEAK_RATE, KIND = (8, 16, 32, 64), 128, 6e-3, 'fluorescence'


def trained(caches, steps, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = UNet(WIDTHS).train()
    average = UNet(WIDTHS).eval()
    average.load_state_dict(net.state_dict())
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=1e-2)
    for step in range(steps):
        for group in optimiser.param_groups:
            group['lr'] = PEAK_RATE * min(1, (step + 1) / 30) * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-5
        image, instances, areas = (torch.stack(part) for part in zip(*(recipe.drawn(caches, rng, CROP) for _ in range(recipe.BATCH))))
        target, small = targets_of(instances, areas), ((areas > 0) & (areas < recipe.SMALL)).float()[:, None]
        logits = net(image)
        loss = cross_entropy(logits, target, weights_of(target, small)) + dice_loss(logits, target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        recipe.averaged_into(average, net, min(1 - 1 / recipe.EMA_STEPS, step / (step + 10)))
        if step % 50 == 49:
            print(f'step {step + 1} loss {loss.item():.4f}', flush=True)
    return average


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--steps', type=int, default=600)
    args = parser.parse_args()
    torch.set_num_threads(1)
    items = tuning_split(split(read_items(args.data, KIND))[0])[0]
    net = trained([recipe.cached(item) for item in items], args.steps, 1)
    args.out.mkdir(parents=True, exist_ok=True)
    write_weights(args.out, folded(net))
    write_manifest(args.out)
    manifest = json.loads((args.out / 'manifest.json').read_text())
    manifest.update(id=args.out.name, name='Nuclei U-Net, fluorescence only', version='0.1.0',
                    intendedUse='A base for fine-tuning that has seen fluorescence only. Not for use.')
    (args.out / 'manifest.json').write_text(json.dumps(manifest, indent=2) + '\n')
    sections, fitted = split(read_items(args.data, 'he')), 16
    (args.out.parent / 'split.json').write_text(json.dumps({
        'train': [item.id for item in sections[0][:fitted]], 'validation': [item.id for item in sections[1]]}, indent=1) + '\n')


main()
