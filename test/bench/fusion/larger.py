"""Whether a network trained on films of 128 x 128 pixels answers the same to larger films of the same patients: AUC of both.

    node --import ./test/generators/typescript.mjs test/bench/fusion/phantoms.ts --first 300000 --count 120 --size 512 --out .cache/fusion/large/300000
    python3 test/bench/fusion/larger.py --network located
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from evaluate import answers, aucs, load
from films import Patients


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('.cache/fusion'))
    parser.add_argument('--network', default='located')
    args = parser.parse_args()
    torch.set_num_threads(1)
    net, large, small = load(args.data / 'networks', args.network), Patients(args.data / 'large'), Patients(args.data / 'test')
    n = len(large)
    small.inputs, small.labels = small.inputs[:n], small.labels[:n]
    if not torch.equal(small.labels, large.labels):
        raise SystemExit('expected the larger films to be of the first patients of the test')
    labels, result = large.labels.numpy(), {'patients': n}
    for views in ('both', 'PA', 'L'):
        for name, patients in (('128', small), ('larger', large)):
            result[f'{views} {name}'] = aucs(answers(net, patients, views), labels, np.ones((1, n)))[0].round(4).tolist()
    print(json.dumps(result))


if __name__ == '__main__':
    main()
