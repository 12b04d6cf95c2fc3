"""Picture -> network input. The engine does exactly the same."""
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / 'recipes'))
from grey_picture import HIGH, LOW, letterboxed, read_grey  # noqa: E402, F401

SIZE = 192


def encode(grey, size=SIZE):
    """[rows, columns] -> [1, 1, size, size] in 0..1."""
    return letterboxed(grey, size)[None, None]
