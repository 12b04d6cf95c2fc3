"""Picture -> network input. The engine does exactly the same."""
import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

SIZE = 64
LOW, HIGH = 0.5, 99.5


def read_grey(path):
    """[rows, columns] float32, larger is brighter; colour by ITU-R BT.601."""
    picture = Image.open(path)
    if picture.mode.startswith(('I', 'F')):
        return np.asarray(picture, np.float32)
    return np.asarray(picture.convert('L'), np.float32)


def normalised(grey):
    """Linear from the 0.5th..99.5th percentile of all pixels to 0..1, clipped; a constant picture gives 0."""
    grey = np.asarray(grey, np.float32)
    low, high = np.percentile(grey, (LOW, HIGH))
    return np.clip((grey - low) / (high - low), 0, 1).astype(np.float32) if high > low else np.zeros_like(grey)


def resized(plane, rows, columns):
    """Antialiased bilinear with half-pixel centres, [rows, columns] tensor."""
    tensor = torch.from_numpy(np.ascontiguousarray(plane, np.float32))[None, None]
    return F.interpolate(tensor, size=(rows, columns), mode='bilinear', antialias=True, align_corners=False)[0, 0]


def placement(rows, columns, size=SIZE):
    """(rows, columns) after scaling the longer side to `size`, and the (top, left) at which they are centred."""
    scale = size / max(rows, columns)
    fit = [max(1, int(np.floor(n * scale + 0.5))) for n in (rows, columns)]
    return fit, [(size - n) // 2 for n in fit]


def encode(grey):
    """[rows, columns] -> [1, SIZE, SIZE] in 0..1: normalised, letterboxed, padded with 0."""
    (rows, columns), (top, left) = placement(*grey.shape)
    canvas = torch.zeros(1, SIZE, SIZE)
    canvas[0, top:top + rows, left:left + columns] = resized(normalised(grey), rows, columns)
    return canvas
