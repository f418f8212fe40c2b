"""Opening the photos of an evaluation folder: upright, or refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demeter.core.pixels.faults import Fault
from demeter.core.pixels.reading import open_picture
from demeter.vision.errors import LabelsRefused

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".avif"}


def read_upright(path: Path) -> NDArray[np.uint8]:
    """A photo as intake reads it, RGB [H, W, 3], here in this process: it is the person's own file.

    Raises:
        LabelsRefused: it is not there, is no picture, or is damaged.
    """
    try:
        return np.asarray(open_picture(path.read_bytes()).rgb())
    except (OSError, MemoryError, Fault) as error:
        raise LabelsRefused(f"{path.name}: not a picture that can be read ({error})") from error
