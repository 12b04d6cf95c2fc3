"""Random variants of a batch of pictures, as another exposure, another field of view or another patient's stance would look."""
import math

import torch
from torch.nn import functional as F

MARGIN = 1.25  # pictures are kept this much larger than they are used, so that warping them blurs little


def augmented(batch, size, random):
    """[n, 1, s, s] in 0..1, s = MARGIN * size -> [n, 1, size, size] in 0..1. `random` is a torch.Generator."""
    n = len(batch)

    def uniform(low, high, *shape):
        return torch.rand(n, *shape, generator=random) * (high - low) + low

    grid = F.affine_grid(warp(uniform), (n, 1, size, size), align_corners=False)
    image = F.grid_sample(batch, grid, 'bilinear', 'zeros', align_corners=False)
    image = image.clamp(1e-4, 1) ** uniform(-0.35, 0.35, 1, 1, 1).exp()
    image = (image - 0.5) * uniform(-0.25, 0.25, 1, 1, 1).exp() + 0.5 + uniform(-0.1, 0.1, 1, 1, 1)
    image = image + torch.randn(image.shape, generator=random) * uniform(0, 0.03, 1, 1, 1)
    return erased(image.clamp(0, 1), uniform, size)


def warp(uniform):
    """[n, 2, 3]: flip, rotation, scale, stretch and shift, as `affine_grid` takes them."""
    angle = uniform(-12, 12) * math.pi / 180
    scale, stretch = uniform(-0.2, 0.12).exp(), uniform(-0.08, 0.08).exp()
    flip = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cos, sin = angle.cos(), angle.sin()
    rows = [flip * scale * stretch * cos, -flip * scale * stretch * sin, uniform(-0.1, 0.1), scale / stretch * sin, scale / stretch * cos, uniform(-0.1, 0.1)]
    return torch.stack(rows, -1).view(-1, 2, 3)


def erased(image, uniform, size):
    """Half of the pictures lose a rectangle of up to 35 % of each side (DeVries and Taylor 2017, cutout)."""
    at = (torch.arange(size) + 0.5) / size
    y, x, h, w = (uniform(low, high, 1) for low, high in ((0, 1), (0, 1), (0.05, 0.35), (0.05, 0.35)))
    hidden = ((at - y).abs() < h / 2)[:, :, None] & ((at - x).abs() < w / 2)[:, None, :] & (uniform(0, 1, 1, 1) < 0.5)
    return image.masked_fill(hidden[:, None], 0.0)
