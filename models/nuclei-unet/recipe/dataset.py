"""The images of the Data Science Bowl 2018 sets and their split: a quarter of each kind, by hash, is validation."""
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

KINDS = ('he', 'fluorescence', 'brightfield-gray')
VALIDATION_SHARE = 0.25
TUNING_SHARE = 0.1


@dataclass(frozen=True)
class Item:
    id: str
    kind: str
    image: Path
    instances: Path


def read_items(data, kind):
    folder = Path(data) / 'histology' / 'open' / f'dsb2018-{kind}' / 'dev'
    items = json.loads((folder / 'dataset.json').read_text())['items']
    return [Item(i['id'], kind, folder / i['images'][0]['path'], folder / i['instances']) for i in items]


def split(items):
    """-> (training, validation), by the order of the SHA-256 of the id. No slide is known: the unit is the image."""
    ordered = sorted(items, key=lambda item: hashlib.sha256(item.id.encode()).hexdigest())
    n = round(len(ordered) * VALIDATION_SHARE)
    return ordered[n:], ordered[:n]


def tuning_split(training):
    """The training images of one kind -> (those that are fitted, those that thresholds are chosen on)."""
    n = round(len(training) * TUNING_SHARE)
    return training[n:], training[:n]


def read_rgb(path):
    """[rows, columns, 3] float32; grey is replicated."""
    return np.asarray(Image.open(path).convert('RGB'), np.float32)


def read_instances(path):
    """[rows, columns] int32: 0 background, one number a nucleus."""
    return np.asarray(Image.open(path)).astype(np.int32)
