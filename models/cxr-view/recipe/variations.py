"""Changes of a sound radiograph that must not make the gate refuse it, and faults that must."""
import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage


def framed(grey, rng):
    """A black border of 4..12 % on all sides."""
    rows, columns = grey.shape
    width = int(rng.uniform(0.04, 0.12) * min(rows, columns))
    return np.pad(grey, width, constant_values=grey.min())


def cropped(grey, rng):
    """4..12 % lost on each side."""
    rows, columns = grey.shape
    top, bottom, left, right = (rng.uniform(0.04, 0.12, 4) * [rows, rows, columns, columns]).astype(int)
    return grey[top:rows - bottom, left:columns - right]


def lettered(grey, rng):
    """Name, date and a side marker burnt in."""
    picture = Image.fromarray(grey.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    rows, columns = grey.shape
    font = ImageFont.truetype('DejaVuSans.ttf', max(10, rows // 30))
    for text, at in (('DOE^JANE 1961-04-02', (0.02, 0.02)), ('AP SUPINE 07:45', (0.02, 0.93)), (str(rng.choice(['L', 'R'])), (rng.uniform(0.02, 0.9), 0.15))):
        draw.text((at[0] * columns, at[1] * rows), text, font=font, fill=255)
    return np.asarray(picture, np.float32)


def jpeg(grey, _rng):
    """JPEG of quality 15."""
    stream = io.BytesIO()
    Image.fromarray(grey.astype(np.uint8)).save(stream, 'JPEG', quality=15)
    return np.asarray(Image.open(stream), np.float32)


def curve(power):
    return lambda grey, _rng: 255 * ((grey - grey.min()) / max(np.ptp(grey), 1)) ** power


SOUND = {
    'cropped by 4–12 % a side': cropped,
    'black frame of 4–12 %': framed,
    'text burnt in': lettered,
    'JPEG of quality 15': jpeg,
    'low contrast (a fifth of the greys)': lambda grey, _rng: np.rint(grey * 0.2 + 90),
    'gamma 0.5': curve(0.5),
    'gamma 2': curve(2.0),
    'turned by 10° or −10°': lambda grey, rng: ndimage.rotate(grey, rng.choice([-10, 10]), reshape=False, order=1, cval=grey.min()),
    'mirrored': lambda grey, _rng: grey[:, ::-1],
    'noise of 5 % of the range': lambda grey, rng: grey + rng.normal(0, 0.05 * np.ptp(grey), grey.shape),
    '128 pixels across': lambda grey, _rng: np.asarray(Image.fromarray(grey.astype(np.uint8)).resize((128, max(1, 128 * grey.shape[0] // grey.shape[1])), Image.BILINEAR), np.float32),
}
FAULTS = {
    'inverted': lambda grey: grey.max() - grey,
    'upside down': lambda grey: grey[::-1, ::-1],
    'turned by 90°': lambda grey: np.rot90(grey),
    'turned by 270°': lambda grey: np.rot90(grey, 3),
}
