"""Writes the golden checkpoints of test/golden/{densenet,resnet,fusion,checkpoints} with the real PyTorch.

    python3 test/generators/torch-golden.py            small networks, committed
    python3 test/generators/torch-golden.py --full DIR DenseNet-121 and ResNet-50 in full size, for a test by hand

Legacy files differ with every run in their storage keys, which are addresses; all else is the same bytes again.
Needs torch (Debian python3-torch 1.13); --full also takes torchvision (python3-torchvision) where it is there.
"""
import base64
import json
import os
import struct
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import torch_networks as net  # noqa: E402

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden')
SMALL = dict(classes=3, growth=4, block_config=(2, 2, 1), features=6, bn_size=2)


def encode(tensor):
    """NCHW → NHWC, base64 of float32."""
    array = tensor.permute(0, 2, 3, 1).contiguous().numpy().astype('<f4')
    return {'shape': list(array.shape), 'base64': base64.b64encode(array.tobytes()).decode()}


def picture(shape, seed):
    """Smooth random values as a scaled radiograph has them, rounded to eighths so that they pack as they are."""
    g = torch.Generator().manual_seed(seed)
    coarse = torch.randn((shape[0], shape[1], 5, 5), generator=g)
    smooth = torch.nn.functional.interpolate(coarse, shape[2:], mode='bilinear', align_corners=False)
    return torch.round(8 * (smooth + 0.2 * torch.randn(shape, generator=g))) / 8


def write_json(path, value):
    with open(path, 'w') as f:
        json.dump(value, f, indent=1)
        f.write('\n')


