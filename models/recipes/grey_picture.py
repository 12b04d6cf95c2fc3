"""A grey picture as the engine reads, normalises and lays it; the parts that the chest recipes have in common."""
import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

LOW, HIGH = 0.5, 99.5


def read_grey(path):
    """[rows, columns] float32, larger is brighter; colour by ITU-R BT.601."""
    picture = Image.open(path)
    return np.asarray(picture if picture.mode.startswith(('I', 'F')) else picture.convert('L'), np.float32)


def normalised(grey):
    """Linear from the 0.5th..99.5th percentile of all pixels to 0..1, clipped; a constant picture gives 0."""
    grey = np.asarray(grey, np.float32)
    low, high = np.percentile(grey, (LOW, HIGH))
    return np.clip((grey - low) / (high - low), 0, 1).astype(np.float32) if high > low else np.zeros_like(grey)


def resized(plane, rows, columns):
    """Antialiased bilinear with half-pixel centres, [rows, columns] tensor."""
    tensor = torch.from_numpy(np.ascontiguousarray(plane, np.float32))[None, None]
    return F.interpolate(tensor, size=(rows, columns), mode='bilinear', antialias=True, align_corners=False)[0, 0]


def placement(rows, columns, size):
    """(rows, columns) after scaling the longer side to `size`, and the (top, left) at which they are centred."""
    scale = size / max(rows, columns)
    fit = [max(1, int(np.floor(n * scale + 0.5))) for n in (rows, columns)]
    return fit, [(size - n) // 2 for n in fit]


def letterboxed(grey, size):
    """[rows, columns] -> [size, size] in 0..1: normalised, the longer side scaled to `size`, padded with 0."""
    (rows, columns), (top, left) = placement(*grey.shape, size)
    canvas = torch.zeros(size, size)
    canvas[top:top + rows, left:left + columns] = resized(normalised(grey), rows, columns)
    return canvas
