"""Areas under the ROC curve with intervals by patient, calibration, operating points."""
import numpy as np
from scipy.optimize import minimize
from scipy.stats import rankdata

SENSITIVITY = 0.8  # operating points: the highest probability at and above which this share of the positives lies
BINS = 15


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, float)))


def auc(scores, truths):
    """Mann-Whitney, ties count half; nan where a class is absent."""
    truths = np.asarray(truths, bool)
    positives, negatives = truths.sum(), (~truths).sum()
    if not positives or not negatives:
        return float('nan')
    return (rankdata(scores)[truths].sum() - positives * (positives + 1) / 2) / (positives * negatives)


def intervals(statistic, patients, draws=2000, seed=1):
    """95 % percentile intervals of `statistic(indices)` -> [k], drawing whole patients with replacement; nan draws are left out."""
    names = sorted(set(patients))
    of = [np.flatnonzero(np.asarray(patients) == name) for name in names]
    rng = np.random.default_rng(seed)
    drawn = np.array([statistic(np.concatenate([of[i] for i in rng.integers(0, len(of), len(of))])) for _ in range(draws)])
    return np.nanpercentile(drawn, (2.5, 97.5), axis=0)


def calibration_error(probabilities, truths, bins=BINS):
    """Expected calibration error over equally wide bins (a, b] (Naeini et al. 2015), as `overread eval` has it."""
    bin_of = np.maximum(0, np.ceil(np.asarray(probabilities) * bins) - 1).astype(int)
    return float(np.abs(np.bincount(bin_of, np.asarray(probabilities) - truths, bins)).sum() / len(truths))


def platt(logits, truths):
    """(a, b) of sigmoid(a * logit + b), by maximum likelihood with Platt's smoothed targets (Platt 1999)."""
    truths = np.asarray(truths, bool)
    positives, negatives = truths.sum(), (~truths).sum()
    target = np.where(truths, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters):
        z = np.exp(parameters[0]) * logits + parameters[1]  # a stays above 0
        return np.mean(np.logaddexp(0, z) - target * z)

    log_a, b = minimize(loss, [0.0, 0.0], method='Nelder-Mead', options={'xatol': 1e-6, 'fatol': 1e-9, 'maxiter': 4000}).x
    return float(np.exp(log_a)), float(b)


def operating_point(probabilities, truths, sensitivity=SENSITIVITY):
    """The highest threshold at which at least `sensitivity` of the positives count as present."""
    positives = np.sort(np.asarray(probabilities)[np.asarray(truths, bool)])[::-1]
    return float(positives[int(np.ceil(sensitivity * len(positives))) - 1])
