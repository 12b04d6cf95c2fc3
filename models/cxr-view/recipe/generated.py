"""Pictures that are no chest radiograph, drawn from nothing: noise, gradients, text, textures, other parts of a body."""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy import ndimage
from scipy.spatial import cKDTree

SIDE = 192
SANS = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf', 'DejaVuSans-ExtraLight.ttf', 'DejaVuSansCondensed.ttf', 'DejaVuSansCondensed-Oblique.ttf']
OTHER_FONTS = ['DejaVuSerif.ttf', 'DejaVuSerif-Bold.ttf', 'DejaVuSansMono.ttf', 'DejaVuSerifCondensed-BoldItalic.ttf', 'DejaVuSansMono-Bold.ttf']
LETTERS = list('eeeeeetttttaaaaoooonnniiissshhrrddlcumwfgypbvk')


def shape_of(rng, largest=2 * SIDE):
    side = rng.integers(96, largest)
    aspect = np.exp(rng.uniform(-0.4, 0.4))
    return max(32, int(side / np.sqrt(aspect))), max(32, int(side * np.sqrt(aspect)))


def coordinates(rng):
    """x, y in -1..1, turned by a random angle."""
    rows, columns = shape_of(rng, SIDE)
    y, x = np.mgrid[-1:1:rows * 1j, -1:1:columns * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    return np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y


def white_noise(rng):
    shape = shape_of(rng)
    return rng.normal(0, 1, shape) if rng.random() < 0.5 else rng.uniform(0, 1, shape)


def coloured_noise(rng):
    """Power 1/f^a, a from -1 (blue) to 4 (clouds)."""
    rows, columns = shape_of(rng)
    f = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None])
    f[0, 0] = 1 / max(rows, columns)
    spectrum = np.fft.rfft2(rng.normal(0, 1, (rows, columns))) * f ** (-rng.uniform(-1, 4) / 2)
    return np.fft.irfft2(spectrum, (rows, columns))


def sparse_noise(rng):
    """Salt and pepper, shot noise, or lines of an interference."""
    shape = shape_of(rng)
    kind = rng.integers(3)
    if kind == 0:
        return rng.choice([0.0, 0.5, 1.0], shape, p=[0.1, 0.8, 0.1])
    if kind == 1:
        return rng.poisson(rng.uniform(0.05, 4), shape)
    return np.sin(np.arange(shape[0]) * rng.uniform(0.1, 3))[:, None] + rng.normal(0, rng.uniform(0.1, 1), shape)


def constant(rng):
    return np.full(shape_of(rng), float(rng.choice([0, 255, rng.integers(256)])))


def near_constant(rng):
    """One grey with one other patch, or with the last bit flickering."""
    plane = constant(rng)
    if rng.random() < 0.5:
        return plane + (rng.random(plane.shape) < rng.uniform(0.01, 0.5))
    rows, columns = plane.shape
    top, left = rng.integers(rows // 2), rng.integers(columns // 2)
    plane[top:top + rng.integers(2, rows // 2), left:left + rng.integers(2, columns // 2)] += 40
    return plane


def linear_gradient(rng):
    x, _ = coordinates(rng)
    return x ** rng.integers(1, 3)


def radial_gradient(rng):
    x, y = coordinates(rng)
    r = np.hypot((x - rng.uniform(-0.5, 0.5)) * np.exp(rng.uniform(-0.7, 0.7)), y - rng.uniform(-0.5, 0.5))
    return rng.choice([-1, 1]) * (r if rng.random() < 0.5 else np.exp(-r ** 2 / rng.uniform(0.05, 0.6)))


def stripes(rng):
    x, y = coordinates(rng)
    waves = np.sin(x * rng.uniform(3, 60) + rng.uniform(0, 6))
    return waves * np.sin(y * rng.uniform(3, 60)) if rng.random() < 0.5 else np.sign(waves)


def cells(rng):
    """Voronoi cells, each with its grey."""
    x, y = coordinates(rng)
    n = int(np.exp(rng.uniform(np.log(6), np.log(250))))
    centres, grey = rng.uniform(-1.2, 1.2, (n, 2)), rng.uniform(0, 1, n)
    near, which = cKDTree(centres).query(np.stack([x, y], -1), 2)
    return grey[which[..., 0]] - (rng.uniform(0.3, 1) * (near[..., 1] - near[..., 0] < 0.03) if rng.random() < 0.5 else 0)


def shapes(rng):
    """Filled ellipses, polygons and lines, as a drawing or a scene of objects under light."""
    rows, columns = shape_of(rng)
    picture = Image.new('L', (columns, rows), int(rng.integers(256)))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(2, 25)):
        grey, kind = int(rng.integers(256)), rng.integers(4)
        cx, cy, w, h = rng.uniform(0, columns), rng.uniform(0, rows), *(rng.uniform(0.03, 0.4, 2) * columns)
        if kind == 0:
            draw.ellipse([cx - w, cy - h, cx + w, cy + h], fill=grey)
        elif kind == 1:
            draw.rectangle([cx - w, cy - h, cx + w, cy + h], fill=grey)
        elif kind == 2:
            draw.polygon([(cx + rng.uniform(-w, w), cy + rng.uniform(-h, h)) for _ in range(rng.integers(3, 7))], fill=grey)
        else:
            draw.line([cx, cy, rng.uniform(0, columns), rng.uniform(0, rows)], fill=grey, width=int(rng.integers(1, 8)))
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 4)))
    return np.asarray(picture, np.float32) + lighting(rng, (rows, columns), 60) + rng.normal(0, rng.uniform(0, 12), (rows, columns))


