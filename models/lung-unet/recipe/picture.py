"""Picture -> network input, and logits -> mask on the picture's own grid. The engine does exactly the same."""
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch.nn import functional as F

sys.path.append(str(Path(__file__).resolve().parents[2] / 'recipes'))
from grey_picture import HIGH, LOW, letterboxed, placement, read_grey, resized  # noqa: E402, F401

SIZE = 256
OPERATING_POINT = 0.5
KEEP_COMPONENTS = 2


def read_mask(path):
    return np.asarray(Image.open(path)) > 0


def encode(grey):
    """[rows, columns] -> [1, 1, 256, 256] in 0..1."""
    return letterboxed(grey, SIZE)[None, None]


def decode(logits, shape):
    """logits [1, 1, 256, 256] -> mask [rows, columns]: bilinear at source pixel centres, threshold, two largest parts."""
    (rows, columns), (top, left) = placement(*shape, SIZE)
    inside = logits[..., top:top + rows, left:left + columns].float()
    at_source = F.interpolate(inside, size=shape, mode='bilinear', align_corners=False)[0, 0]
    return largest(torch.sigmoid(at_source).numpy() >= OPERATING_POINT)


def largest(mask, keep=KEEP_COMPONENTS):
    """The `keep` largest parts of a mask, neighbours by side or corner."""
    parts, n = ndimage.label(mask, np.ones((3, 3)))
    if n <= keep:
        return mask
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    return np.isin(parts, np.argsort(areas)[-keep:])
