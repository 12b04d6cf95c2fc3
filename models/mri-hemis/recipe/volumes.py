"""The heads: generated ones and the open MS cases, as volumes whose slices are axial, and their split by patient."""
import json
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from hemis import MODALITIES

MS_SET = 'mri/open/ms-lesions/dev/dataset.json'


@dataclass
class Head:
    """Volumes [slices, rows, columns]: columns to the patient's left, rows to the back, slices upwards."""
    id: str
    patient: str
    kind: str  # 'tumour', 'plaques', 'ms'
    volumes: dict
    truth: np.ndarray
    brain: np.ndarray | None
    spacing: tuple  # (column, row) in mm


def read_phantoms(folder, part):
    folder = Path(folder)
    heads = []
    for entry in json.loads((folder / 'index.json').read_text()):
        if entry['part'] != part:
            continue
        columns, rows, slices = entry['shape']
        data, size, shape = (folder / entry['file']).read_bytes(), columns * rows * slices, (slices, rows, columns)
        volumes = {name: np.frombuffer(data, '<u2', size, 2 * i * size).reshape(shape) for i, name in enumerate(MODALITIES)}
        lesion, brain = (np.frombuffer(data, np.uint8, size, (8 + i) * size).reshape(shape) for i in (0, 1))
        heads.append(Head(entry['id'], entry['id'], entry['lesions'], volumes, lesion > 0, brain > 0, tuple(entry['spacingMm'][:2])))
    return heads


def read_ms(dataset_json):
    path = Path(dataset_json)
    heads = []
    for item in json.loads(path.read_text())['items']:
        volumes = {image['modality']: axial(path.parent / image['path'])[0].astype(np.float32) for image in item['images']}
        truth, spacing = axial(path.parent / item['mask'])
        heads.append(Head(item['id'], item['patientId'], 'ms', volumes, truth > 0, None, spacing))
    return heads


def axial(file):
    """A NIfTI file with its axes turned, not resampled: (values [slices, rows, columns], (column, row) spacing)."""
    image = nibabel.as_closest_canonical(nibabel.load(file))
    values = np.asanyarray(image.dataobj)[::-1, ::-1].transpose(2, 1, 0)
    return np.ascontiguousarray(values), tuple(float(v) for v in image.header.get_zooms()[:2])
