"""The generated films as network inputs. The engine prepares a film in the same way."""
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

SIZE = 128
LOW, HIGH = 0.5, 99.5


def normalised(film):
    """Linear from the 0.5th..99.5th percentile of all pixels to -1..1, clipped."""
    low, high = np.percentile(film, (LOW, HIGH))
    return (np.clip((film.astype(np.float32) - low) / max(high - low, 1e-6), 0, 1) * 2 - 1).astype(np.float32)


def encode(film):
    """[rows, columns] -> [1, SIZE, SIZE]: normalised, longer side scaled to fit (bilinear, antialiased), padded with -1."""
    rows, columns = film.shape
    scale = SIZE / max(rows, columns)
    fit = [max(1, int(np.floor(n * scale + 0.5))) for n in (rows, columns)]
    top, left = [(SIZE - n) // 2 for n in fit]
    canvas = torch.full((1, SIZE, SIZE), -1.0)
    plane = torch.from_numpy(normalised(film))[None, None]
    canvas[0, top:top + fit[0], left:left + fit[1]] = F.interpolate(plane, size=fit, mode='bilinear', antialias=True, align_corners=False)[0, 0]
    return canvas


class Patients:
    """All parts of a folder: inputs [n, 2 views, SIZE, SIZE], labels [n, findings], masks [n, 2, size, size] (bit k: finding k)."""

    def __init__(self, folder):
        parts = sorted(path.parent for path in Path(folder).glob('*/labels.json'))
        if not parts:
            raise SystemExit(f'no generated films in {folder}: run phantoms.ts first')
        inputs, labels, masks = [], [], []
        for part in parts:
            about = json.loads((part / 'labels.json').read_text())
            shape = (len(about['seeds']), 2, about['size'], about['size'])
            films = np.fromfile(part / 'films.bin', '<u2').reshape(shape)
            inputs.append(torch.stack([torch.cat([encode(film) for film in pair]) for pair in films]))
            masks.append(np.fromfile(part / 'masks.bin', np.uint8).reshape(shape))
            labels.append(np.array(about['labels'], np.float32))
            self.targets = about['targets']
        self.inputs, self.labels, self.masks = torch.cat(inputs), torch.from_numpy(np.concatenate(labels)), np.concatenate(masks)

    def __len__(self):
        return len(self.labels)