def scene(rng):
    """Like a photograph of the outdoors: a bright sky over ridges of fractal texture, darker or lighter with depth."""
    rows, columns = shape_of(rng)
    x = np.linspace(0, 1, columns)
    plane = np.tile(np.linspace(rng.uniform(150, 255), rng.uniform(100, 255), rows)[:, None], columns) + fractal(rng, (rows, columns), 2.5) * rng.uniform(0, 40)
    for horizon in np.sort(rng.uniform(0.2, 0.9, rng.integers(1, 5))):
        ridge = horizon + sum(rng.normal(0, 0.06) / k * np.sin(2 * np.pi * k * x + rng.uniform(0, 6)) for k in range(1, 9))
        land = np.arange(rows)[:, None] / rows > ridge
        plane = np.where(land, rng.uniform(0, 220) + fractal(rng, (rows, columns), rng.uniform(0.8, 2.2)) * rng.uniform(10, 60), plane)
    return np.clip(plane, 0, 255)


def fractal(rng, shape, power):
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    f[0, 0] = 1 / max(shape)
    field = np.fft.irfft2(np.fft.rfft2(rng.normal(0, 1, shape)) * f ** (-power / 2), shape)
    return (field - field.mean()) / field.std()


def lighting(rng, shape, strength):
    coarse = rng.normal(0, strength, (3, 3))
    return ndimage.zoom(coarse, (shape[0] / 3, shape[1] / 3), order=3, mode='nearest')[:shape[0], :shape[1]]


def written(rng, fonts, rows, columns):
    """A white page with lines of words, a heading, maybe columns, boxes and rules."""
    page = Image.new('L', (columns, rows), 255)
    draw = ImageDraw.Draw(page)
    height = int(np.exp(rng.uniform(np.log(5), np.log(34))))
    font = ImageFont.truetype(str(rng.choice(fonts)), height)
    margin, y = rng.uniform(0.02, 0.15) * columns, rng.uniform(0.02, 0.2) * rows
    ends = columns * rng.uniform(0.6, 1)
    while y < rows * rng.uniform(0.7, 1.05):
        words, x = [], margin
        while x < ends - margin:
            word = ''.join(rng.choice(LETTERS, rng.integers(1, 10)))
            word = word.capitalize() if rng.random() < 0.15 else str(rng.integers(10 ** 4)) if rng.random() < 0.1 else word
            words.append(word)
            x += font.getlength(word + ' ')
            if rng.random() < 0.05:
                break
        draw.text((margin, y), ' '.join(words), font=font, fill=int(rng.integers(0, 90)))
        y += height * rng.uniform(1.1, 1.6) * (2 if rng.random() < 0.12 else 1)
    for _ in range(rng.integers(0, 4)):
        a, b = sorted(rng.uniform(0, columns, 2)), sorted(rng.uniform(0, rows, 2))
        draw.rectangle([a[0], b[0], a[1], b[1]], outline=0, width=int(rng.integers(1, 3)), fill=int(rng.integers(60, 240)) if rng.random() < 0.2 else None)
    return np.asarray(page, np.float32)


