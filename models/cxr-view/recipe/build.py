"""Makes the model from nothing: pictures, two networks, thresholds, export, figures.

    python3 models/cxr-view/recipe/build.py --data ../shared/data --out models/cxr-view

What exists in --work is not made again; delete the folder to start afresh. Run it from the project's root.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import torch

from chests import phantom_stack
from export import export
from fit import gate_of, threshold_of
from measure import measure, view_accuracy
from measured import encoded_groups
from network import ViewNet
from pool import HALF, chest_pools, kept
from variations import FAULTS

RECIPE = Path(__file__).resolve().parent
HALF_STEPS = 500  # of the network for figures only: fewer than the shipped one's
NODE = ['node', '--import', './test/generators/typescript.mjs']


def run(*command):
    subprocess.run([str(part) for part in command], check=True)


def made(path, *command):
    if not path.exists():
        run(*command)
    return path


def golden_pictures(phantoms):
    """A frontal, a lateral, an inverted and a turned picture, and the brain: validation seeds, no picture of a data set."""
    frontal, lateral, brain = (phantom_stack(phantoms, f'{name}-validation')[0] for name in ('PA', 'LL', 'brain'))
    return [('frontal', frontal[:, 6:-8], 'Frontal'), ('lateral', lateral[:, 10:-14], 'Lateral'), ('inverted', FAULTS['inverted'](frontal), 'Inverted'),
            ('rotated', FAULTS['turned by 90°'](frontal), 'Rotated'), ('brain', brain, 'Not a chest radiograph')]


def fitted(weights, chests, groups):
    """-> (gate, threshold)"""
    net = ViewNet().eval()
    net.load_state_dict(torch.load(weights, map_location='cpu'))
    gate = gate_of(net, chests, groups['frontal/calibration'])
    with torch.no_grad():
        probabilities = torch.softmax(gate(groups['frontal/calibration'])[1], 1)
    return gate, threshold_of(probabilities)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--work', type=Path, default=Path('.cache/cxr-view'))
    parser.add_argument('--out', type=Path, required=True, help='model folder')
    parser.add_argument('--no-half', action='store_true', help='leave out the second network, which is for figures only')
    args = parser.parse_args()
    torch.set_num_threads(1)
    phantoms = made(args.work / 'phantoms' / 'index.json', *NODE, RECIPE / 'phantoms.ts', args.work / 'phantoms').parent
    made(args.work / 'dicom' / 'index.json', *NODE, RECIPE / 'dicom-pictures.ts', args.work / 'dicom', args.data / 'dicom/open/dev', args.data / 'dicom/unstated/dev')
    train = (sys.executable, RECIPE / 'train.py', '--data', args.data, '--work', args.work)
    network = made(args.work / 'network.pt', *train, '--out', args.work / 'network.pt')
    groups = encoded_groups(args.data, args.work)
    chests = kept(args.work / 'chests.npz', lambda: chest_pools(args.data, phantoms))
    gate, threshold = fitted(network, chests, groups)
    export(gate, threshold, args.out, golden_pictures(phantoms))
    figures = {'threshold': threshold, 'groups': measure(gate, groups, threshold), 'viewAccuracy': view_accuracy(gate, groups)}
    if not args.no_half:
        half = made(args.work / 'half.pt', *train, '--half', '--steps', HALF_STEPS, '--out', args.work / 'half.pt')
        gate, threshold = fitted(half, chests, groups)
        figures['halfOfTheKinds'] = {'trainedOn': HALF, 'threshold': threshold, 'groups': measure(gate, groups, threshold)}
    (args.out / 'recipe').mkdir(parents=True, exist_ok=True)
    (args.out / 'recipe' / 'validation.json').write_text(json.dumps(figures, indent=1, ensure_ascii=False) + '\n')


if __name__ == '__main__':
    main()
