"""Writes the trained ensemble as a tfjs layers model with its manifest and golden files, without tensorflow."""
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dataset import LABELS
from network import folded
from picture import HIGH, LOW, SIZE, encode

VERSION = '1.1.0'
CONCEPTS = {
    # Codes are those of src/cli/finding-concepts.ts.
    'No Finding': ('373572006', 'SCT', 'Clinical finding absent'),
    'Pneumonia': ('233604007', 'SCT', 'Pneumonia'),
    'Infiltration': ('112121', 'DCM', 'Infiltrate'),
    'Atelectasis': ('46621007', 'SCT', 'Atelectasis'),
    'Effusion': ('60046008', 'SCT', 'Pleural effusion'),
    'Edema': ('19242006', 'SCT', 'Pulmonary edema'),
}


def topology(layers):
    """
    A functional model as tfjs-layers saves it. Members stand side by side on one input; their last feature maps are
    concatenated (`features`), averaged over rows and columns, and scored by one dense layer.
    """
    shapes, made = {name: kernel.shape for name, kernel, _ in layers}, []

    def add(class_name, name, inputs, **config):
        inbound = [[[source, 0, 0, {}] for source in inputs]] if inputs else []
        made.append({'class_name': class_name, 'name': name, 'inbound_nodes': inbound, 'config': {'name': name, 'trainable': True, **config}})
        return name

    def conv(name, source, stride=1, activation='relu'):
        size, filters = shapes[name][0], shapes[name][3]
        if stride > 1 and size > 1:
            # PyTorch pads both sides alike; 'same' with a stride would not.
            source = add('ZeroPadding2D', f'{name}_pad', [source], padding=[[size // 2] * 2] * 2, data_format='channels_last')
        return add('Conv2D', name, [source], filters=filters, kernel_size=[size, size], strides=[stride, stride],
                   padding='same' if stride == 1 else 'valid', data_format='channels_last', dilation_rate=[1, 1], activation=activation, use_bias=True)

    def basic_block(at, x):
        stride = 2 if f'{at}_shortcut' in shapes else 1
        y = conv(f'{at}_second', conv(f'{at}_first', x, stride), activation='linear')
        shortcut = conv(f'{at}_shortcut', x, stride, 'linear') if stride > 1 else x
        return add('ReLU', f'{at}_relu', [add('Add', f'{at}_add', [y, shortcut])])

    image = add('InputLayer', 'image', [], batch_input_shape=[None, SIZE, SIZE, 1], dtype='float32', sparse=False)
    features = []
    for member in dict.fromkeys(name.split('_')[0] for name in shapes if name.startswith('member')):
        x = conv(f'{member}_stem1', conv(f'{member}_stem0', image, 2))
        x = add('MaxPooling2D', f'{member}_pool', [x], pool_size=[2, 2], strides=[2, 2], padding='valid', data_format='channels_last')
        for block in range(sum(name.startswith(f'{member}_') and name.endswith('_first') for name in shapes)):
            x = basic_block(f'{member}_block{block}', x)
        features.append(x)
    x = add('Concatenate', 'features', features, axis=-1)
    x = add('GlobalAveragePooling2D', 'mean', [x], data_format='channels_last')
    x = add('Dense', 'scores', [x], units=shapes['scores'][1], activation='linear', use_bias=True)
    return {'class_name': 'Model', 'keras_version': 'tfjs-layers 4.22.0', 'backend': 'tensor_flow.js',
            'config': {'name': 'cxr_findings', 'layers': made, 'input_layers': [['image', 0, 0]], 'output_layers': [[x, 0, 0]]}}


def write_weights(folder, layers):
    specs, data = [], b''
    for name, kernel, bias in layers:
        for part, values in (('kernel', kernel), ('bias', bias)):
            specs.append({'name': f'{name}/{part}', 'shape': list(values.shape), 'dtype': 'float32'})
            data += values.astype('<f4').tobytes()
    (folder / 'weights.bin').write_bytes(data)
    model = {'format': 'layers-model', 'generatedBy': 'Overread cxr-findings recipe', 'convertedBy': None,
             'modelTopology': topology(layers), 'weightsManifest': [{'paths': ['weights.bin'], 'weights': specs}]}
    (folder / 'model.json').write_text(json.dumps(model, indent=1) + '\n')


def read_weights(folder):
    """The folded layers back from a model folder."""
    specs = json.loads((Path(folder) / 'model.json').read_text())['weightsManifest'][0]['weights']
    data, tensors, start = np.fromfile(Path(folder) / 'weights.bin', '<f4'), {}, 0
    for spec in specs:
        n = int(np.prod(spec['shape']))
        tensors[spec['name']] = data[start:start + n].reshape(spec['shape']).astype(np.float32)
        start += n
    names = list(dict.fromkeys(name.split('/')[0] for name in tensors))
    return [(name, tensors[f'{name}/kernel'], tensors[f'{name}/bias']) for name in names]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_manifest(folder, platt, operating_points):
    """`platt`: (a, b) a label; `operating_points`: one probability a label."""
    def code(value, scheme, meaning):
        return {'codeValue': value, 'codingSchemeDesignator': scheme, 'codeMeaning': meaning}

    manifest = {
        'schemaVersion': 1,
        'id': 'cxr-findings',
        'version': VERSION,
        'name': 'Chest X-ray findings',
        'task': 'classify',
        'graph': {'url': 'model.json', 'format': 'layers', 'sha256': {f: sha256(folder / f) for f in ('model.json', 'weights.bin')}},
        'input': {
            'modality': ['DX', 'CR', 'RG', 'OT'],
            'bodyPart': ['CHEST', 'THORAX', 'LUNG', 'LUNGS', 'PORT CHEST', 'PORTABLE CHEST', 'CHEST PORT', 'CHEST_PORT', 'CXR'],
            'viewPosition': ['PA', 'AP', 'AP SUPINE', 'AP ERECT', 'AP PORTABLE'],
            'shape': [SIZE, SIZE, 1],
            'layout': 'NHWC',
            'valueRange': [0, 1],
            'channels': ['grey'],
            'normalisation': {'kind': 'percentile', 'low': LOW, 'high': HIGH},
            'fit': 'letterbox',
            'gate': 'cxr-view',
        },
        'output': {
            'activation': 'sigmoid',
            'gives': 'logits',
            'targets': [{'label': label, 'concept': code(*CONCEPTS[label]), 'operatingPoint': round(point, 4)} for label, point in zip(LABELS, operating_points)],
            'calibration': {'kind': 'platt', 'targets': [{'a': round(a, 4), 'b': round(b, 4)} for a, b in platt]},
        },
        'algorithm': {'family': code('123110', 'DCM', 'Artificial Intelligence'), 'name': 'Overread chest X-ray findings'},
        'license': 'CC-BY-4.0',
        'citation': (
            'Images and labels: Wang et al., ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks on Weakly-Supervised '
            'Classification and Localization of Common Thorax Diseases, CVPR 2017, arXiv 1705.02315; NIH Clinical Center, '
            'nihcc.app.box.com/v/ChestXray-NIHCC. Network: He et al., CVPR 2016, arXiv 1512.03385.'),
        'intendedUse': 'Scores six text-mined labels on frontal (PA or AP) chest X-rays of adults, for research and teaching.',
        'notice': 'Research use only. Not for diagnosis.',
    }
    (folder / 'manifest.json').write_text(json.dumps(manifest, indent=2) + '\n')
    return manifest


def golden_picture(rows, columns, seed):
    """A made-up picture with two dark ellipses, ribs, a haze and noise: no picture of a data set, and odd in size on purpose."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:rows * 1j, -1.2:1.2:columns * 1j]
    body = 120 + 60 * (1 - np.hypot(x / 1.3, y / 1.5))
    for side in (-1, 1):
        body -= 70 / (1 + np.exp(30 * (np.hypot((x - side * 0.48) / 0.34, (y + 0.05) / 0.7) - 1)))
    cx, cy, haze = rng.uniform(-0.6, 0.6), rng.uniform(-0.2, 0.6), rng.uniform(20, 70)
    body += haze * np.exp(-((x - cx) / 0.3) ** 2 - ((y - cy) / 0.3) ** 2)
    body += 12 * np.cos(18 * (y + 0.4 * x ** 2)) + rng.normal(0, 4, (rows, columns))
    return np.clip(np.rint(body), 0, 255).astype(np.float32)


def write_golden(folder, net, manifest):
    """Generated pictures, the first one's input tensor (float32 little-endian), and the unfolded networks' logits."""
    golden = folder / 'golden'
    golden.mkdir(exist_ok=True)
    pairs = manifest['output']['calibration']['targets']
    pictures = []
    for i, (rows, columns) in enumerate(((300, 360), (250, 200), (96, 96))):
        picture, name = golden_picture(rows, columns, i + 7), f'picture{i}.png'
        Image.fromarray(picture.astype(np.uint8)).save(golden / name)
        tensor = encode(picture)
        if not i:
            (golden / 'input.bin').write_bytes(tensor.contiguous().numpy().astype('<f4').tobytes())
        with torch.no_grad():
            logits = net.eval()(tensor)[0].double().numpy()
        probability = [1 / (1 + np.exp(-(pair['a'] * logit + pair['b']))) for pair, logit in zip(pairs, logits)]
        pictures.append({'file': name, 'rows': rows, 'columns': columns, 'logits': logits.tolist(), 'probabilities': probability})
    about = {
        'reference': f'PyTorch {torch.__version__}, batch norm not folded; pictures generated by recipe/export.py',
        'pictures': pictures,
        'input': {'file': 'input.bin', 'of': 'picture0.png', 'shape': [1, SIZE, SIZE, 1], 'dtype': 'float32', 'byteOrder': 'little', 'maxAbsDiff': 1e-5},
        'logits': {'labels': list(LABELS), 'maxAbsDiff': 1e-3},
        'sha256': {path.name: sha256(path) for path in sorted(golden.iterdir()) if path.suffix in ('.png', '.bin')},
    }
    (golden / 'golden.json').write_text(json.dumps(about, indent=2) + '\n')


def export(net, folder, platt, operating_points):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder, folded(net))
    write_golden(folder, net, write_manifest(folder, platt, operating_points))
