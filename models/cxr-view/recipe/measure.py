"""How often the gate refuses each group of pictures, as the engine does for a model that reads frontals only."""
import torch

from augment import FRONTAL, LATERAL
from export import DISTANCE_THRESHOLD
from fit import against
from network import CLASSES


def answers(gate, pictures):
    """-> (distance [n], probabilities [n, 5])"""
    with torch.no_grad():
        parts = [gate(part) for part in pictures.split(64)]
    return torch.cat([d[:, 0] for d, _ in parts]), torch.cat([torch.softmax(logits, 1) for _, logits in parts])


def row_of(gate, pictures, threshold):
    distance, p = answers(gate, pictures)
    by_class, by_distance = against(p) > threshold, distance > DISTANCE_THRESHOLD
    faulty = p[:, 2:].amax(1) > threshold
    counts = {label: int((p.argmax(1) == i).sum()) for i, label in enumerate(CLASSES)}
    return {'n': len(pictures), 'refused': int((by_class | by_distance).sum()), 'refusedByClass': int(by_class.sum()), 'refusedByDistance': int(by_distance.sum()),
            'refusedWhereBothViewsAreRead': int((faulty | by_distance).sum()), 'mostProbable': {k: v for k, v in counts.items() if v},
            'medianDistance': round(float(distance.median()), 3)}


def measure(gate, groups, threshold):
    """name -> counts"""
    return {name: row_of(gate, pictures, threshold) for name, pictures in groups.items()}


def view_accuracy(gate, groups):
    """Of sound pictures: the share whose more probable view is the right one, the other classes left aside."""
    found = {}
    for name, wanted in (('frontal/validation', FRONTAL), ('frontal/noncommercial', FRONTAL), ('frontal/phantoms', FRONTAL), ('lateral/phantoms', LATERAL), ('lateral/real', LATERAL)):
        _, p = answers(gate, groups[name])
        found[name] = {'n': len(p), 'right': int((p[:, :2].argmax(1) == wanted).sum())}
    return found
