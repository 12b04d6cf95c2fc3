"""Picture -> network input, and logits -> labels on the picture's own grid. The engine does exactly the same."""
import numpy as np
import torch
from torch.nn import functional as F

SIZE = 256
STRIDE = 8
LOW, HIGH = 0.5, 99.5
OPERATING_POINTS = (0.6, 0.3)  # nucleus, border; chosen by choose.py on tuning images
LARGE = 150  # pixels


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
    """logits [1, 2, R, C] -> [rows, columns]: 0 background, 1 nucleus, 2 its border."""
    return decided(logits[0, :, :shape[0], :shape[1]].numpy(), OPERATING_POINTS)


def decided(logits, points):
    """A border is drawn over the nuclei, and nowhere else."""
    nucleus, border = (plane >= np.log(p / (1 - p)) for plane, p in zip(logits, points))
    return np.where(nucleus, np.where(border, 2, 1), 0).astype(np.uint8)


def targets_of(instances, areas):
    """Instances [n, rows, columns], float, 0 background -> [n, 2, rows, columns] float: whole nuclei, and their borders.

    A border pixel is a nucleus pixel within 1 pixel of another nucleus or of background (2 pixels in nuclei whose
    `areas`, of the same shape, are at least LARGE), or a background pixel with two nuclei within 2 pixels.
    """
    x = instances[:, None]
    near, far = (neighbourhood(x, n) for n in (1, 2))
    ring = torch.where(areas[:, None] >= LARGE, far[0] != far[1], near[0] != near[1])
    background = 1e9 * (x == 0)
    lowest = -F.max_pool2d(-(x + background), 5, 1, 2)
    gap = (x == 0) & (far[1] > 0) & (lowest != far[1])
    return torch.cat([x > 0, ((x > 0) & ring) | gap], 1).float()


def neighbourhood(x, reach):
    """(lowest, highest) within `reach` pixels; the picture ends without a border."""
    size = 2 * reach + 1
    return -F.max_pool2d(-x, size, 1, reach), F.max_pool2d(x, size, 1, reach)
