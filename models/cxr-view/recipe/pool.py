"""Pictures normalised as the engine does and kept small, so that a batch of random variants is a few tensor operations."""
import zlib
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from chests import open_frontals, phantom_stack
from generated import (SANS, OTHER_FONTS, abdomen, axial_slice, cells, coloured_noise, constant, limb, linear_gradient, near_constant, page,
                       radial_gradient, scene, shapes, skull, sparse_noise, stripes, text_photograph, white_noise)
from others import heads, histology
from picture import normalised, read_grey, resized

CACHE = 128
DRAWN_FROM = 80  # columns and rows of what the variants are sampled from: a little more than the input's
DRAWN = {'white noise': white_noise, 'coloured noise': coloured_noise, 'sparse noise': sparse_noise, 'constant': constant, 'near constant': near_constant,
         'linear gradient': linear_gradient, 'radial gradient': radial_gradient, 'stripes': stripes, 'cells': cells, 'shapes': shapes, 'scene': scene,
         'page': page, 'text photograph': text_photograph, 'limb': limb, 'skull': skull, 'abdomen': abdomen, 'CT phantom': axial_slice}
PHANTOM = ('brain phantom', 'tissue phantom')
# What the trial network sees, to measure how the gate takes kinds that it never saw; the shipped one sees all of them.
HALF = ('white noise', 'constant', 'linear gradient', 'cells', 'scene', 'page', 'limb', 'skull', 'brain phantom', 'histology, H&E')
MEASURED_SEED = 10 ** 6


def drawn(kind, count, measured=False):
    """`count` generated pictures of a kind; measured ones have seeds, and text has fonts, that never train."""
    for index in range(count):
        rng = np.random.default_rng([zlib.crc32(kind.encode()), index + (MEASURED_SEED if measured else 0)])
        if kind in ('page', 'text photograph'):
            yield DRAWN[kind](rng, OTHER_FONTS if measured else SANS)
        else:
            yield DRAWN[kind](rng)


class Pool:
    """Small pictures [n, CACHE, CACHE] uint8, each stretched, with its own columns / rows."""

    def __init__(self, planes, aspects):
        self.planes, self.aspects = torch.as_tensor(planes), torch.as_tensor(aspects, dtype=torch.float32)

    @classmethod
    def of(cls, pictures):
        planes, aspects = [], []
        for grey in pictures:
            planes.append((resized(normalised(grey), CACHE, CACHE) * 255).round().to(torch.uint8))
            aspects.append(grey.shape[1] / grey.shape[0])
        return cls(torch.stack(planes), aspects)

    def __len__(self):
        return len(self.planes)

    def draw(self, n, rng):
        chosen = torch.from_numpy(rng.integers(0, len(self), n))
        return self.planes[chosen].float() / 255, self.aspects[chosen]


def chest_pools(data, phantoms):
    """{'real', 'frontal phantom', 'lateral phantom'} of the training part."""
    return {'real': Pool.of(read_grey(item.image) for item in open_frontals(data)['train']),
            'frontal phantom': Pool.of([*phantom_stack(phantoms, 'PA-train'), *phantom_stack(phantoms, 'AP-train')]),
            'lateral phantom': Pool.of(phantom_stack(phantoms, 'LL-train'))}


def other_pools(data, phantoms, count=120):
    """kind -> pool of pictures that are no chest radiograph and may train"""
    pools = {kind: Pool.of(drawn(kind, 8 if kind == 'constant' else count)) for kind in DRAWN}
    real = {}
    for kind, _, grey in (*histology(data, 0), *heads(data, True)):
        real.setdefault(kind, []).append(grey)
    pools.update((kind, Pool.of(pictures)) for kind, pictures in real.items())
    pools.update((kind, Pool.of(phantom_stack(phantoms, stack))) for kind, stack in zip(PHANTOM, ('brain-train', 'tissue-train')))
    return pools


def kept(path, make):
    """{name -> Pool} from `path`; made and written there when it is not there yet."""
    path = Path(path)
    if not path.exists():
        pools = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **{f'{name}/{field}': getattr(pool, field).numpy() for name, pool in pools.items() for field in ('planes', 'aspects')})
    arrays = np.load(path)
    names = list(dict.fromkeys(key.split('/')[0] for key in arrays))
    return {name: Pool(shrunk(torch.from_numpy(arrays[f'{name}/planes'])), arrays[f'{name}/aspects']) for name in names}


def shrunk(planes):
    return F.interpolate(planes[:, None].float(), size=(DRAWN_FROM, DRAWN_FROM), mode='bilinear', antialias=True, align_corners=False)[:, 0].round().to(torch.uint8)
