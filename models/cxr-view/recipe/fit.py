"""Fits what stands round a trained network, on patients that it did not train on: distance and thresholds."""
import numpy as np
import torch
from sklearn.covariance import LedoitWolf

from augment import INVERTED, LATERAL, OTHER, ROTATED, chest_variants, renormalised
from network import Gate

CALM_ROUNDS = 3
PASSED = 0.99  # of the calibration frontals by each of the two rules


def calm_features(net, chests, rng):
    """Features of the training pictures in mild variants -> (frontal [n, features], lateral [m, features])."""
    found = {'frontal': [], 'lateral': []}
    for name, pool in chests.items():
        view = 'lateral' if name.startswith('lateral') else 'frontal'
        for _ in range(CALM_ROUNDS):
            for start in range(0, len(pool), 64):
                planes, aspects = pool.planes[start:start + 64].float() / 255, pool.aspects[start:start + 64]
                kind = torch.full((len(planes),), name != 'real'), torch.full((len(planes),), view == 'lateral')
                image, inside = chest_variants(planes, aspects, *kind, chests['real'].draw(len(planes), rng)[0], rng, calm=True)
                with torch.no_grad():
                    found[view].append(net(renormalised(image, inside)[:, None])[0])
    return tuple(torch.cat(found[view]) for view in ('frontal', 'lateral'))


def gate_of(net, chests, calibration, seed=1):
    """The network with its distance (Lee et al. 2018, arXiv 1807.03888): tied shrunk covariance (Ledoit and Wolf 2004), scaled so
    that the share PASSED of the calibration frontals lies under 0.5."""
    groups = calm_features(net, chests, np.random.default_rng(seed))
    centres = torch.stack([group.mean(0) for group in groups]).double()
    centred = torch.cat([group - group.mean(0) for group in groups]).double()
    precision = np.linalg.inv(LedoitWolf(assume_centered=True).fit(centred.numpy()).covariance_)
    whitening = torch.from_numpy(np.linalg.cholesky(precision))
    with torch.no_grad():
        features = net(calibration)[0].double()
    squared = torch.stack([(((features - centre) @ whitening) ** 2).sum(1) for centre in centres]).amin(0)
    return Gate(net, whitening.float(), centres.float(), 1 / float(torch.quantile(squared, PASSED))).eval()


def against(probabilities):
    """What speaks most against a picture where a frontal is read: the largest of the other classes' probabilities, [n]."""
    return probabilities[:, [LATERAL, INVERTED, ROTATED, OTHER]].amax(1)


def threshold_of(probabilities):
    """The smallest of 0.5, 0.55, ... that lets the share PASSED of the calibration frontals through; 0.9 at most. From 0.5 on
    only one class can be over it."""
    quantile = float(torch.quantile(against(probabilities), PASSED))
    return next((t / 100 for t in range(50, 90, 5) if t / 100 >= quantile), 0.9)
