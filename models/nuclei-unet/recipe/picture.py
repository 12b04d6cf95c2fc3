"""Picture -> network input, and logits -> labels on the picture's own grid. The engine does exactly the same."""
import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional as F

SIZE = 256
STRIDE = 8
LOW, HIGH = 0.5, 99.5
OPERATING_POINTS = (0.5, 0.15)  # nucleus, border; chosen by choose.py on training images
NEIGHBOURS = np.ones((5, 5), bool)
NEIGHBOURS[[0, 0, -1, -1], [0, -1, 0, -1]] = False


def normalised(rgb):
    """Linear from the 0.5th..99.5th percentile of all values of all channels to 0..1, clipped; of a grey picture each value once."""
    grey = (rgb == rgb[..., :1]).all()
    low, high = np.percentile(rgb[..., 0] if grey else rgb, (LOW, HIGH))
    return np.clip((rgb - low) / (high - low), 0, 1).astype(np.float32) if high > low else np.zeros_like(rgb)


def encode(rgb):
    """[rows, columns, 3] -> [1, 3, R, C] at full resolution, at least 256, multiples of 8; the last row and column go on."""
    x = torch.from_numpy(normalised(rgb)).permute(2, 0, 1)[None]
    rows, columns = (max(SIZE, -(-n // STRIDE) * STRIDE) for n in rgb.shape[:2])
    return F.pad(x, (0, columns - rgb.shape[1], 0, rows - rgb.shape[0]), mode='replicate')


def decode(logits, shape):
    """logits [1, 2, R, C] -> [rows, columns]: 0 background, 1 nucleus, 2 border; of both, the surer."""
    return decided(logits[0, :, :shape[0], :shape[1]].numpy(), OPERATING_POINTS)


def decided(logits, points):
    nucleus, border = (plane - np.log(p / (1 - p)) for plane, p in zip(logits, points))
    return np.where((nucleus < 0) & (border < 0), 0, np.where(border > nucleus, 2, 1)).astype(np.uint8)


def targets_of(instances):
    """[2, rows, columns] uint8: nuclei without their common edges, and those edges: pixels with two nuclei within 2."""
    highest = ndimage.maximum_filter(instances, footprint=NEIGHBOURS)
    far = np.int32(1 << 30)
    lowest = ndimage.minimum_filter(np.where(instances > 0, instances, far), footprint=NEIGHBOURS)
    border = (highest > 0) & (lowest != highest)
    return np.stack([(instances > 0) & ~border, border]).astype(np.uint8)
