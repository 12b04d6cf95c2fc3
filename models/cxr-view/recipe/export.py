"""Writes the gate as a tfjs layers model with its manifest and golden files, without tensorflow."""
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from network import CLASSES, POOL_BEFORE
from picture import HIGH, LOW, SIZE, encode

VERSION = '1.0.0'
DISTANCE_THRESHOLD = 0.5
CODES = ('FRONTAL', 'LATERAL', 'INVERTED', 'ROTATED', 'NOT_A_CHEST')
FAULTS = {'Inverted': 'inverted grey scale', 'Rotated': 'rotated picture', 'Not a chest radiograph': 'not a chest radiograph'}


def folded(gate):
    """Every layer with weights as (name, kernel, bias), batch norm folded into the convolutions."""
    net, layers = gate.net, []
    for i, (convolution, norm) in enumerate(zip(net.convolutions, net.norms)):
        gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        kernel = convolution.weight.double() * gain[:, None, None, None]
        layers.append((f'conv{i}', kernel.permute(2, 3, 1, 0), norm.bias.double() - norm.running_mean.double() * gain))
    layers.append(('hidden', net.hidden.weight.T, net.hidden.bias))
    for name, bias in zip(('frontal', 'lateral'), gate.biases):
        layers.append((f'to_{name}', gate.kernel, bias))
    layers.append(('logits', net.head.weight.T, net.head.bias))
    return [(name, *(part.detach().float().contiguous().numpy() for part in parts)) for name, *parts in layers]


def topology(weighted):
    """A functional model as tfjs-layers saves it, with the outputs distance and logits."""
    layers, shapes = [], {name: kernel.shape for name, kernel, _ in weighted}

    def add(class_name, name, inputs, **config):
        inbound = [[[source, 0, 0, {}] for source in inputs]] if inputs else []
        layers.append({'class_name': class_name, 'name': name, 'inbound_nodes': inbound, 'config': {'name': name, 'trainable': True, **config}})
        return name

    def dense(name, source, activation):
        return add('Dense', name, [source], units=shapes[name][1], activation=activation, use_bias=True)

    x = add('InputLayer', 'image', [], batch_input_shape=[None, SIZE, SIZE, 1], dtype='float32', sparse=False)
    for i in range(sum(name.startswith('conv') for name in shapes)):
        rows, columns, _, filters = shapes[f'conv{i}']
        if i in POOL_BEFORE:
            x = add('MaxPooling2D', f'pool{i}', [x], pool_size=[2, 2], strides=[2, 2], padding='valid', data_format='channels_last')
        x = add('Conv2D', f'conv{i}', [x], filters=filters, kernel_size=[rows, columns], strides=[2, 2] if i == 0 else [1, 1], padding='same',
                data_format='channels_last', dilation_rate=[1, 1], activation='relu', use_bias=True)
        if i == 4:
            texture = add('GlobalAveragePooling2D', 'texture', [x], data_format='channels_last')
    x = add('AveragePooling2D', 'coarse', [x], pool_size=[2, 2], strides=[2, 2], padding='valid', data_format='channels_last')
    hidden = dense('hidden', add('Flatten', 'flat', [x]), 'relu')
    features = add('Concatenate', 'features', [hidden, texture], axis=-1)
    squares = []
    for view in ('frontal', 'lateral'):
        whitened = dense(f'to_{view}', features, 'linear')
        squares.append(add('Dot', f'squared_{view}', [whitened, whitened], axes=-1, normalize=False))
    distance = add('Activation', 'distance', [add('Minimum', 'nearer', squares)], activation='softsign')
    logits = dense('logits', hidden, 'linear')
    return {'class_name': 'Model', 'keras_version': 'tfjs-layers 4.22.0', 'backend': 'tensor_flow.js',
            'config': {'name': 'cxr_view', 'layers': layers, 'input_layers': [['image', 0, 0]], 'output_layers': [[distance, 0, 0], [logits, 0, 0]]}}


def write_weights(folder, weighted):
    """In the order of the topology's layers."""
    specs, data = [], b''
    for name, kernel, bias in weighted:
        for part, values in (('kernel', kernel), ('bias', bias)):
            specs.append({'name': f'{name}/{part}', 'shape': list(values.shape), 'dtype': 'float32'})
            data += np.ascontiguousarray(values).astype('<f4').tobytes()
    (folder / 'weights.bin').write_bytes(data)
    model = {'format': 'layers-model', 'generatedBy': 'Overread cxr-view recipe', 'convertedBy': None,
             'modelTopology': topology(weighted), 'weightsManifest': [{'paths': ['weights.bin'], 'weights': specs}]}
    (folder / 'model.json').write_text(json.dumps(model, indent=1) + '\n')


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_manifest(folder, threshold):
    manifest = {
        'schemaVersion': 1,
        'id': 'cxr-view',
        'version': VERSION,
        'name': 'Chest X-ray view and gate',
        'task': 'classify',
        'graph': {'url': 'model.json', 'format': 'layers', 'sha256': {f: sha256(folder / f) for f in ('model.json', 'weights.bin')}},
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
            'targets': [{'label': label, 'concept': {'codeValue': code, 'codingSchemeDesignator': '99OVERREAD', 'codeMeaning': label}}
                        for label, code in zip(CLASSES, CODES)],
        },
        'gate': {'frontal': 'Frontal', 'lateral': 'Lateral', 'faults': FAULTS, 'threshold': threshold, 'distanceThreshold': DISTANCE_THRESHOLD},
        'algorithm': {'family': {'codeValue': '123110', 'codingSchemeDesignator': 'DCM', 'codeMeaning': 'Artificial Intelligence'},
                      'name': 'Overread chest X-ray view and gate'},
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
    write_weights(folder, folded(gate))
    write_manifest(folder, threshold)
    write_golden(folder, gate, phantoms)
