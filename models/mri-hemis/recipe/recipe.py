"""The whole recipe: draws the heads, trains, writes the model's files and measures every subset of the modalities.

    python3 models/mri-hemis/recipe/recipe.py --work FOLDER --data ../shared/data
    python3 models/mri-hemis/recipe/recipe.py --work FOLDER --data ../shared/data --without patient07

The first holds back patient19, and its weights are those that are shipped. The second trains a network of its own without
patient07, whose figures it adds to the card; that network is not shipped. Seeds and steps are fixed; what is in FOLDER already
is not made again.
"""
import argparse
import json
import subprocess
from pathlib import Path

import torch

from export import export
from hemis import HemisUNet
from measure import HEADS, loaded, measured, write_report
from train import train
from volumes import MS_SET, read_ms, read_phantoms

MODEL = Path(__file__).resolve().parents[1]
SHIPPED_WITHOUT = 'patient19'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--work', type=Path, required=True, help='folder for heads, checkpoints and measurements')
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--without', default=SHIPPED_WITHOUT, help='the patient who is held back')
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    heads, checkpoint = args.work / 'heads', args.work / f'without-{args.without}.pt'
    if not (heads / 'index.json').exists():
        subprocess.run(['node', '--import', './test/generators/typescript.mjs', Path(__file__).with_name('phantoms.ts'), heads.resolve()], cwd=MODEL.parents[1], check=True)
    patients = read_ms(args.data / MS_SET)
    if not checkpoint.exists():
        net = train(read_phantoms(heads, 'training'), [head for head in patients if head.patient != args.without])
        torch.save(net.state_dict(), checkpoint)
    held_back = [head for head in patients if head.patient == args.without]
    if args.without == SHIPPED_WITHOUT:
        net = HemisUNet()
        net.load_state_dict(torch.load(checkpoint, weights_only=True))
        export(net, MODEL, heads)
        held_back += read_phantoms(heads, 'validation')[:HEADS]
    measured(loaded(checkpoint), held_back, args.work / f'rows-{args.without}.json')
    folds = {file.stem.removeprefix('rows-'): json.loads(file.read_text()) for file in sorted(args.work.glob('rows-*.json'), reverse=True)}
    write_report(folds, MODEL / 'recipe/validation.json', MODEL / 'README.md')


if __name__ == '__main__':
    main()
