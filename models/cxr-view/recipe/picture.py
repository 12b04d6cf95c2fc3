"""Picture -> network input. The engine does exactly the same."""
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / 'recipes'))
from grey_picture import HIGH, LOW, letterboxed, normalised, read_grey, resized  # noqa: E402, F401

SIZE = 64


def encode(grey):
    """[rows, columns] -> [1, SIZE, SIZE] in 0..1."""
    return letterboxed(grey, SIZE)[None]
