"""The PyTorch twins of src/architectures: torchvision's and torchxrayvision's modules, and the fusion networks."""
import sys
import types

import torch
import torch.nn as nn
import torch.nn.functional as F


class DenseLayer(nn.Sequential):
    def __init__(self, inputs, growth, bn_size):
        super().__init__()
        self.add_module('norm1', nn.BatchNorm2d(inputs))
        self.add_module('relu1', nn.ReLU(inplace=True))
        self.add_module('conv1', nn.Conv2d(inputs, bn_size * growth, 1, bias=False))
        self.add_module('norm2', nn.BatchNorm2d(bn_size * growth))
        self.add_module('relu2', nn.ReLU(inplace=True))
        self.add_module('conv2', nn.Conv2d(bn_size * growth, growth, 3, padding=1, bias=False))

    def forward(self, x):
        return torch.cat([x, super().forward(x.clone())], 1)


class Transition(nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.add_module('norm', nn.BatchNorm2d(inputs))
        self.add_module('relu', nn.ReLU(inplace=True))
        self.add_module('conv', nn.Conv2d(inputs, outputs, 1, bias=False))
        self.add_module('pool', nn.AvgPool2d(2, 2))


def stem(channels, features):
    return [('conv0', nn.Conv2d(channels, features, 7, 2, 3, bias=False)), ('norm0', nn.BatchNorm2d(features)),
            ('relu0', nn.ReLU(inplace=True)), ('pool0', nn.MaxPool2d(3, 2, 1))]


def blocks(features, growth, block_config, bn_size, start, stop):
    """Dense blocks start..stop (from 1, inclusive) with their transitions, and the channels after them."""
    parts = []
    for b in range(start, stop + 1):
        layers = nn.Sequential()
        for i in range(block_config[b - 1]):
            layers.add_module('denselayer%d' % (i + 1), DenseLayer(features, growth, bn_size))
            features += growth
        parts.append(('denseblock%d' % b, layers))
        if b < len(block_config):
            parts.append(('transition%d' % b, Transition(features, features // 2)))
            features //= 2
    return parts, features


def sequential(parts):
    module = nn.Sequential()
    for name, part in parts:
        module.add_module(name, part)
    return module


class DenseNet(nn.Module):
    """torchxrayvision's DenseNet: torchvision's with any number of input channels."""

    def __init__(self, channels=1, classes=18, growth=32, block_config=(6, 12, 24, 16), features=64, bn_size=4):
        super().__init__()
        parts, width = blocks(features, growth, block_config, bn_size, 1, len(block_config))
        self.features = sequential(stem(channels, features) + parts + [('norm5', nn.BatchNorm2d(width))])
        self.classifier = nn.Linear(width, classes)
        self.width = width

    def pooled(self, x):
        return F.adaptive_avg_pool2d(F.relu(self.features(x)), (1, 1)).flatten(1)

    def forward(self, x):
        return self.classifier(self.pooled(x))


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, width * 4, 1, bias=False), nn.BatchNorm2d(width * 4)
        self.downsample = None
        if stride != 1 or inputs != width * 4:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, width * 4, 1, stride, bias=False), nn.BatchNorm2d(width * 4))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """torchvision's ResNet of bottlenecks, of any width, so that a small one can be committed."""

    def __init__(self, channels=1, classes=18, layers=(3, 4, 6, 3), width=64):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.stages = len(layers)
        inputs = width
        for stage, count in enumerate(layers):
            part = nn.Sequential()
            for block in range(count):
                part.add_module(str(block), Bottleneck(inputs, width * 2 ** stage, 2 if stage > 0 and block == 0 else 1))
                inputs = width * 2 ** stage * 4
            self.add_module('layer%d' % (stage + 1), part)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(self.stages):
            x = getattr(self, 'layer%d' % (stage + 1))(x)
        return self.fc(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


class Stacked(DenseNet):
    def forward(self, pa, l):
        there = l if pa is None else pa
        pa, l = (torch.zeros_like(there) if v is None else v for v in (pa, l))
        return {'fused': super().forward(torch.cat([pa, l], 1))}


class Hemis(nn.Module):
    """Hashir et al. 2020, models/joint.py: mean and torch.var over the views, zeros for the variance of one."""

    def __init__(self, classes, growth, block_config, features, bn_size, merge_after, variance=True):
        super().__init__()
        self.variance = variance
        self.branches = nn.ModuleDict()
        for view in ('pa', 'l'):
            parts, width = blocks(features, growth, block_config, bn_size, 1, merge_after)
            branch = nn.Module()
            branch.features = sequential(stem(1, features) + parts)
            self.branches[view] = branch
        width *= 2 if variance else 1
        parts, width = blocks(width, growth, block_config, bn_size, merge_after + 1, len(block_config))
        self.merged = nn.Module()
        self.merged.features = sequential(parts + [('norm5', nn.BatchNorm2d(width))])
        self.classifier = nn.Linear(width, classes)

    def forward(self, pa, l):
        acts = [self.branches[name].features(v) for name, v in (('pa', pa), ('l', l)) if v is not None]
        stacked = torch.stack(acts, 1)
        mean = stacked.mean(1)
        var = stacked.var(1) if len(acts) > 1 else torch.zeros_like(mean)
        x = self.merged.features(torch.cat([mean, var], 1) if self.variance else mean)
        return {'fused': self.classifier(F.adaptive_avg_pool2d(F.relu(x), (1, 1)).flatten(1))}


class DualNet(nn.Module):
    def __init__(self, classes, **options):
        super().__init__()
        self.frontal_model = DenseNet(classes=classes, **options)
        self.lateral_model = DenseNet(classes=classes, **options)
        self.classifier = nn.Linear(2 * self.frontal_model.width, classes)
        # Their own heads are AuxLoss's.
        del self.frontal_model.classifier, self.lateral_model.classifier

    def joint(self, pa, l):
        there = l if pa is None else pa
        pa, l = (torch.zeros_like(there) if v is None else v for v in (pa, l))
        features = [self.frontal_model.pooled(pa), self.lateral_model.pooled(l)]
        return self.classifier(torch.cat(features, 1)), features

    def forward(self, pa, l):
        return {'fused': self.joint(pa, l)[0]}


class AuxLoss(DualNet):
    def __init__(self, classes, **options):
        super().__init__(classes, **options)
        self.frontal_model.classifier = nn.Linear(self.frontal_model.width, classes)
        self.lateral_model.classifier = nn.Linear(self.lateral_model.width, classes)

    def forward(self, pa, l):
        joint, features = self.joint(pa, l)
        heads = {'PA': self.frontal_model.classifier(features[0]), 'L': self.lateral_model.classifier(features[1])}
        if pa is None or l is None:
            view = 'L' if pa is None else 'PA'
            return {'fused': heads[view], view: heads[view]}
        return {'fused': joint, **heads}


def randomise(module, seed):
    """Random weights and, so that a wrong normalisation shows, random statistics; logits stay of the order of one."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for m in module.modules():
            if isinstance(m, nn.Conv2d):
                fan = m.weight[0].numel()
                m.weight.copy_(torch.randn(m.weight.shape, generator=g) * (2 / fan) ** 0.5)
            elif isinstance(m, nn.BatchNorm2d):
                m.weight.copy_(0.8 + 0.4 * torch.rand(m.weight.shape, generator=g))
                m.bias.copy_(0.2 * torch.randn(m.bias.shape, generator=g))
                m.running_mean.copy_(0.2 * torch.randn(m.bias.shape, generator=g))
                m.running_var.copy_(0.6 + 0.8 * torch.rand(m.bias.shape, generator=g))
            elif isinstance(m, nn.Linear):
                m.weight.copy_(torch.randn(m.weight.shape, generator=g) * (1 / m.in_features) ** 0.5)
                m.bias.copy_(0.1 * torch.randn(m.bias.shape, generator=g))
    return module.eval()


def calibrate(module, x, seed):
    """
    Statistics near those that x has in the module, as after training, so that logits stay of the order of one and every
    bias counts in a comparison; not quite those, so that a normalisation by the batch would show.
    """
    g = torch.Generator().manual_seed(seed)
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    for m in norms:
        m.reset_running_stats()
        m.momentum = None
    with torch.no_grad():
        module.train()(x)
        for m in norms:
            m.momentum = 0.1
            m.running_mean.add_(0.1 * torch.randn(m.bias.shape, generator=g) * m.running_var.sqrt())
            m.running_var.mul_(0.8 + 0.4 * torch.rand(m.bias.shape, generator=g))
    return module.eval()


def publish_as(module_name, renames, classes):
    """Gives classes the module path of a published package, so that a pickle names them as that package's would."""
    home = types.ModuleType(module_name)
    for cls in classes:
        name = renames.get(cls.__name__, cls.__name__)
        cls.__module__, cls.__qualname__, cls.__name__ = module_name, name, name
        setattr(home, name, cls)
    parts = module_name.split('.')
    for i in range(1, len(parts)):
        sys.modules.setdefault('.'.join(parts[:i]), types.ModuleType('.'.join(parts[:i])))
    sys.modules[module_name] = home
