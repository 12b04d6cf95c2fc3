"""Slice -> network input, and logits -> mask on the slice's own grid. The engine does exactly the same."""
import numpy as np
import torch
from torch.nn import functional as F

ROWS, COLUMNS = 224, 192
LIMIT = 5
OPERATING_POINT = 0.5


def moments(volume):
    """Mean and standard deviation of the voxels above the volume's mean: of the head, not of the air around it."""
    values = volume.astype(np.float64).ravel()
    head = values[values > values.mean()]
    return (float(head.mean()), float(head.std())) if head.size and head.std() > 0 else (float(values.mean()), 1.0)


def normalised(values, stats):
    mean, deviation = stats
    return np.clip((values.astype(np.float64) - mean) / deviation, -LIMIT, LIMIT).astype(np.float32)


def placement(rows, columns, spacing):
    """Letterbox in mm: (rows, columns of the slice within the input), (top, left)."""
    unit = min(spacing)
    width, height = columns * spacing[0] / unit, rows * spacing[1] / unit
    scale = min(COLUMNS / width, ROWS / height)
    fit = (max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5)))
    return fit, ((ROWS - fit[0]) // 2, (COLUMNS - fit[1]) // 2)


def encode(values, stats, spacing):
    """[slices, rows, columns] -> [slices, 1, ROWS, COLUMNS]; around the slice there is no signal."""
    fit, (top, left) = placement(*values.shape[1:], spacing)
    # In double: in single precision the places between pixels are off by enough to be seen.
    tensor = torch.from_numpy(normalised(values, stats))[:, None].double()
    canvas = torch.full((len(values), 1, ROWS, COLUMNS), float(normalised(np.zeros(1), stats)[0]))
    canvas[:, :, top:top + fit[0], left:left + fit[1]] = F.interpolate(tensor, size=fit, mode='bilinear', antialias=True, align_corners=False).float()
    return canvas


def decode(logits, rows, columns, spacing):
    """[slices, 1, ROWS, COLUMNS] -> bool [slices, rows, columns]."""
    return at_pixels(logits, rows, columns, spacing) >= logit(OPERATING_POINT)


def logit(probability):
    return np.log(probability / (1 - probability))


def at_pixels(logits, rows, columns, spacing):
    """[slices, 1, ROWS, COLUMNS] -> [slices, rows, columns]: the logits sampled at the centres of the pixels."""
    fit, (top, left) = placement(rows, columns, spacing)
    y = ((np.arange(rows) + 0.5) * fit[0] / rows + top) * 2 / ROWS - 1
    x = ((np.arange(columns) + 0.5) * fit[1] / columns + left) * 2 / COLUMNS - 1
    grid = torch.from_numpy(np.stack(np.meshgrid(x, y), -1).astype(np.float32))[None].expand(len(logits), -1, -1, -1)
    return F.grid_sample(logits, grid, 'bilinear', 'border', align_corners=False)[:, 0].numpy()
