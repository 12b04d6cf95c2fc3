"""The network: plain convolutions that tfjs-layers has exactly; features, scores, and the distance of the features."""
import torch
from torch import nn
from torch.nn import functional as F

CLASSES = ('Frontal', 'Lateral', 'Inverted', 'Rotated', 'Not a chest radiograph')
WIDTHS = (16, 32, 48, 64, 96, 128)
POOL_BEFORE = {2, 4, 5}  # a max pool of 2 stands before these convolutions; the first has a stride of 2
HIDDEN = 64


class ViewNet(nn.Module):
    """[n, 1, 64, 64] in 0..1 -> (features [n, 64 + 96], logits [n, 5])."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 5 if i == 0 else 3, stride=2 if i == 0 else 1, padding=2 if i == 0 else 1, bias=False)
            for i, (a, b) in enumerate(zip((1, *WIDTHS), WIDTHS)))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in WIDTHS)
        self.dropout = nn.Dropout(0.2)
        self.hidden = nn.Linear(4 * WIDTHS[-1], HIDDEN)
        self.head = nn.Linear(HIDDEN, len(CLASSES))

    def forward(self, x):
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            if i == 0:  # tfjs pads 'same' with stride 2 by 1 before and 2 after
                x = F.conv2d(F.pad(x, (1, 2, 1, 2)), convolution.weight, stride=2)
            else:
                x = convolution(F.max_pool2d(x, 2) if i in POOL_BEFORE else x)
            x = F.relu(norm(x))
            if i == 4:
                texture = x.mean((2, 3))
        x = F.avg_pool2d(x, 2).permute(0, 2, 3, 1).flatten(1)
        hidden = F.relu(self.hidden(self.dropout(x)))
        return torch.cat([hidden, texture], 1), self.head(hidden)


class Gate(nn.Module):
    """A trained ViewNet with the distance of its features: the smaller of those to the frontals and to the laterals."""

    def __init__(self, net, whitening, centres, scale):
        """whitening [features, features], centres [2, features]; the squared distance times scale is 1 at the threshold."""
        super().__init__()
        self.net = net
        kernel = whitening * scale ** 0.5
        self.register_buffer('kernel', kernel)
        self.register_buffer('biases', -centres @ kernel)

    def forward(self, x):
        """-> (distance [n, 1] in 0..1, logits [n, 5])"""
        features, logits = self.net(x)
        squared = torch.stack([((features @ self.kernel + bias) ** 2).sum(1, keepdim=True) for bias in self.biases]).amin(0)
        return squared / (1 + squared), logits
