"""What every recipe writes of a model folder: a tfjs layers model without tensorflow, hashes, coded concepts."""
import hashlib
import json
from pathlib import Path

import numpy as np


class Topology:
    """A functional model as tfjs-layers saves it, layer by layer; `layers`: (name, kernel, bias) of those with weights."""

    def __init__(self, layers):
        self.made, self.shapes = [], {name: kernel.shape for name, kernel, _ in layers}

    def add(self, class_name, name, inputs, **config):
        """One layer; its name is handed back, to be the input of others."""
        inbound = [[[source, 0, 0, {}] for source in inputs]] if inputs else []
        self.made.append({'class_name': class_name, 'name': name, 'inbound_nodes': inbound, 'config': {'name': name, 'trainable': True, **config}})
        return name

    def image(self, name, *shape):
        return self.add('InputLayer', name, [], batch_input_shape=[None, *shape], dtype='float32', sparse=False)

    def conv(self, name, source, activation='relu', stride=1, padding='same'):
        rows, columns, _, filters = self.shapes[name]
        return self.add('Conv2D', name, [source], filters=filters, kernel_size=[rows, columns], strides=[stride, stride], padding=padding,
                        data_format='channels_last', dilation_rate=[1, 1], activation=activation, use_bias=True)

    def dense(self, name, source, activation='linear'):
        return self.add('Dense', name, [source], units=self.shapes[name][1], activation=activation, use_bias=True)

    def max_pool(self, name, source):
        return self.add('MaxPooling2D', name, [source], pool_size=[2, 2], strides=[2, 2], padding='valid', data_format='channels_last')

    def upsampled(self, name, source):
        return self.add('UpSampling2D', name, [source], size=[2, 2], data_format='channels_last', interpolation='nearest')

    def model(self, name, inputs, outputs):
        return {'class_name': 'Model', 'keras_version': 'tfjs-layers 4.22.0', 'backend': 'tensor_flow.js',
                'config': {'name': name, 'layers': self.made, 'input_layers': [[x, 0, 0] for x in inputs], 'output_layers': [[x, 0, 0] for x in outputs]}}


def unet_topology(convolutions, name, input_shape):
    """A U-Net of convolutions 'down<level>_conv<0|1>', 'up<step>_conv<0|1>' and 'logits': max pool, nearest upsampling, concat."""
    net = Topology(convolutions)
    x, skips = net.image('image', *input_shape), []
    for level in range(sum(name.startswith('down') for name in net.shapes) // 2):
        if level:
            x = net.max_pool(f'down{level}_pool', x)
        x = net.conv(f'down{level}_conv1', net.conv(f'down{level}_conv0', x))
        skips.append(x)
    for step, skip in enumerate(skips[-2::-1]):
        x = net.add('Concatenate', f'up{step}_concat', [net.upsampled(f'up{step}_resize', x), skip], axis=-1)
        x = net.conv(f'up{step}_conv1', net.conv(f'up{step}_conv0', x))
    return net.model(name, ['image'], [net.conv('logits', x, 'linear')])


def write_layers_model(folder, layers, topology, model_id):
    """`layers`: (name, kernel, bias) of each layer with weights, as tfjs lays them out; `topology`: of the whole model. Writes model.json and weights.bin."""
    specs, data = [], b''
    for name, kernel, bias in layers:
        for part, values in (('kernel', kernel), ('bias', bias)):
            specs.append({'name': f'{name}/{part}', 'shape': list(values.shape), 'dtype': 'float32'})
            data += values.astype('<f4').tobytes()
    (folder / 'weights.bin').write_bytes(data)
    model = {'format': 'layers-model', 'generatedBy': f'Overread {model_id} recipe', 'convertedBy': None,
             'modelTopology': topology, 'weightsManifest': [{'paths': ['weights.bin'], 'weights': specs}]}
    (folder / 'model.json').write_text(json.dumps(model, indent=1) + '\n')


def graph_of(folder):
    """The manifest's `graph` of what `write_layers_model` wrote."""
    return {'url': 'model.json', 'format': 'layers', 'sha256': {file: sha256(folder / file) for file in ('model.json', 'weights.bin')}}


def read_weights(folder):
    """The layers of `write_layers_model` back from a model folder."""
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


def code(value, scheme, meaning):
    """A coded concept of DICOM, as the manifest has it."""
    return {'codeValue': value, 'codingSchemeDesignator': scheme, 'codeMeaning': meaning}
