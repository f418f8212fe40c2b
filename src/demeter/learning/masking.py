"""A photo as a training picture: upright, and grey where plants stand that nobody marked."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demeter.core.pixels.files import read_pixels
from demeter.learning.ground_truth import TrueMark, TruePhoto
from demeter.vision.plants.detector import PADDING_GREY

QUALITY = 95


def training_jpeg(body: bytes, photo: TruePhoto, name: str, *, grey: bool) -> bytes:
    """The photo's own bytes where they are an upright JPEG and nothing is greyed, else new ones."""
    pixels, facts = read_pixels(body, name)
    unmarked = grey and any(c.unmarked_px for c in photo.containers)
    if facts.content_type == "image/jpeg" and not facts.is_turned and not unmarked:
        return body
    rgb = grey_unmarked_areas(pixels, photo) if unmarked else pixels
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def grey_unmarked_areas(rgb: NDArray[np.uint8], photo: TruePhoto) -> NDArray[np.uint8]:
    """A copy [H, W, 3] in which unmarked places are grey and marked plants are not."""
    mask = np.zeros(rgb.shape[:2], np.uint8)
    for container in photo.containers:
        for part in container.unmarked_px:
            cv2.fillPoly(mask, [np.array(part, np.int32)], 1)
    for mark in kept_marks(photo):
        x1, y1, x2, y2 = (max(0, round(v)) for v in mark.xyxy_px)
        mask[y1:y2, x1:x2] = 0
    out = rgb.copy()
    out[mask > 0] = PADDING_GREY
    return out


def kept_marks(photo: TruePhoto) -> list[TrueMark]:
    """Marks that stay when unmarked places are greyed: not those of a wholly unmarked container."""
    whole = {
        place
        for place, c in enumerate(photo.containers)
        if len(c.unmarked_px) == 1 and c.unmarked_px[0] == c.polygon_px
    }
    return [m for m in photo.marks if m.container not in whole]
