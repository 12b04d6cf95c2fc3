"""A turned, scaled, flipped crop of a picture with its instances; its stain, contrast or polarity changed."""
import math

import numpy as np
import torch
from torch.nn import functional as F

# Optical density of haematoxylin, eosin and a residual in red, green and blue (Ruifrok and Johnston 2001), rows of unit length.
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
STAINS = STAINS / np.linalg.norm(STAINS, axis=1, keepdims=True)
UNMIX = np.linalg.inv(STAINS)


def warped(picture, instances, centre, crop, rng, beyond='reflection'):
    """picture [3, rows, columns] and instances [rows, columns] -> the same of crop x crop, around `centre` (row, column).

    Returns the scale too: source pixels to a pixel of the crop. Past the picture's border it is mirrored; what the instances
    are there, `beyond` says ('zeros': nothing).
    """
    rows, columns = picture.shape[1:]
    scale, angle, slim = math.exp(rng.uniform(-0.4, 0.35)), rng.uniform(0, 2 * math.pi), math.exp(rng.uniform(-0.1, 0.1))
    half, flip = crop * scale / 2, -1 if rng.random() < 0.5 else 1
    margin = 0.7 * half
    y0, x0 = (np.clip(c, min(margin, n / 2), max(n - margin, n / 2)) for c, n in zip(centre, (rows, columns)))
    wide, high = half * slim, half / slim
    cos, sin = math.cos(angle), math.sin(angle)
    reach = int(half * 1.6) + 2
    top, left = max(0, int(y0) - reach), max(0, int(x0) - reach)
    bottom, right = min(rows, int(y0) + reach), min(columns, int(x0) + reach)
    # The affine map in the coordinates of the part that is cut out, -1..1 from border to border.
    w, h = 2 / (right - left), 2 / (bottom - top)
    theta = torch.tensor([[[flip * cos * wide * w, -sin * high * w, (x0 - left) * w - 1],
                           [flip * sin * wide * h, cos * high * h, (y0 - top) * h - 1]]], dtype=torch.float32)
    grid = F.affine_grid(theta, (1, 1, crop, crop), align_corners=False)
    image = F.grid_sample(picture[None, :, top:bottom, left:right].float() / 255, grid, 'bilinear', 'reflection', align_corners=False)[0]
    part = instances[top:bottom, left:right].float()[None, None]
    return image, F.grid_sample(part, grid, 'nearest', beyond, align_corners=False)[0, 0], scale


def appearance(x, grey, rng, to_grey=0.1):
    """[3, rows, columns] in 0..1 -> the same as another laboratory or microscope might show it; how often a coloured one in grey."""
    x = x.clamp(0, 1)
    if not grey and rng.random() < 0.8:  # stain: more or less of each, in optical density
        gains = np.exp(rng.normal(0, 0.25, 3))
        mix = torch.from_numpy((UNMIX @ np.diag(gains) @ STAINS).T.astype(np.float32))
        density = -torch.log(x * 0.98 + 0.02).flatten(1)
        x = torch.exp(-(mix @ density)).reshape(x.shape)
    if not grey and rng.random() < 0.3:
        x = x * torch.from_numpy(rng.uniform(0.85, 1.15, (3, 1, 1)).astype(np.float32))
    x = x.clamp(0, 1) ** math.exp(rng.uniform(-0.5, 0.5))
    if rng.random() < 0.5:
        x = x * rng.uniform(0.75, 1.2) + rng.uniform(-0.08, 0.12)
    if not grey and rng.random() < to_grey:
        x = x.mean(0, keepdim=True).expand(3, -1, -1)
    if grey and rng.random() < 0.08:
        x = 1 - x
    if rng.random() < 0.25:
        x = F.avg_pool2d(F.pad(x[None], (1, 1, 1, 1), mode='replicate'), 3, 1)[0]
    if rng.random() < 0.35:
        noise = torch.randn(x.shape[1:] if grey else x.shape)
        x = x + noise * rng.uniform(0, 0.06)
    return x.clamp(0, 1)