def page(rng, fonts=SANS):
    """Text as a screenshot or a scan: flat, now and then white on black."""
    rows, columns = shape_of(rng)
    plane = written(rng, fonts, rows * 2, columns * 2)
    return 255 - plane if rng.random() < 0.3 else plane


def text_photograph(rng, fonts=SANS):
    """A page on a table: perspective, uneven light, paper and table with texture, blur, noise, JPEG-like rounding."""
    rows, columns = (2 * n for n in shape_of(rng))
    grain = fractal(rng, (rows, columns), rng.uniform(0, 2)) * rng.uniform(0, 8)
    paper = rng.uniform(0.5, 1) * written(rng, fonts, rows, columns) + grain
    if rng.random() < 0.1:
        paper = 255 - paper
    table = rng.uniform(0, 200) + fractal(rng, (rows, columns), rng.uniform(1, 3)) * rng.uniform(2, 40)
    reach = rng.uniform(0.0, 0.3)
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]]) * np.exp(rng.uniform(-0.25, 0.2))
    target = corners - (corners.mean(0) - [columns / 2, rows / 2]) + rng.uniform(-reach, reach, (4, 2)) * min(rows, columns)
    coefficients = perspective(target, np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]]))
    angle = rng.choice([0, rng.normal(0, 15), 90, 180])
    sheet = np.stack([paper, np.full_like(paper, 255)], 0)
    moved = [np.asarray(Image.fromarray(layer).transform((columns, rows), Image.PERSPECTIVE, coefficients, Image.BILINEAR), np.float32) for layer in sheet]
    inside = moved[1] / 255
    plane = moved[0] * inside + table * (1 - inside) + lighting(rng, (rows, columns), rng.uniform(0, 40))
    plane = ndimage.rotate(plane, angle, reshape=False, order=1, mode='reflect')
    plane = ndimage.gaussian_filter(plane, rng.uniform(0, 2)) + rng.normal(0, rng.uniform(0, 8), plane.shape)
    return np.clip(np.rint(plane), 0, 255)


def perspective(target, source):
    """Pillow's eight coefficients that carry the four `target` corners back to `source`."""
    rows, wanted = [], []
    for (x, y), (u, v) in zip(target, source):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return np.linalg.solve(np.array(rows), np.array(wanted))


def thickness(x, y, start, end, radius):
    """Length of a ray through a capsule that lies in the film's plane."""
    a, b = np.subtract(end, start), np.stack([x - start[0], y - start[1]], -1)
    t = np.clip((b @ a) / max(a @ a, 1e-9), 0, 1)
    d2 = ((b - t[..., None] * a) ** 2).sum(-1)
    return np.sqrt(np.clip(radius ** 2 - d2, 0, None))


def long_bone(x, y, start, end, radius):
    """A shaft with a marrow cavity and two knobs."""
    start, end = np.asarray(start), np.asarray(end)
    bone = thickness(x, y, start, end, radius) - 0.75 * thickness(x, y, 0.8 * start + 0.2 * end, 0.2 * start + 0.8 * end, 0.65 * radius)
    return bone + 0.8 * (thickness(x, y, start, start, 1.5 * radius) + thickness(x, y, end, end, 1.4 * radius))


