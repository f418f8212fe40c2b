"""Opening the photos of an evaluation folder: upright, or refused by name."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageOps

from demeter.vision.errors import LabelsRefused

pi_heif.register_heif_opener()

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".avif"}

# What Pillow's readers raise on damaged input.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
)


def read_upright(path: Path) -> NDArray[np.uint8]:
    """A photo as it is looked at, RGB [H, W, 3]: turned as its EXIF orientation says.

    Raises:
        LabelsRefused: it is not there, is no picture, or is damaged.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except _DAMAGE as error:
        raise LabelsRefused(f"{path.name}: not a picture that can be read ({error})") from error
