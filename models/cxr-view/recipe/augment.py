"""Random variants of a batch, made as another acquisition, crop or screenshot would look, and the faults made of them."""
import math

import numpy as np
import torch
from torch.nn import functional as F

from network import CLASSES
from picture import SIZE

FRONTAL, LATERAL, INVERTED, ROTATED, OTHER = range(len(CLASSES))


def uniform(rng, low, high, n):
    return torch.from_numpy(rng.uniform(low, high, n).astype(np.float32))


def chance(rng, p, n):
    return torch.from_numpy(rng.random(n) < p)


def where(chosen, new, old):
    return torch.where(chosen.view(-1, *[1] * (old.ndim - 1)), new, old)


def sampled(planes, aspects, rng, wide, anyhow):
    """Planes [n, C, C] -> (canvas [n, SIZE, SIZE], inside the picture, inside of the source). `wide`: [n] spread of the warp;
    `anyhow`: [n] bool, any orientation will do."""
    n = len(planes)
    crop = uniform(rng, 0, 1, n)
    picture = (aspects.log() + wide * uniform(rng, -0.22, 0.22, n)).exp().clamp(0.4, 2.5)
    spread = (aspects.log() * (1 - crop) + picture.log() * crop).exp()  # the change of proportions is part crop, part stretch
    rows = (SIZE * (1 / picture).clamp(max=1)).round()
    columns = (SIZE * picture.clamp(max=1)).round()
    top, left = ((SIZE - rows) / 2).floor(), ((SIZE - columns) / 2).floor()
    at = torch.arange(SIZE, dtype=torch.float32)
    v = ((at[None] - top[:, None] + 0.5) / rows[:, None] * 2 - 1)[:, :, None].expand(n, SIZE, SIZE)
    u = ((at[None] - left[:, None] + 0.5) / columns[:, None] * 2 - 1)[:, None, :].expand(n, SIZE, SIZE)
    inside = (u.abs() < 1) & (v.abs() < 1)
    x, y = u * spread.view(-1, 1, 1), v
    angle = torch.from_numpy(np.clip(rng.normal(0, 1, n), -2.5, 2.5).astype(np.float32)) * wide * math.radians(5)
    angle = torch.where(anyhow, uniform(rng, -math.pi, math.pi, n), angle)
    scale = (wide * uniform(rng, -0.28, 0.2, n)).exp()
    stretch = (wide * uniform(rng, -0.1, 0.1, n)).exp()
    flip = torch.where(chance(rng, 0.5, n), -1.0, 1.0)
    shift = wide[:, None] * uniform(rng, -0.12, 0.12, (n, 2))
    one = lambda t: t.view(-1, 1, 1)
    cos, sin = one(angle.cos()), one(angle.sin())
    xs = one(flip * scale * stretch) * (cos * x - sin * y) + one(shift[:, 0])
    ys = one(scale / stretch) * (sin * x + cos * y) + one(shift[:, 1])
    bend = F.interpolate(torch.from_numpy(rng.normal(0, 0.025, (n, 2, 5, 5)).astype(np.float32)) * wide.view(-1, 1, 1, 1), size=(SIZE, SIZE), mode='bicubic', align_corners=True)
    grid = torch.stack([xs / one(aspects) + bend[:, 0], ys + bend[:, 1]], -1)
    stack = torch.stack([planes, torch.ones_like(planes)], 1)
    image, source = F.grid_sample(stack, grid, 'bilinear', 'zeros', align_corners=False).unbind(1)
    return image, inside, source


def blurred(image, sigma):
    radius = max(1, math.ceil(2.5 * sigma))
    tap = torch.exp(-torch.arange(-radius, radius + 1, dtype=torch.float32) ** 2 / (2 * sigma ** 2))
    tap = tap / tap.sum()
    padded = F.pad(image[:, None], (radius,) * 4, mode='replicate')
    return F.conv2d(F.conv2d(padded, tap.view(1, 1, 1, -1)), tap.view(1, 1, -1, 1))[:, 0]


