"""Prints results.jsonl as a table beside what was published.

    python3 test/bench/counting/report.py
"""
import json
from pathlib import Path

import numpy as np

# Cohen et al. 2017, Count-ception: mean absolute error by N.
PUBLISHED = {'vgg': {8: 3.9, 16: 2.9, 32: 2.4, 50: 2.3}, 'mbm': {5: 12.6, 10: 10.7, 15: 8.8}, 'adipocyte': {10: 25.1, 25: 21.9, 50: 19.4}}
METHODS = ('density-unet', 'tuned-cell-count', 'count-ception')


def cell(runs, key):
    errors = [run['test'][key] for run in runs]
    spread = f' ± {np.std(errors, ddof=1):.2f}' if len(errors) > 1 else ''
    return f'{np.mean(errors):.2f}{spread} ({len(errors)} seed{"s" * (len(errors) > 1)})'


def main():
    runs = [json.loads(line) for line in (Path(__file__).parent / 'results.jsonl').read_text().splitlines()]
    print('| set | N | tested on | published | density U-Net | shipped counter, trained further | Count-ception | minutes a run |')
    print('| --- | --- | --- | --- | --- | --- | --- | --- |')
    for name, published in PUBLISHED.items():
        for n, mae in published.items():
            mine = [[run for run in runs if (run['set'], run['n'], run['method']) == (name, n, method)] for method in METHODS]
            every = [run for some in mine for run in some]
            tested = str(every[0]['test']['images']) if every else ''
            cells = [cell(some, 'mae') if some else 'not run' for some in mine]
            minutes = ', '.join(f'{np.mean([run["minutes"] for run in some]):.0f}' for some in mine if some)
            print(f'| {name} | {n} | {tested} | {mae} | {" | ".join(cells)} | {minutes} |')


if __name__ == '__main__':
    main()
