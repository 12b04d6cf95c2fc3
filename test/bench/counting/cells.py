"""The counting sets of Cohen et al. 2017: pictures with dots, and how a seed parts them for a benchmark of N."""
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

# Images that are only tested, of those in `dev`: the last in the order of the SHA-256 of the id. Nothing is chosen on them.
TESTED = {'vgg': 76, 'mbm': 10, 'adipocyte': 64}


@dataclass(frozen=True)
class Cells:
    id: str
    rgb: np.ndarray  # [rows, columns, 3] float32, 0..1
    dots: np.ndarray  # [n, 2] (x, y)


def read(data, name):
    folder = Path(data) / 'cells' / 'unstated' / name / 'dev'
    for item in json.loads((folder / 'dataset.json').read_text())['items']:
        rgb = np.asarray(Image.open(folder / item['images'][0]['path']).convert('RGB'), np.float32) / 255
        lines = (folder / item['dots']).read_text().split()[1:]
        yield Cells(item['id'], rgb, np.array([[float(v) for v in line.split(',')[:2]] for line in lines]).reshape(-1, 2))


def parts(cells, name, n, seed):
    """-> (training, validation, test): N and N of the images that may be chosen on, drawn by the seed (fewer validate where there are not 2 N); the test is fixed."""
    ordered = sorted(cells, key=lambda one: hashlib.sha256(one.id.encode()).hexdigest())
    pool, test = ordered[:-TESTED[name]], ordered[-TESTED[name]:]
    if n >= len(pool):
        raise ValueError(f'{name}: {len(pool)} images may be drawn from, too few for N = {n}')
    drawn = [pool[i] for i in np.random.default_rng(seed).permutation(len(pool))]
    return drawn[:n], drawn[n:2 * n], test
