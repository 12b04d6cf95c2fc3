"""Writes a trained network as a tfjs layers model with its manifest and golden files, without tensorflow."""
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from network import folded
from picture import HIGH, KEEP_COMPONENTS, LOW, OPERATING_POINT, SIZE, decode, encode

VERSION = '1.1.0'


def topology(convolutions):
    """A functional model as tfjs-layers saves it: convolution with its ReLU, max pool, nearest upsampling, concat."""
    layers, channels_out = [], {name: kernel.shape[3] for name, kernel, _ in convolutions}
    levels = sum(name.startswith('down') for name in channels_out) // 2

    def add(class_name, name, inputs, **config):
        inbound = [[[source, 0, 0, {}] for source in inputs]] if inputs else []
        layers.append({'class_name': class_name, 'name': name, 'inbound_nodes': inbound, 'config': {'name': name, 'trainable': True, **config}})
        return name

    def conv(name, source, size=3, activation='relu'):
        return add('Conv2D', name, [source], filters=channels_out[name], kernel_size=[size, size], strides=[1, 1], padding='same',
                   data_format='channels_last', dilation_rate=[1, 1], activation=activation, use_bias=True)

    x = add('InputLayer', 'image', [], batch_input_shape=[None, SIZE, SIZE, 1], dtype='float32', sparse=False)
    skips = []
    for level in range(levels):
        if level:
            x = add('MaxPooling2D', f'down{level}_pool', [x], pool_size=[2, 2], strides=[2, 2], padding='valid', data_format='channels_last')
        x = conv(f'down{level}_conv1', conv(f'down{level}_conv0', x))
        skips.append(x)
    for level, skip in enumerate(skips[-2::-1]):
        x = add('UpSampling2D', f'up{level}_resize', [x], size=[2, 2], data_format='channels_last', interpolation='nearest')
        x = add('Concatenate', f'up{level}_concat', [x, skip], axis=-1)
        x = conv(f'up{level}_conv1', conv(f'up{level}_conv0', x))
    x = conv('logits', x, size=1, activation='linear')
    return {'class_name': 'Model', 'keras_version': 'tfjs-layers 4.22.0', 'backend': 'tensor_flow.js',
            'config': {'name': 'lung_unet', 'layers': layers, 'input_layers': [['image', 0, 0]], 'output_layers': [[x, 0, 0]]}}


def write_weights(folder, convolutions):
    specs, data = [], b''
    for name, kernel, bias in convolutions:
        for part, values in (('kernel', kernel), ('bias', bias)):
            specs.append({'name': f'{name}/{part}', 'shape': list(values.shape), 'dtype': 'float32'})
            data += values.astype('<f4').tobytes()
    (folder / 'weights.bin').write_bytes(data)
    model = {'format': 'layers-model', 'generatedBy': 'Overread lung-unet recipe', 'convertedBy': None,
             'modelTopology': topology(convolutions), 'weightsManifest': [{'paths': ['weights.bin'], 'weights': specs}]}
    (folder / 'model.json').write_text(json.dumps(model, indent=1) + '\n')


def read_weights(folder):
    """The folded convolutions back from a model folder."""
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


def write_manifest(folder):
    def code(value, scheme, meaning):
        return {'codeValue': value, 'codingSchemeDesignator': scheme, 'codeMeaning': meaning}

    manifest = {
        'schemaVersion': 1,
        'id': 'lung-unet',
        'version': VERSION,
        'name': 'Lung U-Net',
        'task': 'segment',
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
            'targets': [{
                'label': 'Lung',
                'concept': code('39607008', 'SCT', 'Lung'),
                'category': code('123037004', 'SCT', 'Anatomical Structure'),
                'operatingPoint': OPERATING_POINT,
                'color': [64, 196, 255],
            }],
            'keepLargestComponents': KEEP_COMPONENTS,
            'minimumFraction': 0.08,
        },
        'algorithm': {'family': code('123110', 'DCM', 'Artificial Intelligence'), 'name': 'Overread Lung U-Net'},
        'license': 'CC-BY-4.0',
        'citation': (
            'U-Net: Ronneberger et al., MICCAI 2015, arXiv 1505.04597. Images: Cohen et al., COVID-19 Image Data Collection, '
            'arXiv 2003.11597 (the CC BY part; most from the Hannover Medical School set, doi 10.6084/m9.figshare.12275009). '
            'Lung masks: V7 Labs, github.com/v7labs/covid-19-xray-dataset, CC BY 4.0.'),
        'intendedUse': 'Outlines both lungs on frontal (PA or AP) chest X-rays of adults, for research and teaching.',
        'notice': 'Research use only. Not for diagnosis.',
    }
    (folder / 'manifest.json').write_text(json.dumps(manifest, indent=2) + '\n')


def golden_picture(rows=300, columns=360, seed=7):
    """A made-up picture with two dark ellipses, ribs and noise: no picture of a data set, and odd in size on purpose."""
    y, x = np.mgrid[-1:1:rows * 1j, -1.2:1.2:columns * 1j]
    body = 120 + 60 * (1 - np.hypot(x / 1.3, y / 1.5))
    for side in (-1, 1):
        body -= 70 / (1 + np.exp(30 * (np.hypot((x - side * 0.48) / 0.34, (y + 0.05) / 0.7) - 1)))
    body += 12 * np.cos(18 * (y + 0.4 * x ** 2)) + np.random.default_rng(seed).normal(0, 4, (rows, columns))
    return np.clip(np.rint(body), 0, 255).astype(np.float32)


def write_golden(folder, net):
    """A generated picture, its input tensor, the unfolded network's logits (float32 little-endian) and its mask."""
    golden = folder / 'golden'
    golden.mkdir(exist_ok=True)
    picture = golden_picture()
    tensor = encode(picture)
    with torch.no_grad():
        logits = net.float().eval()(tensor)
    mask = decode(logits, picture.shape)
    Image.fromarray(picture.astype(np.uint8)).save(golden / 'picture.png')
    Image.fromarray(mask.astype(np.uint8) * 255).save(golden / 'mask.png')
    for name, values in (('input', tensor), ('logits', logits)):
        (golden / f'{name}.bin').write_bytes(values.contiguous().numpy().astype('<f4').tobytes())
    shape = {'shape': [1, SIZE, SIZE, 1], 'dtype': 'float32', 'byteOrder': 'little'}
    about = {
        'reference': f'PyTorch {torch.__version__}, batch norm not folded; picture generated by recipe/export.py',
        'picture': {'file': 'picture.png', 'rows': picture.shape[0], 'columns': picture.shape[1]},
        'input': {'file': 'input.bin', **shape, 'maxAbsDiff': 1e-5},
        'logits': {'file': 'logits.bin', **shape, 'maxAbsDiff': 1e-3},
        'mask': {'file': 'mask.png', 'pixels': int(mask.sum()), 'minDice': 0.999},
        'sha256': {name: sha256(golden / name) for name in ('picture.png', 'input.bin', 'logits.bin', 'mask.png')},
    }
    (golden / 'golden.json').write_text(json.dumps(about, indent=2) + '\n')


def export(net, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder, folded(net))
    write_manifest(folder)
    write_golden(folder, net)
