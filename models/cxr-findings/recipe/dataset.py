"""The pictures, their text-mined labels, and the split by patient."""
import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

OPEN_SET = 'cxr/open/nih14-subset/dev'
LABELS = ('No Finding', 'Pneumonia', 'Infiltration', 'Atelectasis', 'Effusion', 'Edema')
# Too few cases to ship (25 or fewer); learnt beside the others.
OTHER_LABELS = ('Consolidation', 'Pleural_Thickening', 'Cardiomegaly', 'Mass', 'Nodule', 'Pneumothorax', 'Emphysema', 'Fibrosis', 'Hernia')
QUARTERS = 4
MEMBERS = 4


@dataclass(frozen=True)
class Item:
    id: str
    patient: str
    path: Path
    labels: frozenset
    view: str
    sex: str
    age: int


def read_items(folder):
    """All items of the set, ordered by id."""
    with open(Path(folder) / 'labels.csv', newline='') as rows:
        items = [Item(Path(row['file']).stem, row['patient'], Path(folder) / 'images' / row['file'], frozenset(row['labels'].split('|')),
                      row['view'], row['sex'], int(row['age'])) for row in csv.DictReader(rows)]
    return sorted(items, key=lambda item: item.id)


def dealt(items, runs):
    """One run number an item: patients in the order of their id's SHA-256, dealt out in `runs` equal runs."""
    patients = sorted({item.patient for item in items}, key=lambda patient: hashlib.sha256(patient.encode()).hexdigest())
    run_of = {patient: index * runs // len(patients) for index, patient in enumerate(patients)}
    return [run_of[item.patient] for item in items]


def split(items):
    """(training items, validation items): the first quarter of the patients is validation."""
    runs = dealt(items, QUARTERS)
    return ([item for item, run in zip(items, runs) if run], [item for item, run in zip(items, runs) if not run])


def folds(training):
    """For each member of the ensemble (items it learns from, items kept from it), by index into `training`."""
    runs = dealt(training, MEMBERS)
    return [([i for i, run in enumerate(runs) if run != member], [i for i, run in enumerate(runs) if run == member]) for member in range(MEMBERS)]
