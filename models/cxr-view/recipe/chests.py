"""The chest radiographs: sound frontals of two open sets, split by patient; phantoms of both views; the measured-only set."""
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

OPEN_SETS = ('cxr/open/nih14-subset/dev', 'cxr/open/covid-chestxray/dev')
NONCOMMERCIAL_SET = 'cxr/noncommercial/covid-chestxray/dev'
FRONTAL = {'PA', 'AP', 'AP Supine', 'AP Erect'}
LATERAL = {'L', 'LL', 'RL'}
CALIBRATION_SHARE, VALIDATION_SHARE = 0.15, 0.25


@dataclass(frozen=True)
class Item:
    id: str
    patient: str
    view: str
    image: Path


def read_items(folder):
    """Every image of a dataset.json with its view, ordered by id."""
    folder = Path(folder)
    items = [Item(item['id'], item['patientId'], image.get('view', ''), folder / image['path'])
             for item in json.loads((folder / 'dataset.json').read_text())['items'] for image in item['images']]
    return sorted(items, key=lambda item: item.id)


def part_of(patient):
    """A patient's part by the SHA-256 of the id: 60 % train, 15 % calibration, 25 % validation."""
    draw = int(hashlib.sha256(patient.encode()).hexdigest()[:8], 16) / 2 ** 32
    if draw < VALIDATION_SHARE:
        return 'validation'
    return 'calibration' if draw < VALIDATION_SHARE + CALIBRATION_SHARE else 'train'


def open_frontals(data):
    """part -> items of the open sets; patient ids of the two sets are kept apart by the set's name."""
    parts = {'train': [], 'calibration': [], 'validation': []}
    for folder in OPEN_SETS:
        name = folder.split('/')[2]
        for item in read_items(Path(data) / folder):
            if item.view in FRONTAL:
                parts[part_of(f'{name}:{item.patient}')].append(item)
    return parts


def phantom_stack(folder, name):
    """[n, rows, columns] uint8 as phantoms.ts wrote them."""
    shape = json.loads((Path(folder) / 'index.json').read_text())[name]
    return np.fromfile(Path(folder) / f'{name}.bin', np.uint8).reshape(shape)
