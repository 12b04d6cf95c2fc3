"""The training data: items of a dataset.json that have a human lung mask, and their split by patient."""
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

OPEN_SET = 'cxr/open/covid-chestxray/dev/dataset.json'
NONCOMMERCIAL_SET = 'cxr/noncommercial/covid-chestxray/dev/dataset.json'
FRONTAL = {'PA', 'AP', 'AP Supine', 'AP Erect'}
FOLDS = 4
VALIDATION_FOLD = 0


@dataclass(frozen=True)
class Item:
    id: str
    patient: str
    image: Path
    mask: Path


def read_items(dataset_json, wanted='lungmask-v7'):
    """Items whose first image is frontal and whose mask path contains `wanted`, ordered by id."""
    path = Path(dataset_json)
    items = []
    for item in json.loads(path.read_text())['items']:
        image = item['images'][0]
        if wanted in item.get('mask', '') and image.get('view', 'PA') in FRONTAL:
            items.append(Item(item['id'], item['patientId'], path.parent / image['path'], path.parent / item['mask']))
    return sorted(items, key=lambda item: item.id)


def fold_of_patient(items):
    """patient -> 0..FOLDS-1: patients in the order of their id's SHA-256, dealt out in FOLDS equal runs."""
    patients = sorted({item.patient for item in items}, key=lambda p: hashlib.sha256(p.encode()).hexdigest())
    return {patient: index * FOLDS // len(patients) for index, patient in enumerate(patients)}


def split(items, fold):
    """(training items, validation items): fold `fold` of the patients is validation; `None` holds nobody out."""
    folds = fold_of_patient(items)
    return ([item for item in items if folds[item.patient] != fold],
            [item for item in items if folds[item.patient] == fold])