def spectrum_of(image, partner, rng):
    """The amplitudes of low spatial frequencies of `partner`, the phases of `image` (Yang and Soatto 2020, arXiv 2004.05498)."""
    n = len(image)
    a, b = torch.fft.rfft2(image), torch.fft.rfft2(partner)
    f = torch.hypot(torch.fft.fftfreq(SIZE)[:, None], torch.fft.rfftfreq(SIZE)[None])
    share = (f[None] < uniform(rng, 0.01, 0.3, n).view(-1, 1, 1)).float() * uniform(rng, 0.2, 0.9, n).view(-1, 1, 1)
    amplitude = a.abs() * (1 - share) + b.abs() * share
    return torch.fft.irfft2(torch.polar(amplitude, a.angle()), (SIZE, SIZE)).clamp(0, 1.2)


def histogram_of(image, partner, rng):
    """`image` with the greys of `partner`, by rank, in part."""
    flat = image.flatten(1)
    order = flat.argsort(1)
    matched = torch.empty_like(flat).scatter_(1, order, partner.flatten(1).sort(1).values)
    share = uniform(rng, 0.3, 1, len(image)).view(-1, 1)
    return (matched * share + flat * (1 - share)).view_as(image)


def appearance(image, rng):
    """Gamma, uneven exposure, opacities, lines, sharpness, noise."""
    n = len(image)
    image = image.clamp(0, 1) ** uniform(rng, -0.65, 0.65, n).exp().view(-1, 1, 1)
    field = torch.from_numpy(rng.normal(0, 1, (n, 1, 3, 3)).astype(np.float32)) * (uniform(rng, 0, 0.22, n) * chance(rng, 0.5, n)).view(-1, 1, 1, 1)
    image = image + F.interpolate(field, size=(SIZE, SIZE), mode='bicubic', align_corners=True)[:, 0]
    y, x = torch.meshgrid(torch.linspace(-1, 1, SIZE), torch.linspace(-1, 1, SIZE), indexing='ij')
    for _ in range(3):
        cx, cy, rx, ry = (t.view(-1, 1, 1) for t in uniform(rng, [[-0.8], [-0.8], [0.06], [0.06]], [[0.8], [0.8], [0.4], [0.4]], (4, n)))
        amount = (uniform(rng, -0.15, 0.5, n) * chance(rng, 0.2, n)).view(-1, 1, 1)
        image = image + amount * torch.exp(-((x - cx) / rx) ** 2 - ((y - cy) / ry) ** 2)
    for _ in range(2):  # tubes and cables
        a, b, f, p, thin = (t.view(-1, 1, 1) for t in uniform(rng, [[-0.6], [-0.5], [0.5], [0], [0.008]], [[0.6], [0.5], [4], [6.3], [0.03]], (5, n)))
        amount = (uniform(rng, 0.1, 0.6, n) * chance(rng, 0.15, n)).view(-1, 1, 1)
        image = image + amount * torch.exp(-((x - a - b * y - 0.15 * torch.sin(f * y + p)) / thin) ** 2)
    fine, coarse = blurred(image, rng.uniform(0.4, 1.6)), blurred(image, rng.uniform(3, 12))
    smooth = where(chance(rng, 0.6, n), fine, coarse)
    low = torch.where(chance(rng, 0.6, n), 0.0, 0.7)
    gain = low + uniform(rng, 0, 1, n) * (2.0 - low)
    image = where(chance(rng, 0.5, n), smooth + (image - smooth) * gain.view(-1, 1, 1), image)
    noise = torch.from_numpy(rng.normal(0, 1, image.shape).astype(np.float32))
    return image + image.std((1, 2), keepdim=True) * 4 * noise * (uniform(rng, 0, 0.04, n) * chance(rng, 0.4, n)).view(-1, 1, 1)