def limb(rng):
    """Radiograph of a knee, an elbow, a hand: capsules of soft tissue round capsules of bone."""
    x, y = coordinates(rng)
    tissue, bone = np.zeros_like(x), np.zeros_like(x)
    if rng.random() < 0.4:
        for finger in range(5):
            angle = (finger - 2) * rng.uniform(0.2, 0.3) + rng.normal(0, 0.04)
            at, way = np.array([0.0, -0.25]), np.array([np.sin(angle), np.cos(angle)])
            tissue = np.maximum(tissue, thickness(x, y, at, at + way * rng.uniform(0.9, 1.2), 0.13))
            for a, b in ((0, 0.42), (0.46, 0.72), (0.75, 0.92), (0.95, 1.05)):
                bone = np.maximum(bone, long_bone(x, y, at + way * a, at + way * b, 0.035))
        tissue = np.maximum(tissue, thickness(x, y, (0, -0.2), (0, -1.2), 0.35))
        for side in (-0.12, 0.12):
            bone = np.maximum(bone, long_bone(x, y, (side, -0.45), (side, -1.4), 0.08))
    else:
        bend = rng.normal(0, 0.5)
        width = rng.uniform(0.25, 0.6)
        for sign in (-1, 1):
            end = np.array([np.sin(bend) * (sign > 0), sign * np.cos(bend if sign > 0 else 0)]) * 1.6
            tissue = np.maximum(tissue, thickness(x, y, (0, 0), end, width))
            for offset in ([0.0] if sign < 0 or rng.random() < 0.4 else [-0.15, 0.12]):
                bone += long_bone(x, y, (offset, sign * 0.12), end + [offset, 0], rng.uniform(0.07, 0.16))
    return film(rng, tissue + rng.uniform(1.2, 3) * bone)


def skull(rng):
    """Head from the front or the side: a shell, sinuses, teeth, neck."""
    x, y = coordinates(rng)
    x, y = x * rng.uniform(0.8, 1.3), y + rng.uniform(-0.1, 0.3)
    side = rng.random() < 0.5
    ball = lambda cx, cy, rx, ry: np.sqrt(np.clip(1 - ((x - cx) / rx) ** 2 - ((y - cy) / ry) ** 2, 0, None))
    plane = 1.2 * ball(0, 0, 0.75, 0.8) - 0.5 * ball(0, 0, 0.69, 0.74) + 0.5 * ball(0.2 * side, 0.6, 0.4, 0.5)
    for eye in (-0.26, 0.26):
        plane -= rng.uniform(0.1, 0.35) * ball(0.4 if side else eye, 0.22 + 0.05 * eye * side, 0.17, 0.15)
    for tooth in np.linspace(-0.25, 0.25, 9):
        plane += 0.25 * ball(tooth + 0.35 * side, 0.72, 0.03, 0.07)
    plane += thickness(x, y, (-0.2 * side, 0.6), (-0.2 * side, 1.6), 0.3) + spine(rng, x, y - 1.3, 0.1)
    return film(rng, plane)


def spine(rng, x, y, width):
    """A column of vertebral bodies and discs along y."""
    step = width * rng.uniform(1.1, 1.5)
    phase = (y / step) % 1
    return 0.5 * np.exp(-np.abs(x / width) ** 4) * (1 - 0.5 * np.exp(-((phase - 0.5) / 0.12) ** 2)) + 0.2 * np.exp(-((x / width) ** 2) * 12)


def abdomen(rng):
    """Belly and pelvis: spine, wings of the pelvis, hips, gas, no lungs."""
    rows, columns = shape_of(rng, SIDE)
    y, x = np.mgrid[-1:1:rows * 1j, -1:1:columns * 1j]
    x, y = x * rng.uniform(0.7, 1.1), y + rng.uniform(-0.5, 0.5)
    plane = 1.0 - 0.5 * (x / 1.1) ** 2 + (spine(rng, x, y, 0.13) if rng.random() < 0.9 else 0)
    if rng.random() < 0.7:
        for side in (-1, 1):
            u, v = x - side * 0.5, y - 0.45
            ring = np.hypot(u / 0.35, v / 0.4)
            plane += 0.3 * np.exp(-((ring - 1) / 0.2) ** 2) + 0.25 * (ring < 1)
            plane += 0.35 * thickness(x, y, (side * 0.62, 0.95), (side * 0.62, 0.95), 0.17) / 0.17 + 0.4 * long_bone(x, y, (side * 0.7, 1.0), (side * 0.8, 1.8), 0.1) / 0.1
    for _ in range(rng.integers(0, 14)):
        cx, cy, r = rng.uniform(-0.8, 0.8), rng.uniform(-1, 0.8), rng.uniform(0.03, 0.18, 2)
        plane -= rng.uniform(0.1, 0.5) * np.sqrt(np.clip(1 - ((x - cx) / r[0]) ** 2 - ((y - cy) / r[1]) ** 2, 0, None))
    return film(rng, plane)


