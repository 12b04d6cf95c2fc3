"""Plaques drawn into the white matter of real pictures, and real ones taken away: all in squares of z-scores."""
import math

import numpy as np
from scipy import ndimage

# By how much a plaque differs from white matter, in deviations of the head: (least, most).
T1_DROP, T2_RISE, FLAIR_RISE, ENHANCEMENT = (0.0, 3.2), (0.3, 2.2), (0.5, 2.4), (0.5, 2.5)
# How often T1, T1c, T2 and FLAIR hardly show what the others show: one that shows nothing must not speak against the others.
UNSEEN = (0.25, 0.25, 0.1, 0.05)
CAPS = (0.5, 18)  # mm about the ventricles


def smooth_noise(shape, scale, rng):
    """Noise of unit deviation whose grains are about `scale` pixels."""
    coarse = rng.normal(size=[max(4, int(side / scale) + 3) for side in shape])
    fine = ndimage.zoom(coarse, [side / (c - 2) for side, c in zip(shape, coarse.shape)], order=2, mode='nearest')[:shape[0], :shape[1]]
    return fine / (fine.std() + 1e-6)


def outlines(white, ventricles, unit, rng):
    """How far each pixel lies in a drawn plaque, 0..1: ellipses with bumps, many small and few large, and caps of the ventricles."""
    rows, columns = white.shape
    share = np.zeros(white.shape, np.float32)
    likely = white ** 2 * (0.25 + np.exp(-ventricles * unit / 6))
    total = likely.sum()
    if total < 5:
        return share
    bumps, size = smooth_noise(white.shape, 5, rng), rng.choice((1.1, 1.1, 2.5))
    y, x = np.mgrid[:rows, :columns]
    places = rng.choice(white.size, rng.poisson(rng.choice((1, 4, 10))), p=(likely / total).ravel())
    for place in places:
        cy, cx = divmod(int(place), columns)
        radius = size * math.exp(abs(rng.normal(0, 0.75))) / unit
        angle, stretch = rng.uniform(0, math.pi), math.exp(rng.normal(0, 0.35))
        u = (math.cos(angle) * (x - cx) + math.sin(angle) * (y - cy)) / (radius * stretch)
        v = (math.cos(angle) * (y - cy) - math.sin(angle) * (x - cx)) / (radius / stretch)
        inside = (1 + 0.25 * bumps - np.sqrt(u * u + v * v)) * radius
        share = np.maximum(share, 1 / (1 + np.exp(-np.clip(inside / 0.45, -30, 30))))
    if rng.random() < 0.4:
        width = rng.uniform(*CAPS) / unit
        inside = width * (1 + 0.9 * smooth_noise(white.shape, 12 / unit, rng)) - ventricles
        share = np.maximum(share, 1 / (1 + np.exp(-np.clip(inside / 0.6, -30, 30))) * (ventricles > 0.5))
    return share


def drawn(x, target, tissue, ventricles, levels, unit, rng):
    """
    Draws plaques. x: float32 [4, rows, columns] (T1, T1c, T2, FLAIR), target: 0..1 [rows, columns], tissue: shares of
    fluid, grey and white matter, levels: what white matter has in each modality, unit: mm a pixel.
    """
    share = outlines(tissue[2], ventricles, unit, rng)
    # They stop at fluid and hardly enter the cortex.
    share = share * np.clip(1.2 * tissue[2] + 0.4 * tissue[1], 0, 1) * (1 - target)
    if share.max() < 0.3:
        return x, target
    strength = rng.uniform(0, 1)

    def between(low, high):
        return low + (high - low) * np.clip(0.6 * strength + 0.4 * rng.uniform(0, 1), 0, 1)

    # Some are as dark as fluid on T1, however bright they are on FLAIR.
    drop = -rng.uniform(*T1_DROP)
    change = [drop, drop * rng.uniform(0.6, 1.2), between(*T2_RISE), between(*FLAIR_RISE)]
    if rng.random() < 0.1:
        change[1] = between(*ENHANCEMENT)
    texture = np.clip(1 + 0.3 * smooth_noise(share.shape, 4, rng), 0.4, 1.8)
    seen = [rng.uniform(0, 0.3) if rng.random() < chance else 1 for chance in UNSEEN]
    out = [plane + part * share * (delta * texture + 0.5 * (level - plane)) for plane, part, delta, level in zip(x, seen, change, levels)]
    return np.stack(out).astype(np.float32), np.maximum(target, (share > 0.5).astype(np.float32))


def healed(x, target, levels, rng):
    """Turns a random part of the lesions that are there into white matter."""
    keep = smooth_noise(target.shape, rng.uniform(6, 30), rng) > rng.normal(0, 0.8)
    taken = (target > 0.5) & ~keep
    if not taken.any():
        return x, target
    share = np.clip(1.3 * ndimage.gaussian_filter(ndimage.binary_dilation(taken, iterations=2).astype(np.float32), 0.8), 0, 1) * (1 - (target > 0.5) * keep)
    out = []
    for plane, level in zip(x, levels):
        grain = plane - ndimage.gaussian_filter(plane, 1.5)
        out.append(plane * (1 - share) + share * (level + 0.8 * grain + 0.12 * smooth_noise(target.shape, 6, rng)))
    return np.stack(out).astype(np.float32), target * ~taken
