"""The nuclei U-Net with one density a class in place of its outputs, started from its shipped weights."""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

MODELS = Path(__file__).resolve().parents[2]
sys.path += [str(MODELS / 'recipes'), str(MODELS / 'nuclei-unet' / 'recipe')]
from model_folder import read_weights  # noqa: E402
from network import UNet  # noqa: E402

CLASSES = ('Nucleus', 'Positive nucleus')


class Counter(nn.Module):
    """[n, 3, rows, columns] in 0..1 -> density [n, classes, rows, columns] >= 0; sides are multiples of 8."""

    def __init__(self, classes=len(CLASSES)):
        super().__init__()
        self.unet = UNet(outputs=classes)
        nn.init.normal_(self.unet.head.weight, std=0.01)
        nn.init.constant_(self.unet.head.bias, 0.02)

    def forward(self, x):
        z = self.unet(x)
        # Where a cell is missed altogether a ReLU gives no gradient: here it leaks one.
        leak = 0.05 * z.clamp(max=0) if self.training else 0 * z
        return F.relu(z) + leak - leak.detach()


def start_from_nuclei(net, batch):
    """Loads all but the head. Batch norms are set so that they leave `batch` as the folded weights would."""
    weights, hooks = {name: parts for name, *parts in read_weights(MODELS / 'nuclei-unet')}, []

    def keep(norm, bias):
        def hook(_, inputs):
            x = inputs[0].detach()
            norm.running_mean.copy_(x.mean((0, 2, 3)))
            norm.running_var.copy_(x.var((0, 2, 3)))
            norm.weight.data.copy_(torch.sqrt(norm.running_var + norm.eps))
            norm.bias.data.copy_(norm.running_mean + bias)
        return hook

    for side, blocks in (('down', net.unet.down), ('up', net.unet.up)):
        for level, layers in enumerate(blocks):
            for step in (0, 1):
                kernel, bias = (torch.from_numpy(part) for part in weights[f'{side}{level}_conv{step}'])
                layers[3 * step].weight.data.copy_(kernel.permute(3, 2, 0, 1))
                hooks.append(layers[3 * step + 1].register_forward_pre_hook(keep(layers[3 * step + 1], bias)))
    with torch.no_grad():
        net(batch)
    for hook in hooks:
        hook.remove()