def film(rng, path):
    """Path length to film: curve, field falling off, blur, noise, air black."""
    path = path / max(path.max(), 1e-6)
    grey = 1 - np.exp(-rng.uniform(1.2, 4) * path)
    grey = grey * (1 + lighting(rng, path.shape, 0.08)) + fractal(rng, path.shape, 2.5) * rng.uniform(0, 0.04) * (path > 0.02)
    return ndimage.gaussian_filter(grey, rng.uniform(0, 1.5)) * 255 + rng.normal(0, rng.uniform(0, 8), path.shape)


def axial_slice(rng):
    """An axial CT slice of a trunk or a head, in Hounsfield units under a random window: black round, bright bone."""
    rows, columns = [int(rng.integers(150, 2 * SIDE))] * 2
    y, x = np.mgrid[-1:1:rows * 1j, -1:1:columns * 1j]
    scale = rng.uniform(0.9, 1.6)
    x, y = x * scale + rng.normal(0, 0.05), y * scale + rng.normal(0, 0.08)
    wide = rng.uniform(0.62, 0.85)
    ellipse = lambda cx, cy, rx, ry, power=2: np.abs((x - cx) / rx) ** power + np.abs((y - cy) / ry) ** power < 1
    hu = np.full(x.shape, -1000.0)
    hu[ellipse(0, 0, 1, wide, 2.4)] = -100
    muscle = 1 - rng.uniform(0.05, 0.2)
    hu[ellipse(0, 0, muscle, wide * muscle, 2.4)] = 50
    kind = rng.integers(3)
    if kind == 0:  # chest
        for side in (-1, 1):
            hu[ellipse(side * 0.43, -0.05, 0.33, 0.45 * rng.uniform(0.8, 1.1))] = rng.uniform(-880, -700)
        hu[ellipse(0.12, -0.15, 0.3, 0.25)] = rng.uniform(30, 160)
    elif kind == 1:  # belly
        hu[ellipse(0, 0, 0.75, wide * 0.75)] = -90
        for _ in range(rng.integers(4, 16)):
            hu[ellipse(rng.uniform(-0.6, 0.6), rng.uniform(-0.4, 0.3), *rng.uniform(0.05, 0.35, 2))] = rng.choice([rng.uniform(0, 180), -900], p=[0.85, 0.15])
    else:  # head
        hu[:] = -1000
        hu[ellipse(0, 0, 0.72, 0.88)] = 900
        hu[ellipse(0, 0, 0.66, 0.82)] = 35
        hu[ellipse(0, -0.1, 0.1, 0.3)] = 8
    if kind < 2:
        hu[ellipse(0, wide * 0.55, 0.13, 0.12)] = rng.uniform(300, 700)
        hu[ellipse(0, wide * 0.75, 0.04, 0.12)] = 500
        hu[ellipse(-0.1, wide * 0.35, 0.07, 0.07)] = rng.uniform(40, 300)
        for angle in rng.uniform(0, 2 * np.pi, rng.integers(4, 14)):
            hu[ellipse(0.86 * muscle * np.cos(angle), wide * 0.86 * muscle * np.sin(angle), 0.07, 0.04)] = 600
    hu = hu + (x > -9) * fractal(rng, x.shape, 2) * rng.uniform(5, 40) * (hu > -950)
    if rng.random() < 0.6:
        hu[np.abs(y - wide - 0.12 - 0.15 * x ** 2) < 0.02] = -500  # table
    hu = ndimage.gaussian_filter(hu, rng.uniform(0.3, 1.5)) + rng.normal(0, rng.uniform(5, 40), x.shape)
    low, high = [(-1024, 1500), (-160, 240), (-1350, 150), (-1024, 600)][rng.integers(4)]
    hu = np.clip(hu, low, high)
    if rng.random() < 0.2:
        hu[np.hypot(x, y) > scale] = low - 500  # outside of the field of view
    return hu
