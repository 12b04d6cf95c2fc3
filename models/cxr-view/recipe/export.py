"""Writes the gate as a tfjs layers model with its manifest and golden files, without tensorflow."""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[2] / 'recipes'))
from folding import as_arrays, folded_pair  # noqa: E402
from model_folder import Topology, code, graph_of, sha256, write_layers_model  # noqa: E402
from network import CLASSES, POOL_BEFORE  # noqa: E402
from picture import HIGH, LOW, SIZE, encode  # noqa: E402

VERSION = '1.0.0'
DISTANCE_THRESHOLD = 0.5
CODES = ('FRONTAL', 'LATERAL', 'INVERTED', 'ROTATED', 'NOT_A_CHEST')
FAULTS = {'Inverted': 'inverted grey scale', 'Rotated': 'rotated picture', 'Not a chest radiograph': 'not a chest radiograph'}


def folded(gate):
    """Every layer with weights as (name, kernel, bias), batch norm folded into the convolutions."""
    net = gate.net
    layers = [(f'conv{i}', *folded_pair(*pair)) for i, pair in enumerate(zip(net.convolutions, net.norms))]
    layers.append(('hidden', net.hidden.weight.T, net.hidden.bias))
    for name, bias in zip(('frontal', 'lateral'), gate.biases):
        layers.append((f'to_{name}', gate.kernel, bias))
    return as_arrays([*layers, ('logits', net.head.weight.T, net.head.bias)])


def topology(weighted):
    """A functional model as tfjs-layers saves it, with the outputs distance and logits."""
    net = Topology(weighted)
    x = net.image('image', SIZE, SIZE, 1)
    for i in range(sum(name.startswith('conv') for name in net.shapes)):
        x = net.conv(f'conv{i}', net.max_pool(f'pool{i}', x) if i in POOL_BEFORE else x, stride=1 if i else 2)
        if i == 4:
            texture = net.add('GlobalAveragePooling2D', 'texture', [x], data_format='channels_last')
    x = net.add('AveragePooling2D', 'coarse', [x], pool_size=[2, 2], strides=[2, 2], padding='valid', data_format='channels_last')
    hidden = net.dense('hidden', net.add('Flatten', 'flat', [x]), 'relu')
    features = net.add('Concatenate', 'features', [hidden, texture], axis=-1)
    squares = []
    for view in ('frontal', 'lateral'):
        whitened = net.dense(f'to_{view}', features)
        squares.append(net.add('Dot', f'squared_{view}', [whitened, whitened], axes=-1, normalize=False))
    distance = net.add('Activation', 'distance', [net.add('Minimum', 'nearer', squares)], activation='softsign')
    return net.model('cxr_view', ['image'], [distance, net.dense('logits', hidden)])


def write_manifest(folder, threshold):
    manifest = {
        'schemaVersion': 1,
        'id': 'cxr-view',
        'version': VERSION,
        'name': 'Chest X-ray view and gate',
        'task': 'classify',
        'graph': graph_of(folder),
        'input': {
            'modality': ['DX', 'CR', 'RG', 'OT'],
            'shape': [SIZE, SIZE, 1],
            'layout': 'NHWC',
            'valueRange': [0, 1],
            'channels': ['grey'],
            'normalisation': {'kind': 'percentile', 'low': LOW, 'high': HIGH},
            'fit': 'letterbox',
        },
        'output': {
            'activation': 'softmax',
            'gives': 'logits',
            'targets': [{'label': label, 'concept': code(value, '99OVERREAD', label)} for label, value in zip(CLASSES, CODES)],
        },
        'gate': {'frontal': 'Frontal', 'lateral': 'Lateral', 'faults': FAULTS, 'threshold': threshold, 'distanceThreshold': DISTANCE_THRESHOLD},
        'algorithm': {'family': code('123110', 'DCM', 'Artificial Intelligence'), 'name': 'Overread chest X-ray view and gate'},
        'license': 'CC-BY-4.0',
        'citation': (
            'Images: Wang et al., ChestX-ray8, CVPR 2017 (NIH Clinical Center); Cohen et al., COVID-19 Image Data Collection, arXiv 2003.11597 (the part under '
            'CC BY); Caicedo et al., Nat Methods 2019 (BBBC038, CC0); Lesjak et al., Neuroinformatics 2018 (CC BY). '
            'Distance: Lee et al., NeurIPS 2018, arXiv 1807.03888.'),
        'intendedUse': 'Says whether a picture is an upright, uninverted frontal or lateral chest X-ray, before another model reads it; for research and teaching.',
        'notice': 'Research use only. Not for diagnosis.',
    }
    (folder / 'manifest.json').write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + '\n')


def write_golden(folder, gate, phantoms):
    """Generated pictures, their input tensors, and what the unfolded network says, float32 little-endian."""
    golden = folder / 'golden'
    golden.mkdir(exist_ok=True)
    tensors, pictures = [], []
    for name, grey, shows in phantoms:
        Image.fromarray(np.ascontiguousarray(grey, np.uint8)).save(golden / f'{name}.png')
        tensors.append(encode(grey.astype(np.float32)))
        pictures.append({'file': f'{name}.png', 'rows': grey.shape[0], 'columns': grey.shape[1], 'shows': shows})
    inputs = torch.stack(tensors)
    with torch.no_grad():
        distance, logits = gate(inputs)
    for name, values in (('input', inputs), ('distance', distance), ('logits', logits)):
        (golden / f'{name}.bin').write_bytes(values.contiguous().numpy().astype('<f4').tobytes())
    n = len(pictures)
    about = {
        'reference': f'PyTorch {torch.__version__}, batch norm not folded; pictures generated by recipe/phantoms.ts',
        'pictures': pictures,
        'input': {'file': 'input.bin', 'shape': [n, SIZE, SIZE, 1], 'maxAbsDiff': 1e-5},
        'distance': {'file': 'distance.bin', 'shape': [n, 1], 'maxAbsDiff': 1e-3},
        'logits': {'file': 'logits.bin', 'shape': [n, len(CLASSES)], 'maxAbsDiff': 1e-3},
        'sha256': {path.name: sha256(path) for path in sorted(golden.iterdir()) if path.suffix in ('.png', '.bin')},
    }
    (golden / 'golden.json').write_text(json.dumps(about, indent=2) + '\n')


def export(gate, threshold, folder, phantoms):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    layers = folded(gate)
    write_layers_model(folder, layers, topology(layers), 'cxr-view')
    write_manifest(folder, threshold)
    write_golden(folder, gate, phantoms)