def safetensors(path, state):
    names = {torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16', torch.int64: 'I64', torch.float64: 'F64', torch.uint8: 'U8'}
    header, blobs, offset = {'__metadata__': {'format': 'pt'}}, [], 0
    for name, t in state.items():
        blob = t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if t.dim() else t.reshape(1).view(torch.uint8).numpy().tobytes()
        header[name] = {'dtype': names[t.dtype], 'shape': list(t.shape), 'data_offsets': [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text + b''.join(blobs))


def logits(value):
    return [[float(v) for v in row] for row in value]


def small_densenet(folder):
    os.makedirs(folder, exist_ok=True)
    module = net.randomise(net.DenseNet(**SMALL), 1)
    x = picture((2, 1, 50, 44), 2)  # odd halves on the way down
    torch.save(module.state_dict(), folder + '/state.pt')
    torch.save(module.state_dict(), folder + '/state-legacy.pth', _use_new_zipfile_serialization=False)
    torch.save({'epoch': 3, 'state_dict': {'module.' + k: v for k, v in module.state_dict().items()}, 'best': np.float64(0.5)},
               folder + '/trainer.pt', pickle_protocol=4)
    safetensors(folder + '/model.safetensors', module.state_dict())
    # What torchxrayvision publishes: the module itself, with numbers and a numpy array as attributes.
    module.op_threshs = np.array([0.1, 0.2, 0.3])
    module.pathologies = ['A', 'B', 'C']
    torch.save(module, folder + '/module.pt')
    torch.save(module, folder + '/module-legacy.pt', _use_new_zipfile_serialization=False)
    with torch.no_grad():
        y = module(x)
    write_json(folder + '/golden.json', {'torch': torch.__version__, 'options': SMALL, 'input': encode(x), 'logits': logits(y)})


def small_resnet(folder):
    os.makedirs(folder, exist_ok=True)
    options = dict(classes=3, layers=(1, 2), width=4)
    module = net.randomise(net.ResNet(**options), 3)
    x = picture((2, 1, 46, 51), 4)
    torch.save({'model.' + k: v for k, v in module.state_dict().items()}, folder + '/state.pt')
    with torch.no_grad():
        y = module(x)
    write_json(folder + '/golden.json', {'torch': torch.__version__, 'options': options, 'input': encode(x), 'logits': logits(y)})


def small_fusion(folder):
    os.makedirs(folder, exist_ok=True)
    pa, l = picture((2, 1, 40, 36), 5), picture((2, 1, 40, 36), 6)
    hemis = {**SMALL, 'merge_after': 2}
    networks = {'stacked': net.Stacked(channels=2, **SMALL), 'hemis': net.Hemis(**hemis), 'hemis-mean': net.Hemis(**hemis, variance=False),
                'dualnet': net.DualNet(**SMALL), 'auxloss': net.AuxLoss(**SMALL)}
    out = {'torch': torch.__version__, 'options': SMALL, 'PA': encode(pa), 'L': encode(l), 'networks': {}}
    for seed, (name, module) in enumerate(networks.items()):
        net.randomise(module, 10 + seed)
        safetensors(folder + '/' + name + '.safetensors', module.state_dict())
        with torch.no_grad():
            answers = {'both': module(pa, l), 'PA only': module(pa, None), 'L only': module(None, l)}
        out['networks'][name] = {k: {head: logits(v) for head, v in a.items()} for k, a in answers.items()}
    write_json(folder + '/golden.json', out)


class Hostile:
    """Its pickle calls os.system when Python loads it; ours must refuse it."""

    def __reduce__(self):
        return os.system, ('echo this must never run > /dev/null',)


def checkpoints(folder):
    os.makedirs(folder, exist_ok=True)
    g = torch.Generator().manual_seed(7)
    base = torch.randn((4, 6), generator=g)
    tensors = {
        'float32': base, 'float16': base.half(), 'bfloat16': base.bfloat16(), 'float64': base.double(),
        'int64': torch.tensor([1, -2, 2 ** 40]), 'int32': torch.tensor([-7, 9], dtype=torch.int32),
        'int16': torch.tensor([-300, 300], dtype=torch.int16), 'int8': torch.tensor([-5, 5], dtype=torch.int8),
        'uint8': torch.tensor([0, 255], dtype=torch.uint8), 'bool': torch.tensor([True, False]), 'scalar': torch.tensor(2.5),
        'empty': torch.zeros((0, 3)), 'halves': torch.tensor([0.0, -0.0, 6e-8, 65504.0, float('inf')]).half(),
        'transposed': base.t(), 'column': base[:, 2], 'every second row': base[::2], 'expanded': base[:1].expand(3, 6),
        'tail': base.reshape(-1)[20:],
    }
    expected = {k: {'shape': list(v.shape), 'values': [float(x) if np.isfinite(float(x)) else str(float(x)) for x in v.double().reshape(-1)]} for k, v in tensors.items()}
    torch.save(tensors, folder + '/tensors.pt')
    torch.save(tensors, folder + '/tensors-legacy.pt', _use_new_zipfile_serialization=False)
    torch.save(tensors, folder + '/tensors-protocol5.pt', pickle_protocol=5)
    torch.save(tensors, folder + '/tensors-protocol1.pt', pickle_protocol=1)
    write_json(folder + '/tensors.json', expected)
    torch.save({'weight': base, 'extra': Hostile()}, folder + '/hostile.pt')
    torch.save({'weight': base, 'extra': Hostile()}, folder + '/hostile-legacy.pt', _use_new_zipfile_serialization=False)


def full(folder):
    os.makedirs(folder, exist_ok=True)
    torch.set_num_threads(2)
    dense = net.DenseNet()
    res = net.ResNet()
    try:
        import torchvision
        # The package's own classes where they are there: conv0 swapped for one channel, as torchxrayvision does.
        dense = torchvision.models.densenet.DenseNet(num_classes=18)
        dense.features.conv0 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
        res = torchvision.models.resnet50(num_classes=18)
        res.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    except ImportError:
        print('torchvision is not installed: the twins of torch_networks.py stand in')
    out = {'torch': torch.__version__, 'networks': {}}
    for name, module, size, seed in (('densenet121', dense, 224, 21), ('resnet50', res, 512, 22)):
        net.randomise(module, seed)
        x = 1024 * torch.tanh(picture((1, 1, size, size), seed + 10))
        net.calibrate(module, x, seed + 20)
        torch.save(module, '%s/%s-module.pt' % (folder, name))
        torch.save(module, '%s/%s-module-legacy.pt' % (folder, name), _use_new_zipfile_serialization=False)
        torch.save(module.state_dict(), '%s/%s-state.pt' % (folder, name))
        with torch.no_grad():
            y = module(x)
        out['networks'][name] = {'class': type(module).__module__ + '.' + type(module).__name__, 'input': encode(x), 'logits': logits(y)}
    write_json(folder + '/golden.json', out)


if __name__ == '__main__':
    if sys.argv[1:2] == ['--full']:
        full(sys.argv[2])
    else:
        names = {'DenseLayer': '_DenseLayer', 'Transition': '_Transition'}
        net.publish_as('torchxrayvision.models', names, [net.DenseNet, net.DenseLayer, net.Transition])
        small_densenet(GOLDEN + '/densenet')
        small_resnet(GOLDEN + '/resnet')
        small_fusion(GOLDEN + '/fusion')
        checkpoints(GOLDEN + '/checkpoints')
