"""Golden numbers for the surface and object metrics of src/metrics, by scikit-image and SciPy.
Writes test/golden/segmentation-metrics.json. Masks are run lengths: the number of zeros, of ones, of zeros, ...

    apt-get install python3-skimage python3-scipy
    /usr/bin/python3 test/generators/segmentation-metrics.py
"""
import json
import pathlib

import numpy as np
import scipy
import skimage
from scipy.ndimage import binary_erosion, distance_transform_edt, gaussian_filter, generate_binary_structure, label
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from skimage.measure import regionprops
from skimage.metrics import hausdorff_distance
from skimage.segmentation import watershed

rng = np.random.default_rng(20)


def runs(flat):
    """Run lengths of a flat mask, the first of zeros."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat.astype(np.int8), [0]])))
    lengths = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return lengths if lengths[-1] else lengths[:-1]


def blob(shape, sigma, share):
    noise = gaussian_filter(rng.normal(size=shape), sigma)
    return noise > np.quantile(noise, 1 - share)


def surface(mask):
    return mask & ~binary_erosion(mask, generate_binary_structure(mask.ndim, 1))


surfaces = []
# Arrays are [z, y, x] or [y, x]; spacing likewise.
for shape, spacing, sigma in [((40, 50), (1, 1), 4), ((64, 33), (0.7, 0.4), 3), ((25, 90), (2.5, 0.3), 2), ((12, 20, 24), (1, 1, 1), 2), ((9, 30, 21), (5, 0.8, 0.8), 2), ((16, 16, 16), (1.5, 2, 0.5), 1)]:
    for share, other in [(0.2, 0.25), (0.05, 0.3)]:
        truth, prediction = blob(shape, sigma, share), blob(shape, sigma, other)
        prediction |= np.roll(truth, 2, axis=-1) & (rng.random(shape) < 0.9)
        a, b = surface(truth), surface(prediction)
        points_a, points_b = np.argwhere(a) * spacing, np.argwhere(b) * spacing
        # By SciPy twice over, through its transform and through a tree.
        from_truth = distance_transform_edt(~b, sampling=spacing)[a]
        from_prediction = distance_transform_edt(~a, sampling=spacing)[b]
        assert np.allclose(from_truth, cKDTree(points_b).query(points_a)[0])
        if set(spacing) == {1}:
            assert np.isclose(hausdorff_distance(a, b), max(from_truth.max(), from_prediction.max()))
        surfaces.append({
            "shape": list(shape[::-1]) + [1] * (3 - len(shape)), "spacing": list(spacing[::-1]) + [1] * (3 - len(shape)),
            "truth": runs(truth.ravel()), "prediction": runs(prediction.ravel()),
            "elements": [int(a.sum()), int(b.sum())],
            "hausdorff": max(from_truth.max(), from_prediction.max()),
            "hausdorff95": max(np.percentile(from_truth, 95), np.percentile(from_prediction, 95)),
            "averageSurfaceDistance": np.concatenate([from_truth, from_prediction]).mean(),
            "volumeDifference": (int(prediction.sum()) - int(truth.sum())) * float(np.prod(spacing)),
            "relativeVolumeDifference": (int(prediction.sum()) - int(truth.sum())) / int(truth.sum()),
        })


def objects_of(mask, seeds):
    """Touching objects: the mask, split at a noisy watershed of its depth."""
    depth = distance_transform_edt(mask) + gaussian_filter(rng.normal(size=mask.shape), 1) * seeds
    peaks = label((depth == scipy.ndimage.maximum_filter(depth, 5)) & mask)[0]
    return watershed(-depth, peaks, mask=mask)


def iou_matrix(truth, prediction):
    """Object by object over boolean images, as the papers write it."""
    a = [truth == r.label for r in regionprops(truth)]
    b = [prediction == r.label for r in regionprops(prediction)]
    inter = np.array([[np.logical_and(x, y).sum() for y in b] for x in a], dtype=float).reshape(len(a), len(b))
    union = np.array([[np.logical_or(x, y).sum() for y in b] for x in a], dtype=float).reshape(len(a), len(b))
    return inter, union, np.array([x.sum() for x in a]), np.array([y.sum() for y in b])


objects = []
for shape, sigma, noise in [((48, 48), 3, 0.3), ((60, 44), 2, 1.0), ((80, 80), 3, 2.0), ((10, 24, 24), 2, 0.5)]:
    mask = blob(shape, sigma, 0.35)
    truth = objects_of(mask, noise)
    prediction = objects_of(mask ^ (blob(shape, sigma, 0.1)), noise)
    inter, union, sizes, predicted = iou_matrix(truth, prediction)
    iou = inter / union
    matched = {}
    for threshold in (0.5, 0.7, 0.9):
        # The assignment that matches most objects.
        rows, columns = linear_sum_assignment(-((iou >= threshold) + iou / (2 * min(iou.shape))))
        tp = int((iou[rows, columns] >= threshold).sum())
        matched[str(threshold)] = {"tp": tp, "fp": len(predicted) - tp, "fn": len(sizes) - tp}
    # Kumar 2017, algorithm 1, line by line.
    c = u = 0
    used = set()
    for i in range(len(sizes)):
        k = int(np.argmax(iou[i]))
        if iou[i, k] > 0:
            c, u = c + inter[i, k], u + union[i, k]
            used.add(k)
        else:
            u += sizes[i]
    u += sum(predicted[k] for k in range(len(predicted)) if k not in used)
    above = iou[iou > 0.5]
    half = len(sizes) + len(predicted)
    objects.append({
        "truth": truth.ravel().tolist(), "prediction": prediction.ravel().tolist(), "matched": matched,
        "aggregatedJaccard": c / u, "panopticQuality": above.sum() / (half / 2), "segmentationQuality": above.mean(), "recognitionQuality": 2 * len(above) / half,
    })

out = pathlib.Path(__file__).parent.parent / "golden" / "segmentation-metrics.json"
out.write_text(json.dumps({
    "by": {"scikit-image": skimage.__version__, "scipy": scipy.__version__, "numpy": np.__version__},
    "surfaces": surfaces, "objects": objects,
}, default=float, separators=(",", ":")) + "\n")
