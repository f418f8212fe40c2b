"""Pictures for tests: noise that compresses like a photo, in any format, with EXIF."""

from __future__ import annotations

import io

import numpy as np
from PIL import ExifTags, Image


def picture(width: int = 320, height: int = 240, seed: int = 0) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BILINEAR)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(
    taken: str | None = None,
    offset: str | None = None,
    at: tuple[float, float] | None = None,
    orientation: int | None = None,
) -> Image.Exif:
    """EXIF with a time (``2026:03:02 12:00:00``), a place (longitude, latitude), a turn."""
    tags = Image.Exif()
    if orientation:
        tags[ExifTags.Base.Orientation] = orientation
    block = tags.get_ifd(ExifTags.IFD.Exif)
    if taken:
        block[ExifTags.Base.DateTimeOriginal] = taken
    if offset:
        block[ExifTags.Base.OffsetTimeOriginal] = offset
    if at:
        lon, lat = at
        tags.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                ExifTags.GPS.GPSLatitudeRef: "N" if lat >= 0 else "S",
                ExifTags.GPS.GPSLatitude: _dms(lat),
                ExifTags.GPS.GPSLongitudeRef: "E" if lon >= 0 else "W",
                ExifTags.GPS.GPSLongitude: _dms(lon),
            }
        )
    return tags


def _dms(degrees: float) -> tuple[float, float, float]:
    whole = abs(degrees)
    minutes = (whole % 1) * 60
    return (int(whole), int(minutes), round((minutes % 1) * 60, 4))


def bomb(side: int = 30_000) -> bytes:
    """A small PNG that would unpack to ``side`` by ``side`` pixels."""
    return encoded(Image.new("1", (side, side)), "PNG")
