"""The networks of the experiment: translators, their discriminators, and the detector of tumours."""
import torch
from torch import nn
from torch.nn import functional as F


def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.1))


def started(network: nn.Module) -> nn.Module:
    """He's start: without normalisation, PyTorch's own leaves deep layers with hardly a signal."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, a=0.1)
            nn.init.zeros_(layer.bias)
    return network


def centred(x: torch.Tensor) -> torch.Tensor:
    return 4 * x - 2


class Translator(nn.Module):
    """
    A U-Net on blocks of 2 × 2 voxels with two halvings more: what it draws may depend on the whole section. [n, 1, 32, 24] in
    0..1 to the same.
    """

    def __init__(self, c: int = 8):
        super().__init__()
        self.down = nn.ModuleList([block(4, c), block(c, 2 * c, 2), block(2 * c, 3 * c, 2)])
        self.bottom = block(3 * c, 3 * c)
        self.up = nn.ModuleList([block(5 * c, 2 * c), block(3 * c, 2 * c)])
        self.narrow = nn.Conv2d(2 * c, c // 2, 1)
        # The picture itself lies beside what was made of it, so that nothing fine has to pass through the blocks.
        self.fine = block(c // 2 + 1, c)
        self.out = nn.Conv2d(c, 1, 1)
        started(self)
        # It begins as a map of each voxel's own neighbourhood, and learns to look further where that pays.
        nn.init.normal_(self.narrow.weight, std=0.02)
        nn.init.normal_(self.out.weight, std=0.05)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        levels = []
        y = F.pixel_unshuffle(centred(x), 2)
        for down in self.down:
            y = down(y)
            levels.append(y)
        y = self.bottom(y)
        for up, level in zip(self.up, reversed(levels[:-1])):
            y = up(torch.cat([F.interpolate(y, scale_factor=2), level], 1))
        # Outside of the brain both sides are 0: nothing is to be learnt there.
        smooth = F.interpolate(self.narrow(y), scale_factor=2, mode='bilinear', align_corners=False)
        return torch.sigmoid(self.out(self.fine(torch.cat([0.5 * smooth, centred(x)], 1)))) * (x > 0)


class Discriminator(nn.Module):
    """
    Judges patches of 18 voxels (107 mm, more than a tumour with its oedema), and by what is anywhere and on the mean in them the
    whole section: that a tumour is missing shows in no patch. [n, 1, 32, 24] to [n, 1, 8, 6] and [n, 1].
    """

    def __init__(self, c: int = 12):
        super().__init__()
        self.features = started(nn.Sequential(
            nn.Conv2d(1, c, 4, 2, 1), nn.LeakyReLU(0.1), nn.Conv2d(c, 2 * c, 4, 2, 1), nn.LeakyReLU(0.1), nn.Conv2d(2 * c, 2 * c, 3, 1, 1), nn.LeakyReLU(0.1)))
        self.patches = started(nn.Conv2d(2 * c, 1, 1))
        self.whole = nn.Sequential(nn.Linear(4 * c, 2 * c), nn.LeakyReLU(0.1), nn.Linear(2 * c, 1))

    def forward(self, x: torch.Tensor) -> tuple:
        y = self.features(centred(x))
        return self.patches(y), self.whole(torch.cat([y.amax((2, 3)), y.mean((2, 3))], 1))


class Detector(nn.Module):
    """Whether a tumour is anywhere in a T1 section: logits [n]."""

    def __init__(self, c: int = 8):
        super().__init__()
        self.layers = started(nn.Sequential(block(1, c), block(c, 2 * c, 2), block(2 * c, 2 * c, 2), block(2 * c, 2 * c), nn.Conv2d(2 * c, 1, 1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(self.layers(centred(x)).flatten(1), 1)
