"""Golden numbers for counting: SciPy's linregress and assignment, scikit-learn's errors, scikit-image's stains.
Writes test/golden/counting.json.

    python3 -m venv .cache/venv && .cache/venv/bin/pip install scikit-learn scipy scikit-image
    .cache/venv/bin/python test/generators/counting.py
"""
import json
import pathlib

import numpy as np
import scipy
import skimage
import sklearn
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import linregress, t
from skimage.color import hdx_from_rgb, hed_from_rgb, rgb_from_hed, separate_stains
from skimage.filters import threshold_otsu
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, mean_squared_error

rng = np.random.default_rng(11)

fits = []
for n, slope, noise in [(3, 0.03, 0.02), (8, 0.03, 0.1), (20, -0.02, 0.3), (5, 0.001, 0.2)]:
    hours = np.sort(rng.uniform(0, 96, n))
    logs = 4 + slope * hours + rng.normal(0, noise, n)
    fit = linregress(hours, logs)
    half = t.ppf(0.975, n - 2) * fit.stderr
    fits.append({
        "x": hours.tolist(), "y": logs.tolist(), "slope": fit.slope, "intercept": fit.intercept, "r": fit.rvalue, "p": fit.pvalue,
        "slopeError": fit.stderr, "interceptError": fit.intercept_stderr, "interval": [fit.slope - half, fit.slope + half],
    })

errors = []
for n in [3, 40]:
    truth, counted = rng.integers(1, 300, n).astype(float), rng.uniform(0, 300, n)
    errors.append({
        "truth": truth.tolist(), "counted": counted.tolist(), "meanAbsolute": mean_absolute_error(truth, counted),
        "rootMeanSquared": float(np.sqrt(mean_squared_error(truth, counted))), "meanRelative": mean_absolute_percentage_error(truth, counted),
    })

matches = []
for n, m, side, radius in [(5, 7, 20, 6), (40, 35, 60, 5), (120, 130, 100, 8), (3, 0, 20, 5)]:
    a, b = rng.uniform(0, side, (n, 2)), rng.uniform(0, side, (m, 2))
    # As many pairs within the radius as can be, and of those the nearest: any pair is worth more than all ways together.
    distances = cdist(a, b)
    allowed = distances <= radius
    cost = np.where(allowed, distances, 0) - np.where(allowed, 1e6, 0)
    rows, columns = linear_sum_assignment(cost) if m else ([], [])
    pairs = [(int(i), int(j)) for i, j in zip(rows, columns) if allowed[i, j]]
    matches.append({"a": a.ravel().tolist(), "b": b.ravel().tolist(), "radius": radius, "matched": len(pairs), "distance": float(sum(distances[p] for p in pairs))})

rgb = rng.integers(0, 256, (6, 5, 3)).astype(np.uint8)
h_and_e = np.vstack([rgb_from_hed[:2], np.cross(rgb_from_hed[0], rgb_from_hed[1])])
stains = {name: separate_stains(rgb, matrix).ravel().tolist() for name, matrix in [("h-e-dab", hed_from_rgb), ("h-dab", hdx_from_rgb), ("h-e", np.linalg.inv(h_and_e))]}
values = np.concatenate([rng.normal(0.2, 0.05, 3000), rng.normal(0.7, 0.1, 800)])

pathlib.Path(__file__).parent.parent.joinpath("golden/counting.json").write_text(json.dumps({
    "made by": f"scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, scikit-image {skimage.__version__}",
    "fits": fits, "errors": errors, "matches": matches,
    "stains": {"rgb": rgb.ravel().tolist(), **stains},
    "otsu": {"values": np.round(values, 6).tolist(), "threshold": float(threshold_otsu(np.round(values, 6)))},
}))
