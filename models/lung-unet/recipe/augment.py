"""Random variants of a picture and its mask, made as another acquisition would look before preprocessing."""
import math

import numpy as np
import torch
from torch.nn import functional as F

from picture import HIGH, LOW, SIZE, placement, resized

CACHE_SIZE = 320


def cached(grey, mask):
    """Picture 0..1 and mask at CACHE_SIZE on the longer side: what `augmented` samples from, [2, rows, columns]."""
    (rows, columns), _ = placement(*grey.shape, CACHE_SIZE)
    span = max(float(np.ptp(grey)), 1e-6)
    return torch.stack([resized((grey - grey.min()) / span, rows, columns), resized(mask, rows, columns)])


def augmented(pair, rng):
    """`cached` pair -> (input [1, SIZE, SIZE], target [1, SIZE, SIZE])."""
    rows, columns = pair.shape[1:]
    aspect = math.exp(rng.uniform(-0.15, 0.15))
    fit, (top, left) = placement(round(rows * aspect), columns, SIZE)
    grid = warp(fit, (rows, columns), rng)
    image, target, inside = F.grid_sample(torch.cat([pair, torch.ones(1, rows, columns)])[None], grid, 'bilinear', 'zeros', align_corners=False)[0]
    border = 0.0 if rng.random() < 0.6 else rng.uniform(0, 1)
    image = appearance(image, rng)
    image = image * inside + border * (1 - inside)
    image = burnt_in(image, rng)
    low, high = np.percentile(image.numpy(), (LOW, HIGH))
    image = (image - low) / max(high - low, 1e-6)
    if rng.random() < 0.5:
        image = image * rng.uniform(0.8, 1.2) + rng.uniform(-0.1, 0.1)
    canvas = torch.zeros(2, SIZE, SIZE)
    canvas[:, top:top + fit[0], left:left + fit[1]] = torch.stack([image.clamp(0, 1), target])
    return canvas[:1], canvas[1:]


def warp(fit, source, rng):
    """Sampling grid [1, rows, columns, 2] in -1..1: flip, rotate, scale, stretch, shift and bend."""
    y, x = torch.meshgrid(*(torch.linspace(-1 + 1 / n, 1 - 1 / n, n) * n / max(fit) for n in fit), indexing='ij')
    angle = math.radians(float(np.clip(rng.normal(0, 6), -18, 18)))
    scale = math.exp(rng.uniform(-0.3, 0.25))  # below 1: a partial crop; above: a border
    stretch = math.exp(rng.normal(0, 0.06))
    flip = -1 if rng.random() < 0.3 else 1
    cos, sin = math.cos(angle), math.sin(angle)
    u = flip * scale * stretch * (cos * x - sin * y) + rng.uniform(-0.12, 0.12)
    v = scale / stretch * (sin * x + cos * y) + rng.uniform(-0.12, 0.12)
    bend = torch.from_numpy(rng.normal(0, 0.02, (1, 2, 5, 5)).astype(np.float32))
    bend = F.interpolate(bend, size=tuple(fit), mode='bicubic', align_corners=True)[0]
    longest = max(source)
    return torch.stack([(u + bend[0]) * longest / source[1], (v + bend[1]) * longest / source[0]], -1)[None].float()


def appearance(image, rng):
    """Gamma, exposure falling off, sharpening or blur, opacities, noise."""
    image = image.clamp(0, 1) ** math.exp(rng.uniform(-0.5, 0.5))
    if rng.random() < 0.4:
        field = torch.from_numpy(rng.normal(0, rng.uniform(0, 0.2), (1, 1, 3, 3)).astype(np.float32))
        image = image + F.interpolate(field, size=tuple(image.shape), mode='bicubic', align_corners=True)[0, 0]
    if rng.random() < 0.4:
        image = image + opacities(image.shape, rng)
    if rng.random() < 0.5:
        fine = rng.random() < 0.7
        blurred = gaussian(image, rng.uniform(0.5, 1.5) if fine else rng.uniform(3, 12))
        image = blurred + (image - blurred) * rng.uniform(0 if fine else 0.8, 2.2)
    if rng.random() < 0.4:
        image = image + torch.from_numpy(rng.normal(0, rng.uniform(0, 0.25) * float(image.std()), tuple(image.shape)).astype(np.float32))
    return image


def gaussian(image, sigma):
    radius = max(1, math.ceil(2.5 * sigma))
    tap = torch.exp(-torch.arange(-radius, radius + 1, dtype=torch.float32) ** 2 / (2 * sigma ** 2))
    tap = tap / tap.sum()
    padded = F.pad(image[None, None], (radius,) * 4, mode='replicate')
    return F.conv2d(F.conv2d(padded, tap.view(1, 1, 1, -1)), tap.view(1, 1, -1, 1))[0, 0]


def opacities(shape, rng):
    """Up to three soft bright ellipses, as consolidation or an effusion hides lung that the mask still counts."""
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in shape), indexing='ij')
    total = torch.zeros(tuple(shape))
    for _ in range(rng.integers(1, 4)):
        cx, cy = rng.uniform(-0.7, 0.7), rng.uniform(-0.5, 0.6)
        rx, ry = rng.uniform(0.08, 0.4, 2)
        total += rng.uniform(0.1, 0.6) * torch.exp(-((x - cx) / rx) ** 2 - ((y - cy) / ry) ** 2)
    return total


def burnt_in(image, rng):
    """Markers, text plates and collimator edges: flat rectangles, mostly near the margin."""
    rows, columns = image.shape
    if rng.random() < 0.3:
        for _ in range(rng.integers(1, 4)):
            h, w = int(rng.uniform(0.02, 0.1) * rows) + 1, int(rng.uniform(0.02, 0.15) * columns) + 1
            top, left = int(rng.uniform(0, rows - h)), int(rng.choice([rng.uniform(0, 0.2), rng.uniform(0.8, 1)]) * (columns - w))
            image[top:top + h, left:left + w] = rng.choice([0.0, 1.0, rng.uniform(0, 1.2)])
    if rng.random() < 0.1:
        n = int(rng.uniform(0.01, 0.06) * min(rows, columns)) + 1
        value = rng.choice([0.0, 1.0])
        side = rng.integers(0, 4)
        (image[:n] if side == 0 else image[-n:] if side == 1 else image[:, :n] if side == 2 else image[:, -n:])[...] = value
    return image
