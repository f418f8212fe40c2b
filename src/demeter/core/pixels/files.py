"""What callers ask about a picture: its facts, its pixels, or a smaller version of it.

Every caller goes this way: no other code of Demeter unpacks a file that a person sent.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demeter.core.pixels.pool import PictureRequest, pool


class PictureKind(StrEnum):
    """As what a picture is encoded anew."""

    WEBP = "WEBP"
    JPEG = "JPEG"


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is known of a file once every pixel of it was unpacked.

    Sides are of the upright picture. ``tags`` and ``gps`` are what the camera wrote, by name.
    ``codes`` are the QR codes in it: text, and share of the frame. ``pages_left_out`` are
    pictures in the file that were not looked at.
    """

    sha256: str
    size_bytes: int
    content_type: str
    width_px: int
    height_px: int
    is_turned: bool
    pages_left_out: int
    tags: dict[str, Any]
    gps: dict[str, Any]
    codes: tuple[tuple[str, float], ...]


def read_facts(source: bytes | int, name: str, *, codes: bool) -> PictureFacts:
    """Unpack a file, given as bytes or as an open file, and say what it is.

    Raises:
        NotAPhoto, RawPhoto: unknown content, or a camera's raw file.
        PhotoTruncated, PhotoUnreadable: the pixels cannot all be read.
        PhotoTooSmall, PhotoTooLarge: of sides, bytes, pixels, memory or time.
        DecoderBusy: too many others are asking.
    """
    with _descriptor(source) as file, _scratch() as out:
        answer = pool().ask(PictureRequest("facts", name, {"codes": codes}), file, out)
    return _facts(answer)


def read_pixels(source: bytes | int, name: str) -> tuple[NDArray[np.uint8], PictureFacts]:
    """The upright picture, uint8 of shape (height, width, 3), read-only; raises as `read_facts`."""
    with _descriptor(source) as file, _scratch() as out:
        facts = _facts(pool().ask(PictureRequest("pixels", name, {}), file, out))
        shape = facts.height_px, facts.width_px, 3
        view = mmap.mmap(out, int(np.prod(shape)), access=mmap.ACCESS_READ)
    return np.frombuffer(view, np.uint8).reshape(shape), facts


def read_encoded(
    source: bytes | int, name: str, kind: PictureKind, *, side_px: int, pixels: int
) -> bytes:
    """The upright picture, encoded anew, within a side and a number of pixels.

    Nothing but pixels goes along: no tags, no place, no profile. Raises as `read_facts`.
    """
    asked = {"kind": kind.value, "side_px": side_px, "pixels": pixels}
    with _descriptor(source) as file, _scratch() as out:
        pool().ask(PictureRequest("picture", name, asked), file, out)
        size = os.fstat(out).st_size
        return os.pread(out, size, 0)


def _facts(answer: dict[str, Any]) -> PictureFacts:
    codes = tuple((text, share) for text, share in answer.pop("codes", ()))
    return PictureFacts(**answer, codes=codes)


@contextmanager
def _descriptor(source: bytes | int) -> Iterator[int]:
    if isinstance(source, int):
        yield source
        return
    with _scratch() as file:
        left = memoryview(source)
        while left:
            left = left[os.write(file, left) :]
        yield file


@contextmanager
def _scratch() -> Iterator[int]:
    """An open file without a name, in memory where the system has such."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("demeter-picture", os.MFD_CLOEXEC)
        try:
            yield file
        finally:
            os.close(file)
        return
    with tempfile.TemporaryFile() as named:
        yield named.fileno()
