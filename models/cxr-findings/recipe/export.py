"""Writes the trained ensemble as a tfjs layers model with its manifest and golden files, without tensorflow."""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[2] / 'recipes'))
from dataset import LABELS  # noqa: E402
from model_folder import Topology, code, graph_of, sha256, write_layers_model  # noqa: E402
from network import folded  # noqa: E402
from picture import HIGH, LOW, SIZE, encode  # noqa: E402

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
    net = Topology(layers)

    def conv(name, source, stride=1, activation='relu'):
        size = net.shapes[name][0]
        if stride > 1 and size > 1:
            # PyTorch pads both sides alike; 'same' with a stride would not.
            source = net.add('ZeroPadding2D', f'{name}_pad', [source], padding=[[size // 2] * 2] * 2, data_format='channels_last')
        return net.conv(name, source, activation, stride, 'same' if stride == 1 else 'valid')

    def basic_block(at, x):
        stride = 2 if f'{at}_shortcut' in net.shapes else 1
        y = conv(f'{at}_second', conv(f'{at}_first', x, stride), activation='linear')
        shortcut = conv(f'{at}_shortcut', x, stride, 'linear') if stride > 1 else x
        return net.add('ReLU', f'{at}_relu', [net.add('Add', f'{at}_add', [y, shortcut])])

    image = net.image('image', SIZE, SIZE, 1)
    features = []
    for member in dict.fromkeys(name.split('_')[0] for name in net.shapes if name.startswith('member')):
        x = net.max_pool(f'{member}_pool', conv(f'{member}_stem1', conv(f'{member}_stem0', image, 2)))
        for block in range(sum(name.startswith(f'{member}_') and name.endswith('_first') for name in net.shapes)):
            x = basic_block(f'{member}_block{block}', x)
        features.append(x)
    x = net.add('Concatenate', 'features', features, axis=-1)
    x = net.add('GlobalAveragePooling2D', 'mean', [x], data_format='channels_last')
    return net.model('cxr_findings', ['image'], [net.dense('scores', x)])


def write_manifest(folder, platt, operating_points):
    """`platt`: (a, b) a label; `operating_points`: one probability a label."""
    manifest = {
        'schemaVersion': 1,
        'id': 'cxr-findings',
        'version': VERSION,
        'name': 'Chest X-ray findings',
        'task': 'classify',
        'graph': graph_of(folder),
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
    layers = folded(net)
    write_layers_model(folder, layers, topology(layers), 'cxr-findings')
    write_golden(folder, net, write_manifest(folder, platt, operating_points))
