"""The networks of the experiment: two that read one view, and the four fusions of Hashir et al. 2020 on the same DenseNet."""
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'generators'))
from torch_networks import AuxLoss, DenseNet, DualNet, Hemis, Stacked  # noqa: E402

CLASSES = 3
# Two blocks only: the last feature map has 16 x 16 places, fine enough to point at a finding.
DENSENET = {'growth': 16, 'block_config': (2, 4), 'features': 16, 'bn_size': 2}
MERGE_AFTER = 1
# located: AuxLoss that goes on with a loss on where its maps peak.
FUSIONS = ('stacked', 'hemis', 'dualnet', 'auxloss', 'located')


class OneView(nn.Module):
    """A DenseNet that looks at one view, whatever else is there."""

    def __init__(self, view):
        super().__init__()
        self.view = view
        self.net = DenseNet(channels=1, classes=CLASSES, **DENSENET)

    def forward(self, pa, l):
        return {'fused': self.net(pa if self.view == 'PA' else l)}


def build(kind):
    if kind in ('PA', 'L'):
        return OneView(kind)
    if kind == 'stacked':
        return Stacked(channels=2, classes=CLASSES, **DENSENET)
    if kind == 'hemis':
        return Hemis(classes=CLASSES, merge_after=MERGE_AFTER, **DENSENET)
    return {'dualnet': DualNet, 'auxloss': AuxLoss, 'located': AuxLoss}[kind](classes=CLASSES, **DENSENET)


def started(kind, seed):
    """A network with random weights; He et al. 2015 for the convolutions, as torchvision's DenseNet."""
    torch.manual_seed(seed)
    net = build(kind)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
    return net


def warmed(kind, single, seed):
    """
    A network that starts from the networks of one view (state dicts by view), so that no fusion has to learn to see anew:
    from scratch the branches sat for long, and for different times, on the plateau where every score is the prevalence.
    """
    net = started(kind, seed)
    if kind == 'located':
        net.load_state_dict(single['auxloss'])
        return net
    state = net.state_dict()
    branches = {view: {name[len('net.'):]: values for name, values in single[view].items()} for view in ('PA', 'L')}
    head = 'classifier.weight', 'classifier.bias'
    if kind in ('PA', 'L'):
        state = single[kind]
    elif kind == 'stacked':
        # Half of the first channels see the PA, half the lateral: added up in every channel, as the PA's network with further
        # kernels had it, one view hid the other for good. What follows begins at random.
        half = len(state['features.conv0.weight']) // 2
        state['features.conv0.weight'].zero_()
        for i, branch in enumerate(branches.values()):
            strongest = branch['features.conv0.weight'].flatten(1).norm(dim=1).argsort(descending=True)[:half]
            mine = slice(i * half, (i + 1) * half)
            state['features.conv0.weight'][mine, i] = branch['features.conv0.weight'][strongest, 0]
            for part in ('weight', 'bias', 'running_mean', 'running_var'):
                state[f'features.norm0.{part}'][mine] = branch[f'features.norm0.{part}'][strongest]
    elif kind == 'hemis':
        for view, branch in branches.items():
            state.update({f'branches.{view.lower()}.{name}': values for name, values in branch.items() if f'branches.{view.lower()}.{name}' in state})
    else:
        for name, branch in zip(('frontal_model', 'lateral_model'), branches.values()):
            state.update({f'{name}.{part}': values for part, values in branch.items() if f'{name}.{part}' in state})
        # At first the joint head gives the mean of the views' logits.
        state[head[0]] = torch.cat([b[head[0]] for b in branches.values()], 1) / 2
        state[head[1]] = sum(b[head[1]] for b in branches.values()) / 2
    net.load_state_dict(state)
    return net