def burnt_in(image, rng):
    """Collimated edges, plates, letters and markers, in place."""
    for plane in image:
        if rng.random() < 0.25:
            for side in range(4):
                if rng.random() < 0.5:
                    edge = int(rng.uniform(0.01, 0.1) * SIZE) + 1
                    (plane[:edge], plane[-edge:], plane[:, :edge], plane[:, -edge:])[side][...] = rng.choice([0.0, 0.0, 1.0])
        if rng.random() < 0.35:
            for _ in range(rng.integers(1, 4)):
                h, w = int(rng.uniform(0.015, 0.07) * SIZE) + 1, int(rng.uniform(0.015, 0.2) * SIZE) + 1
                top, left = int(rng.uniform(0, SIZE - h)), int(rng.choice([rng.uniform(0, 0.25), rng.uniform(0.75, 1)]) * (SIZE - w))
                patch = plane[top:top + h, left:left + w]
                grey = float(rng.choice([0.0, 1.0, 1.0, rng.uniform(0, 1.2)]))
                if rng.random() < 0.6:  # letters: half of the pixels
                    patch[torch.from_numpy(rng.random(patch.shape) < 0.5)] = grey
                else:
                    patch[...] = grey
    return image


def renormalised(image, inside):
    """From the percentiles of the pixels inside to 0..1, 0 outside; what is constant is 0."""
    values = torch.where(inside, image, torch.nan).flatten(1)
    low, high = torch.nanquantile(values, torch.tensor([0.005, 0.995]), dim=1).view(2, -1, 1, 1)
    span = high - low
    return torch.where(span > 1e-4, ((image - low) / span.clamp(min=1e-4)).clamp(0, 1), torch.zeros_like(image)) * inside


def shuffled(image, rng):
    """Each picture's tiles in another order."""
    out = image.clone()
    for target, plane in zip(out, image):
        n = int(rng.choice([2, 3, 4, 6]))
        side = SIZE // n
        for to, origin in enumerate(rng.permutation(n * n)):
            (r, c), (a, b) = divmod(to, n), divmod(int(origin), n)
            target[r * side:(r + 1) * side, c * side:(c + 1) * side] = plane[a * side:(a + 1) * side, b * side:(b + 1) * side]
    return out


def chest_variants(planes, aspects, phantom, lateral, partners, rng, calm=False):
    """Chest pictures -> (canvas before normalisation, inside). `partners` [n, C, C]: real frontals whose look may be borrowed."""
    n = len(planes)
    wide = torch.where(lateral, 1.5, 1.0) * (0.4 if calm else 1.0)
    image, inside, source = sampled(planes, aspects, rng, wide, torch.zeros(n, dtype=torch.bool))
    partner = F.interpolate(partners[:, None], size=(SIZE, SIZE), mode='bilinear', align_corners=False)[:, 0]
    borrow = torch.where(phantom, 0.4, 0.12)
    image = where(torch.from_numpy(rng.random(n)) < borrow, spectrum_of(image, partner, rng), image)
    image = where(torch.from_numpy(rng.random(n)) < borrow, histogram_of(image, partner, rng), image)
    if not calm:
        image = appearance(image, rng)
    border = torch.where(chance(rng, 0.65, n), torch.zeros(n), uniform(rng, 0, 1, n)).view(-1, 1, 1)
    image = image * source + border * (1 - source)
    return (image if calm else burnt_in(image, rng)), inside


def other_variants(planes, aspects, rng):
    """Pictures of other kinds, in any orientation; half keep the greys of their own normalisation."""
    n = len(planes)
    image, inside, source = sampled(planes, aspects, rng, torch.ones(n), chance(rng, 0.5, n))
    image = image + uniform(rng, 0, 1, n).view(-1, 1, 1) * (1 - source) * chance(rng, 0.3, n).view(-1, 1, 1)
    image = image.clamp(0, 1) ** uniform(rng, -0.4, 0.4, n).exp().view(-1, 1, 1)
    image = where(chance(rng, 0.25, n), 1 - image, image)
    image = where(chance(rng, 0.2, n), blurred(image, rng.uniform(0.4, 1.5)), image)
    return where(chance(rng, 0.5, n), renormalised(image, inside), image * inside)


def quarter_turns(image, turns):
    return torch.stack([torch.rot90(plane, int(k), (0, 1)) for plane, k in zip(image, turns)])
