"""Golden numbers of a narrow Count-ception and of its losses, by PyTorch. Writes test/golden/count-ception.

    python3 test/generators/torch-count-ception.py
"""
import importlib.util
import json
import os

import torch
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location('torch_golden', os.path.join(HERE, 'torch-golden.py'))
golden = importlib.util.module_from_spec(spec)
spec.loader.exec_module(golden)

WIDTH, CLASSES, FIELD = 1 / 16, 2, 32


def wide(channels):
    # As Math.round: halves go up.
    return max(1, int(channels * WIDTH + 0.5))


def conv(channels_in, channels_out, size, padding=0):
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, size, padding=padding), nn.LeakyReLU(0.01), nn.BatchNorm2d(channels_out))


class Pair(nn.Module):
    def __init__(self, channels_in, ones, threes):
        super().__init__()
        self.ones, self.threes = conv(channels_in, wide(ones), 1), conv(channels_in, wide(threes), 3, 1)
        self.out = wide(ones) + wide(threes)

    def forward(self, x):
        return torch.cat([self.ones(x), self.threes(x)], 1)


class CountCeption(nn.Module):
    def __init__(self):
        super().__init__()
        a, b = Pair(wide(64), 16, 16), Pair(wide(16) + wide(16), 16, 32)
        c = Pair(wide(16), 112, 48)
        d = Pair(c.out, 40, 40)
        e = Pair(d.out, 32, 96)
        self.net = nn.Sequential(conv(3, wide(64), 3), a, b, conv(b.out, wide(16), 14), c, d, e, conv(e.out, wide(16), 17), conv(wide(16), wide(64), 1), conv(wide(64), wide(64), 1), nn.Conv2d(wide(64), CLASSES, 1))

    def forward(self, x):
        return self.net(nn.functional.pad(x, [FIELD - 1] * 4))


torch.manual_seed(5)
net = CountCeption().eval()
for module in net.modules():
    if isinstance(module, nn.BatchNorm2d):
        module.running_mean.normal_(0, 0.3)
        module.running_var.uniform_(0.5, 2)
        module.weight.data.uniform_(0.5, 1.5)
        module.bias.data.normal_(0, 0.3)
folder = os.path.join(golden.GOLDEN, 'count-ception')
os.makedirs(folder, exist_ok=True)
golden.safetensors(os.path.join(folder, 'state.safetensors'), net.state_dict())
x = golden.picture((1, 3, 20, 24), 1)
with torch.no_grad():
    y = net(x)
truth, weights = torch.rand(2, 3, 4, 2), torch.rand(2, 3, 4, 1)
losses = []
for weighted in [False, True]:
    for name, of in [('densityL1', torch.abs), ('densityL2', torch.square)]:
        predicted = (truth * 0.5 + 0.3 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(3))).requires_grad_()
        loss = (of(predicted - truth) * (weights if weighted else 1)).mean()
        loss.backward()
        losses.append({'loss': name, 'weighted': weighted, 'predicted': predicted.flatten().tolist(), 'value': loss.item(), 'gradient': predicted.grad.flatten().tolist()})
with open(os.path.join(folder, 'golden.json'), 'w') as f:
    json.dump({'width': WIDTH, 'classes': CLASSES, 'input': golden.encode(x), 'output': golden.encode(y), 'shape': list(truth.shape), 'truth': truth.flatten().tolist(), 'weights': weights.flatten().tolist(), 'losses': losses}, f)
