"""Golden numbers for src/metrics, by scikit-learn and SciPy. Writes test/golden/metrics.json.

    python3 -m venv .cache/venv && .cache/venv/bin/pip install scikit-learn scipy
    .cache/venv/bin/python test/generators/metrics.py
"""
import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy.stats import bootstrap
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, f1_score, jaccard_score, precision_score, recall_score, roc_auc_score

rng = np.random.default_rng(7)
masks = []
for size, classes in [(64, 2), (400, 2), (400, 4), (1000, 3)]:
    truth = rng.integers(0, classes, size)
    noise = rng.random(size) < 0.25
    prediction = np.where(noise, rng.integers(0, classes, size), truth)
    for label in range(1, classes):
        t, p = truth == label, prediction == label
        masks.append({
            "truth": truth.tolist(), "prediction": prediction.tolist(), "label": label,
            "dice": f1_score(t, p), "iou": jaccard_score(t, p),
            "precision": precision_score(t, p), "recall": recall_score(t, p),
        })

# One value a group, where drawing groups is the ordinary bootstrap; SciPy's own random numbers, so near, not equal.
values = rng.beta(18, 2, 40)
interval = bootstrap((values,), np.mean, n_resamples=20000, method="percentile", rng=rng).confidence_interval
# Several items a patient: the statistic is over the drawn patients' pooled items.
sizes = rng.integers(1, 6, 25)
patients = np.repeat(np.arange(25), sizes)
items = np.clip(rng.normal(0.9, 0.05, 25)[patients] + rng.normal(0, 0.02, patients.size), 0, 1)
sums = np.bincount(patients, items)
pooled = bootstrap((sums, sizes), lambda s, n, axis=-1: s.sum(axis) / n.sum(axis), paired=True, vectorized=True,
                   n_resamples=20000, method="percentile", rng=rng).confidence_interval

# Scores: with and without ties, well and badly calibrated, few positives.
rng = np.random.default_rng(11)
scores = []
for size, prevalence, decimals, sharpness in [(60, 0.5, 8, 1), (200, 0.1, 1, 3), (500, 0.3, 2, 1), (400, 0.02, 8, 0.5)]:
    truth = rng.random(size) < prevalence
    truth[:2] = [True, False]
    logits = rng.normal(np.where(truth, 1, -1), 1.5) * sharpness
    probability = np.round(1 / (1 + np.exp(-logits)), decimals)
    weights = rng.integers(0, 4, size)
    weights[:2] = 1
    shares, means = calibration_curve(truth, probability, n_bins=15)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, 16)[1:-1], probability), minlength=15)
    owners = rng.integers(0, size // 3, size)
    # Whole patients drawn again: an item counts as often as its patient was drawn.
    aucs = []
    for _ in range(4000):
        times = np.bincount(rng.integers(0, size // 3, size // 3), minlength=size // 3)[owners]
        if times[truth].any() and times[~truth].any():
            aucs.append(roc_auc_score(truth, probability, sample_weight=times))
    scores.append({
        "truth": truth.tolist(), "probability": probability.tolist(), "weights": weights.tolist(), "patients": [str(p) for p in owners],
        "auc": roc_auc_score(truth, probability), "weightedAuc": roc_auc_score(truth, probability, sample_weight=weights),
        "brier": brier_score_loss(truth, probability),
        "calibrationError": float(np.sum(np.abs(shares - means) * counts[counts > 0]) / size),
        "low": float(np.quantile(aucs, 0.025)), "high": float(np.quantile(aucs, 0.975)),
    })

out = pathlib.Path(__file__).parent.parent / "golden" / "metrics.json"
out.write_text(json.dumps({
    "by": {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__},
    "masks": masks,
    "scores": scores,
    "bootstrap": [
        {"values": values.tolist(), "groups": [str(i) for i in range(40)], "low": interval.low, "high": interval.high},
        {"values": items.tolist(), "groups": [str(i) for i in patients], "low": pooled.low, "high": pooled.high},
    ],
}) + "\n")
