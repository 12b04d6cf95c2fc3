"""Whether the peak of Grad-CAM (Selvaraju et al. 2017) lies in the planted finding."""
import numpy as np
import torch
from torch.nn import functional as F

# For each finding, the views that show it.
SHOWN = {0: ('PA',), 1: ('L',), 2: ('PA', 'L')}


def grad_cam(dense, classifier, view, target):
    """
    Of one logit, on the last feature map (after norm5 and ReLU): [n, 1, rows, columns] -> (map at the input's size,
    logit [n]). The head is linear on the map's mean, so the gradient is its weight over the number of places.
    """
    with torch.no_grad():
        maps = F.relu(dense.features(view))
        weights = classifier.weight[target]
        cam = F.relu((maps * weights[:, None, None]).sum(1, keepdim=True))
        return F.interpolate(cam, size=view.shape[2:], mode='bilinear', align_corners=False)[:, 0], classifier(maps.mean((2, 3)))[:, target]


def heads(networks):
    """(network, view) -> the DenseNet and the head that answer from that view alone."""
    found = {}
    for kind, view in (('PA', 'PA'), ('L', 'L')):
        if kind in networks:
            found[kind, view] = (networks[kind].net, networks[kind].net.classifier)
    for kind in ('auxloss', 'located'):
        if kind in networks:
            net = networks[kind]
            found[kind, 'PA'] = (net.frontal_model, net.frontal_model.classifier)
            found[kind, 'L'] = (net.lateral_model, net.lateral_model.classifier)
    return found


def peaks(networks, patients, batch=50):
    """For each network, view and finding that the view shows: how many of the patients who have it get their peak in its mask."""
    rows = []
    for (kind, view), (dense, classifier) in heads(networks).items():
        v = ('PA', 'L').index(view)
        for target, shown in SHOWN.items():
            if view not in shown:
                continue
            masks = (patients.masks[:, v] >> target) & 1
            who = np.flatnonzero(masks.any((1, 2)))
            inside, score = [], []
            for start in range(0, len(who), batch):
                chosen = who[start:start + batch]
                cam, logit = grad_cam(dense, classifier, patients.inputs[chosen, v:v + 1], target)
                top = cam.flatten(1).argmax(1).numpy()
                inside.extend(masks[chosen].reshape(len(chosen), -1)[np.arange(len(chosen)), top])
                score.extend(logit.numpy())
            inside, score = np.array(inside), np.array(score)
            called = score >= 0
            rows.append({'network': kind, 'view': view, 'target': patients.targets[target], 'patients': len(who), 'inMask': int(inside.sum()),
                         'called': int(called.sum()), 'calledInMask': int(inside[called].sum())})
    return rows
