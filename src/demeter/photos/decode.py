"""From bytes to an upright image: content decides, never a name or a header."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from demeter.core.errors import InvalidInput
from demeter.core.settings import settings

pi_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = None  # our own limit is checked on the header, before any pixel

CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
    "TIFF": "image/tiff",
}
# MPO (two JPEGs in one file, as some phones make them) is found by way of JPEG.
_FORMATS = [kind for kind in CONTENT_TYPES if kind != "MPO"]

# What Pillow's readers raise on damaged input.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error)


class NotAPhoto(InvalidInput):
    """The bytes are no image of a kind that Demeter reads."""

    code = "not_a_photo"
    title = "This file is not a photo"
    next_action = "Send a JPEG, PNG, WebP, HEIC, AVIF or TIFF file."


class PhotoTruncated(InvalidInput):
    """The image begins well and then breaks off or is damaged."""

    code = "photo_truncated"
    title = "This photo is incomplete or damaged"
    next_action = "Send the file again, or take the photo anew."


class PhotoTooSmall(InvalidInput):
    """Too few pixels to see a plant in."""

    code = "photo_too_small"
    title = "This photo is too small"
    next_action = "Send the photo in the size the camera took it."


class PhotoTooLarge(InvalidInput):
    """More bytes or pixels than a photo may have."""

    code = "photo_too_large"
    title = "This photo is too large"
    next_action = "Send a smaller version of the photo."


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright photo: ``rgb`` is uint8 of shape (height, width, 3)."""

    rgb: NDArray[np.uint8]
    content_type: str
    exif: Image.Exif

    @property
    def width_px(self) -> int:
        """Of the upright image."""
        return self.rgb.shape[1]

    @property
    def height_px(self) -> int:
        """Of the upright image."""
        return self.rgb.shape[0]


def decode(body: bytes, name: str) -> Decoded:
    """Decode every pixel and apply the EXIF orientation; ``name`` is for errors only.

    Raises:
        NotAPhoto: unknown or unreadable content.
        PhotoTruncated: the pixels cannot all be read.
        PhotoTooSmall: a side is shorter than ``min_photo_side_px``.
        PhotoTooLarge: more than ``max_photo_bytes`` or ``max_photo_pixels``.
    """
    if len(body) > settings().max_photo_bytes:
        raise PhotoTooLarge(
            f"{name} has {len(body):,} bytes; at most {settings().max_photo_bytes:,} are taken",
            file=name,
        )
    image = _open(body, name)
    _check_size(image, name)
    try:
        image.load()
        exif = image.getexif()
        upright = ImageOps.exif_transpose(image).convert("RGB")
    except _DAMAGE as error:
        raise PhotoTruncated(f"{name} breaks off or is damaged: {error}", file=name) from error
    return Decoded(np.asarray(upright), CONTENT_TYPES[image.format or ""], exif)


def _open(body: bytes, name: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged EXIF warns; pixels are what is asked
            image = Image.open(io.BytesIO(body), formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise NotAPhoto(
            f"{name} is not a photo: its content is no known image", file=name
        ) from error
    except _DAMAGE as error:
        raise PhotoTruncated(f"{name} breaks off or is damaged: {error}", file=name) from error
    if image.mode in ("I", "I;16", "F"):
        raise NotAPhoto(f"{name} is a {image.mode} image, not a colour photo", file=name)
    return image


def _check_size(image: Image.Image, name: str) -> None:
    width, height = image.size
    limit = settings().max_photo_pixels
    if width * height > limit:
        raise PhotoTooLarge(
            f"{name} is {width} × {height} px; at most {limit:,} pixels are taken",
            file=name,
            width_px=width,
            height_px=height,
        )
    least = settings().min_photo_side_px
    if min(width, height) < least:
        raise PhotoTooSmall(
            f"{name} is {width} × {height} px; each side needs at least {least} px",
            file=name,
            width_px=width,
            height_px=height,
        )
