"""Golden objects for src/results/instances.ts and watershed.ts, by scikit-image and SciPy through the recipe's instances.py.
Writes test/golden/instances.json. Planes are run lengths: value, count, value, count, ...

    /usr/bin/python3 test/generators/instances.py
"""
import json
import pathlib
import sys
from collections import deque

import numpy as np
import scipy
import skimage
from scipy.ndimage import gaussian_filter, label
from skimage.segmentation import watershed

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent.parent / "models/nuclei-unet/recipe"))
from instances import grown, instances_of  # noqa: E402

rng = np.random.default_rng(8)


def runs(plane):
    flat = np.asarray(plane).ravel().astype(int)
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    return np.stack([flat[starts], np.diff(np.append(starts, flat.size))], 1).ravel().tolist()


def distances(marker, mask):
    """Steps over edges within the mask from a marker's pixels; a large number where it does not reach."""
    far = np.full(mask.shape, 1 << 20)
    queue = deque(map(tuple, np.argwhere(marker)))
    for place in queue:
        far[place] = 0
    while queue:
        y, x = queue.popleft()
        for v, u in ((y - 1, x), (y, x - 1), (y, x + 1), (y + 1, x)):
            if 0 <= v < mask.shape[0] and 0 <= u < mask.shape[1] and mask[v, u] and far[v, u] > far[y, x] + 1:
                far[v, u] = far[y, x] + 1
                queue.append((v, u))
    return far


def tied(markers, mask):
    """Where two markers are equally near: which of them has the pixel is a matter of order."""
    far = np.sort([distances(markers == n, mask) for n in np.unique(markers[markers > 0])] + [np.full(mask.shape, 1 << 20)] * 2, axis=0)
    return (far[0] == far[1]) & (far[0] < 1 << 20)


samples = []
for rows, columns, sigma, share in [(40, 50, 2, 0.4), (33, 64, 3, 0.5), (24, 24, 1, 0.6), (70, 31, 4, 0.35), (9, 90, 1.5, 0.7), (48, 48, 2.5, 0.55)]:
    noise = gaussian_filter(rng.normal(size=(rows, columns)), sigma)
    mask = noise > np.quantile(noise, 1 - share)
    mask[rng.random(mask.shape) < 0.01] ^= True
    edge = mask & (np.abs(gaussian_filter(rng.normal(size=mask.shape), sigma)) < 0.25 / sigma)
    labels = np.where(mask, np.where(edge, 2, 1), 0)
    markers, _ = label(labels == 1)
    flooded = watershed(np.zeros(mask.shape, np.uint8), markers, mask=mask)
    nearest = tied(markers, mask)
    assert ((flooded == grown(markers, mask)) | nearest).all()
    samples.append({
        "columns": columns, "labels": runs(labels), "markers": runs(markers), "grown": runs(flooded), "tied": runs(nearest),
        "rules": [{"minimumPixels": p, "minimumMarkerPixels": m, "objects": runs(instances_of(labels, p, m))} for p, m in ((1, 1), (12, 4))],
    })

about = f"scikit-image {skimage.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}"
(here.parent / "golden/instances.json").write_text(json.dumps({"reference": about, "samples": samples}) + "\n")
print(about, [len(s["grown"]) for s in samples], [int(sum(s["tied"][1::2][i] for i in range(len(s["tied"]) // 2) if s["tied"][2 * i])) for s in samples])
