"""Density -> counts and markers, by the rules that the engine has for `output.counting`."""
import numpy as np
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from density import UNIT

MINIMUM_DISTANCE, MINIMUM_PEAK = 6, 0.15  # pixels, cells; chosen by tune.py on tuning images


def counts_of(density):
    """[classes, rows, columns] >= 0 -> the count of each class."""
    return density.sum((1, 2), dtype=np.float64) / UNIT


def within(distance):
    reach = int(distance)
    return np.hypot(*np.mgrid[-reach:reach + 1, -reach:reach + 1]) <= distance


def candidates_of(density, distance=MINIMUM_DISTANCE):
    """Maxima of the density over all classes, the surest first -> [n, 4]: x, y, class, weight (the density about it, in cells)."""
    total, disc = density.sum(0), within(distance)
    y, x = np.nonzero((total >= ndimage.maximum_filter(total, footprint=disc)) & (total > 0))
    about = np.stack([ndimage.convolve(plane, disc.astype(np.float32), mode='constant') for plane in density])[:, y, x] / UNIT
    order = np.argsort(-about.sum(0), kind='stable')
    return np.stack([x, y, about.argmax(0), about.sum(0)], 1)[order]


def markers_of(density, distance=MINIMUM_DISTANCE, peak=MINIMUM_PEAK):
    """Of each class the surest candidates, as many as its count rounds to, none under `peak`."""
    found = candidates_of(density, distance)
    found = found[found[:, 3] >= peak]
    kept = [found[found[:, 2] == k][:int(np.floor(count + 0.5))] for k, count in enumerate(counts_of(density))]
    return np.concatenate(kept)


def matched(markers, dots, distance):
    """One to one within `distance`, nearest overall -> [n, 2] (index of the marker, of the dot)."""
    if not len(markers) or not len(dots):
        return np.zeros((0, 2), int)
    apart = np.hypot(markers[:, None, 0] - dots[None, :, 0], markers[:, None, 1] - dots[None, :, 1])
    pairs = np.stack(linear_sum_assignment(np.where(apart <= distance, apart - 1e6, 0)), 1)
    return pairs[apart[pairs[:, 0], pairs[:, 1]] <= distance]
