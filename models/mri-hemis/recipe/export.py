"""Writes a trained network as a tfjs layers model with its manifest and golden files, without tensorflow.

    python3 models/mri-hemis/recipe/export.py --heads FOLDER --checkpoint FILE --out models/mri-hemis
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from hemis import MODALITIES, WIDTHS, HemisUNet, folded
from model_folder import Topology, code, graph_of, sha256, write_layers_model
from slices import COLUMNS, LIMIT, OPERATING_POINT, ROWS, decode, encode, moments
from volumes import read_phantoms

VERSION = '1.3.0'


def topology(convolutions):
    """A functional model as tfjs-layers saves it; `ModalityMoments` is Overread's own layer."""
    net = Topology(convolutions)

    def block(name, source):
        return net.conv(f'{name}_conv1', net.conv(f'{name}_conv0', source))

    images = [net.image(name, ROWS, COLUMNS, 1) for name in MODALITIES]
    present = net.image('present', len(MODALITIES))
    encoders = []
    for name, x in zip(MODALITIES, images):
        features = []
        for level in range(len(WIDTHS)):
            x = block(f'{name}.down{level}', net.max_pool(f'{name}.pool{level}', x) if level else x)
            features.append(x)
        encoders.append(features)
    merged = [net.add('ModalityMoments', f'moments{level}', [*features, present]) for level, features in enumerate(zip(*encoders))]
    x = merged[-1]
    for step, skip in enumerate(merged[-2::-1]):
        x = block(f'up{step}', net.add('Concatenate', f'skip{step}', [net.upsampled(f'upsample{step}', x), skip], axis=-1))
    return net.model('mri_hemis', [*MODALITIES, 'present'], [net.conv('logits', x, 'linear')])


def write_manifest(folder):
    manifest = {
        'schemaVersion': 1, 'id': 'mri-hemis', 'version': VERSION, 'name': 'MRI HeMIS U-Net', 'task': 'segment',
        'graph': graph_of(folder),
        'input': {
            'modality': ['MR', 'OT'],
            'bodyPart': ['BRAIN', 'HEAD', 'SKULL', 'NEURO'],
            'shape': [ROWS, COLUMNS, 1], 'layout': 'NHWC', 'valueRange': [-LIMIT, LIMIT], 'channels': ['signal'],
            'normalisation': {'kind': 'zscore', 'over': 'above-mean'},
            'fit': 'letterbox',
            'modalities': list(MODALITIES),
        },
        'output': {
            'activation': 'sigmoid', 'gives': 'logits',
            'targets': [{
                'label': 'Lesion', 'concept': code('52988006', 'SCT', 'Lesion'),
                'category': code('49755003', 'SCT', 'Morphologically Abnormal Structure'),
                'operatingPoint': OPERATING_POINT, 'color': [255, 120, 60],
            }],
        },
        'algorithm': {'family': code('123110', 'DCM', 'Artificial Intelligence'), 'name': 'Overread MRI HeMIS U-Net'},
        'license': 'CC-BY-4.0',
        'citation': (
            'HeMIS: Havaei et al., MICCAI 2016, arXiv 1607.05194. U-Net: Ronneberger et al., MICCAI 2015, arXiv 1505.04597. Images of two patients with '
            'multiple sclerosis: Lesjak et al., Neuroinformatics 2018, doi 10.1007/s12021-017-9348-7 (CC BY), as in github.com/muschellij2/open_ms_data.'),
        'intendedUse': (
            'Shows how lesions are outlined from whichever of T1, T1 with contrast, T2 and FLAIR are there, for research and teaching. Trained on '
            'generated heads and one patient; of other patients it finds a part of the lesions where FLAIR is there, and little without.'),
        'notice': 'A demonstration: it misses lesions of patients, most of them without FLAIR. Research use only. Not for diagnosis.',
    }
    (folder / 'manifest.json').write_text(json.dumps(manifest, indent=2) + '\n')


def write_golden(folder, net, head):
    """A slice of a generated head in four modalities, the inputs, and the unfolded network's logits of all and of one."""
    golden = folder / 'golden'
    golden.mkdir(exist_ok=True)
    index = int(head.truth.sum((1, 2)).argmax())
    volumes = {name: volume[index:index + 1] for name, volume in head.volumes.items()}
    inputs = {name: encode(volume, moments(volume), head.spacing) for name, volume in volumes.items()}
    with torch.no_grad():
        logits = {'all': net(inputs), 'FLAIR': net({'FLAIR': inputs['FLAIR']})}
    rows, columns = head.truth.shape[1:]
    about = {'reference': f'PyTorch {torch.__version__}, batch norm not folded; slice {index} of generated head {head.id}',
             'volumes': {'file': 'volumes.bin', 'dtype': 'uint16', 'shape': [len(MODALITIES), 1, rows, columns], 'spacingMm': list(head.spacing)}}
    np.stack([volumes[name] for name in MODALITIES]).astype('<u2').tofile(golden / 'volumes.bin')

    def write(name, values, limit):
        values = values.permute(0, 2, 3, 1).contiguous().numpy().astype('<f4')
        values.tofile(golden / f'{name}.bin')
        return {'file': f'{name}.bin', 'shape': list(values.shape), 'dtype': 'float32', 'byteOrder': 'little', 'maxAbsDiff': limit}

    about['input'] = write('input', torch.cat([inputs[name] for name in MODALITIES]), 1e-5)
    about['logits'] = {name: write(f'logits-{name}', values, 1e-3) for name, values in logits.items()}
    truth = head.truth[index:index + 1]
    about['labels'] = {name: {'pixels': int((mask := decode(values, rows, columns, head.spacing)).sum()), 'dice': round(float(2 * (mask & truth).sum() / (mask.sum() + truth.sum())), 4)}
                       for name, values in logits.items()}
    about['sha256'] = {path.name: sha256(path) for path in sorted(golden.glob('*.bin'))}
    (golden / 'golden.json').write_text(json.dumps(about, indent=2) + '\n')


def export(net, folder, heads):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    convolutions = folded(net)
    write_layers_model(folder, convolutions, topology(convolutions), 'mri-hemis')
    write_manifest(folder)
    write_golden(folder, net.float().eval(), read_phantoms(heads, 'validation')[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--heads', type=Path, required=True)
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    net = HemisUNet()
    net.load_state_dict(torch.load(args.checkpoint, weights_only=True))
    export(net, args.out, args.heads)


if __name__ == '__main__':
    main()
