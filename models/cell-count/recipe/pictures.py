"""The pictures: nuclei of the Data Science Bowl, split as the nuclei U-Net's are, and generated fields of two classes."""
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[2] / 'nuclei-unet' / 'recipe'))
from dataset import read_instances, read_items, read_rgb, split, tuning_split  # noqa: E402

REAL = ('he', 'fluorescence', 'brightfield-gray')
KINDS = (*REAL, 'generated')
PARTS = ('training', 'tuning', 'validation')


@dataclass(frozen=True)
class Pictured:
    id: str
    kind: str
    rgb: np.ndarray  # [rows, columns, 3] float32
    instances: np.ndarray  # [rows, columns] int32, 0 background
    positive: np.ndarray  # [largest instance + 1] bool: of the second class
    dots: np.ndarray  # [n, 3] float64: x, y, class (0 or 1)


def centroids_of(instances):
    """[n, 2] (x, y) of each number in turn that is there, the numbers, and their areas."""
    areas = np.bincount(instances.ravel())
    rows, columns = (np.bincount(instances.ravel(), axis.ravel()) for axis in np.indices(instances.shape))
    numbers = np.nonzero(areas)[0]
    numbers = numbers[numbers > 0]
    return np.stack([columns, rows], 1)[numbers] / areas[numbers, None], numbers, areas[numbers]


def read_real(data, kind, part):
    fitted, validation = split(read_items(data, kind))
    items = dict(zip(PARTS, (*tuning_split(fitted), validation)))[part]
    for item in items:
        instances = read_instances(item.instances)
        centres = centroids_of(instances)[0]
        yield Pictured(item.id, kind, read_rgb(item.image), instances, np.zeros(instances.max() + 1, bool), np.c_[centres, np.zeros(len(centres))])


def read_fields(folder, part):
    """What fields.ts wrote."""
    for field in json.loads((Path(folder) / 'index.json').read_text()):
        if field['part'] == part:
            shape, data = (field['rows'], field['columns']), (Path(folder) / field['file']).read_bytes()
            n = shape[0] * shape[1]
            dots = np.array([(d['x'], d['y'], d['class'] - 1) for d in field['dots']], float).reshape(-1, 3)
            yield Pictured(field['id'], 'generated', np.frombuffer(data, np.uint8, 3 * n).reshape(*shape, 3).astype(np.float32),
                           np.frombuffer(data, '<u2', n, 3 * n).reshape(shape).astype(np.int32), np.r_[False, dots[:, 2] > 0], dots)


def read_part(data, fields, part):
    """{kind: pictures}"""
    return {**{kind: list(read_real(data, kind, part)) for kind in REAL}, 'generated': list(read_fields(fields, part))}
