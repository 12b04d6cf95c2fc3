"""The pictures that the gate is measured on, encoded as the engine does, in named groups: none of them trained."""
import json
import zlib
from pathlib import Path

import numpy as np
import torch

from chests import FRONTAL, LATERAL, NONCOMMERCIAL_SET, open_frontals, phantom_stack, read_items
from others import heads, histology, measured_only_cells
from picture import encode, read_grey
from pool import DRAWN, drawn
from variations import FAULTS, SOUND

# By hand, of the DICOM test files: which are chest radiographs, and which show nothing (masks, palettes, test patterns).
CHEST_FILES = ('CR-MONO1-10-chest', 'RG1_', '1.2.276.0.7230010.3.1.4.8323329.6904', 'Fake_MONOHR1')
PHOTOGRAPHS = ('astronaut', 'camera', 'cat', 'chelsea', 'coffee', 'coins', 'brick', 'grass', 'gravel', 'hubble_deep_field', 'ihc', 'moon', 'motorcycle_left',
               'retina', 'rocket', 'clock_motion', 'horse', 'cell')
TEXT_FILES = ('page', 'text')
PER_KIND = 60


def seeded(*names):
    return np.random.default_rng(zlib.crc32('/'.join(names).encode()))


def dicom_planes(folder):
    """(entry, plane) for each different picture that dicom-pictures.ts wrote; copies in another encoding are left out."""
    folder, seen, start = Path(folder), [], 0
    values = np.fromfile(folder / 'planes.bin', '<f4')
    for entry in json.loads((folder / 'index.json').read_text()):
        plane = values[start:start + entry['rows'] * entry['columns']].reshape(entry['rows'], entry['columns'])
        start += plane.size
        tensor = encode(plane)
        if any(float((tensor - other).abs().mean()) < 0.01 for other in seen):
            continue
        seen.append(tensor)
        yield entry, plane


def windowed(hu):
    """A CT slice as it is exported: soft tissue, lung, bone."""
    for centre, width in ((40, 400), (-600, 1500), (400, 1800)):
        yield np.clip(hu, centre - width / 2, centre + width / 2)


def chest_groups(data, phantoms):
    parts = open_frontals(data)
    for part in ('calibration', 'validation'):
        pictures = [read_grey(item.image) for item in parts[part]]
        yield f'frontal/{part}', pictures
        for name, fault in FAULTS.items():
            yield f'fault/{part}/{name}', [fault(grey) for grey in pictures]
    for name, change in SOUND.items():
        yield f'sound/{name}', [change(grey, seeded(name, str(i))) for i, grey in enumerate(pictures)]
    phantom = {view: phantom_stack(phantoms, f'{view}-validation').astype(np.float32) for view in ('PA', 'AP', 'LL')}
    yield 'frontal/phantoms', [*phantom['PA'], *phantom['AP']]
    yield 'lateral/phantoms', [*phantom['LL']]
    yield 'fault/phantoms/inverted laterals', [FAULTS['inverted'](grey) for grey in phantom['LL']]
    outside = read_items(Path(data) / NONCOMMERCIAL_SET)
    yield 'frontal/noncommercial', [read_grey(item.image) for item in outside if item.view in FRONTAL]
    yield 'lateral/real', [read_grey(item.image) for item in outside if item.view in LATERAL]
    yield 'fault/noncommercial/inverted', [FAULTS['inverted'](read_grey(item.image)) for item in outside]


def other_groups(data, phantoms, dicom):
    for kind in DRAWN:
        yield f'other/{kind}', list(drawn(kind, PER_KIND, measured=True))
    yield 'other/all black', [np.zeros((512, 512)), np.zeros((300, 400)), np.zeros((2000, 1500))]
    real = {}
    for kind, _, grey in (*histology(data, 1), *measured_only_cells(data), *heads(data, False)):
        real.setdefault(kind, []).append(grey)
    for kind, pictures in real.items():
        yield f'other/{kind}', pictures
    yield 'other/brain phantom', list(phantom_stack(phantoms, 'brain-validation'))
    yield 'other/tissue phantom', list(phantom_stack(phantoms, 'tissue-validation'))
    groups = {'CT': [], 'MR, DICOM': [], 'radiographs of other parts': [], 'nuclear, ultrasound, angiography, photographs in DICOM': [], 'chest': []}
    for entry, plane in dicom_planes(dicom):
        if any(name in entry['file'] for name in CHEST_FILES):
            groups['chest'].append(plane)
        elif entry['modality'] == 'CT':
            groups['CT'].append(plane)
        elif entry['modality'] == 'MR':
            groups['MR, DICOM'].append(plane)
        elif entry['modality'] in ('CR', 'DX', 'RG'):
            groups['radiographs of other parts'].append(plane)
        else:
            groups['nuclear, ultrasound, angiography, photographs in DICOM'].append(plane)
    yield 'other/CT', groups['CT']
    yield 'other/CT in three windows', [plane for hu in groups.pop('CT') for plane in windowed(hu)]
    chest = groups.pop('chest')
    yield 'dicom chest', chest
    for name, pictures in groups.items():
        yield f'other/{name}', pictures


def library_groups():
    """Photographs that come with scikit-image."""
    try:
        import skimage
    except ImportError:
        return
    folder = Path(skimage.__file__).parent / 'data'
    for group, names in (('photographs', PHOTOGRAPHS), ('text of scikit-image', TEXT_FILES)):
        files = [path for name in names for path in sorted(folder.glob(f'{name}.*')) if path.suffix in ('.png', '.jpg')]
        yield f'other/{group}', [read_grey(path) for path in files]


def encoded_groups(data, work):
    """name -> [n, 1, SIZE, SIZE] float32, kept in `work`."""
    path = Path(work) / 'measured.npz'
    if not path.exists():
        groups = {}
        for source in (chest_groups(data, Path(work) / 'phantoms'), other_groups(data, Path(work) / 'phantoms', Path(work) / 'dicom'), library_groups()):
            for name, pictures in source:
                groups[name] = torch.stack([encode(np.asarray(grey, np.float32)) for grey in pictures]).numpy()
                print(f'{name}: {len(pictures)}', flush=True)
        np.savez(path, **{name.replace('/', '|'): value for name, value in groups.items()})
    arrays = np.load(path)
    return {name.replace('|', '/'): torch.from_numpy(arrays[name]) for name in arrays}
