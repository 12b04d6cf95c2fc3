"""Single nuclei out of labels: the marker-controlled watershed that the engine's src/results/instances.ts makes too."""
import numpy as np
from scipy import ndimage

MINIMUM_PIXELS, MINIMUM_MARKER_PIXELS = 20, 8  # chosen by choose.py on tuning images


def instances_of(labels, minimum_pixels=MINIMUM_PIXELS, minimum_marker_pixels=MINIMUM_MARKER_PIXELS, edge=2):
    """labels [rows, columns], 0 background, 1 inside, 2 edge -> int32, 0 background, one number a nucleus.

    Markers are the connected parts of 1 (over edges), but the smallest; a part of the mask without one is a marker
    itself. They grow over the mask at one speed. The smallest are dropped, then holes within one nucleus are filled.
    """
    markers = markers_of(labels, minimum_marker_pixels, edge)
    found = grown(markers, labels > 0)
    areas = np.bincount(found.ravel())
    found[(areas < minimum_pixels)[found]] = 0
    return np.unique(filled(found), return_inverse=True)[1].reshape(labels.shape).astype(np.int32)


def markers_of(labels, minimum_marker_pixels, edge=2):
    mask = labels > 0
    markers, n = ndimage.label(mask & (labels != edge))
    areas = np.bincount(markers.ravel(), minlength=n + 1)
    markers[(areas < minimum_marker_pixels)[markers]] = 0
    parts, count = ndimage.label(mask)
    marked = np.zeros(count + 1, bool)
    marked[parts[markers > 0]] = True
    bare = mask & ~marked[parts]
    markers[bare] = parts[bare] + n
    return markers


def grown(markers, mask):
    """Watershed of a flat relief, as scikit-image's of zeros, but a pixel that several are nearest to has the lowest number."""
    objects, none = markers.astype(np.int64), np.iinfo(np.int64).max
    while True:
        padded = np.pad(np.where(objects > 0, objects, none), 1, constant_values=none)
        nearest = np.min([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]], 0)
        reached = mask & (objects == 0) & (nearest < none)
        if not reached.any():
            return objects
        objects[reached] = nearest[reached]


def filled(objects):
    """Background that one object alone encloses, and the picture's border does not touch, becomes that object's."""
    holes, count = ndimage.label(objects == 0)
    outside = np.zeros(count + 1, bool)
    for line in (holes[0], holes[-1], holes[:, 0], holes[:, -1]):
        outside[line] = True
    lowest, highest = np.full(count + 1, np.iinfo(np.int64).max), np.zeros(count + 1, np.int64)
    for hole, other in ((holes[1:], objects[:-1]), (holes[:-1], objects[1:]), (holes[:, 1:], objects[:, :-1]), (holes[:, :-1], objects[:, 1:])):
        at = (hole > 0) & (other > 0)
        np.minimum.at(lowest, hole[at], other[at])
        np.maximum.at(highest, hole[at], other[at])
    owner = np.where(outside | (lowest != highest), 0, highest)
    owner[0] = 0
    return np.where(objects == 0, owner[holes], objects)
