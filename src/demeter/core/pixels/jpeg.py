"""The segments of a JPEG: its size, its EXIF, and the file without what is no picture."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from demeter.core.pixels.faults import Fault, damaged

START = b"\xff\xd8"
END = b"\xff\xd9"
_SCAN = 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_APPS = range(0xE0, 0xF0)
_NOTES = frozenset({*_APPS, 0xFE})
_FILLING = 0xFF
_COLOUR_APPS = (0xE0, 0xEE)  # JFIF and Adobe say how colours are stored
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
# Each pass over the picture costs as much again. A camera's progressive file has about 10, so
# that the largest photo has as many pixels in its passes.
_MOST_PASSES_PX = 1_200_000_000


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A JPEG as far as its first scan; ``picture`` is the file without notes of any kind."""

    width: int
    height: int
    components: int
    has_passes: bool
    exif: bytes
    picture: bytes


def read_segments(body: bytes) -> Jpeg:
    """The parts of a JPEG.

    Raises:
        Fault: it breaks off before its first scan, or has too many of them.
    """
    kept = [START]
    exif = b""
    frame: tuple[int, int, int] | None = None
    is_progressive = False
    at = 2
    for at, marker, segment in _segments(body):  # noqa: B007  the last is the first scan
        if marker in _FRAMES and len(segment) >= 10:  # noqa: PLR2004
            frame = struct.unpack_from(">xHHB", segment, 4)
            is_progressive = marker in _PROGRESSIVE
        if marker == _APPS[1] and segment[4:10] == b"Exif\0\0" and not exif:
            exif = segment[4:]
        if marker != _SCAN and (marker not in _NOTES or marker in _COLOUR_APPS):
            kept.append(segment)
    if frame is None:
        raise damaged("its size is not stated")
    height, width, components = frame
    scans = body.count(b"\xff\xda", at)
    has_passes = is_progressive or body[at + 4] < components
    if has_passes and scans * width * height > _MOST_PASSES_PX:
        limit = max(1, _MOST_PASSES_PX // (width * height))
        raise Fault("photo_too_large", "photo_of_many_scans", scans=scans, limit=limit)
    return Jpeg(width, height, components, has_passes, exif, b"".join([*kept, body[at:]]))


def _segments(body: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Place, marker and bytes of each segment, the first scan's heading last."""
    at = 2
    while True:
        at = body.find(b"\xff", at)
        if at < 0 or at + 4 > len(body):
            raise damaged("no picture follows its heading")
        marker = body[at + 1]
        if marker == _FILLING:
            at += 1
        elif marker == 0 or marker in _ALONE:
            at += 2
        else:
            size = 2 + max(struct.unpack_from(">H", body, at + 2)[0], 2)
            yield at, marker, body[at : at + size]
            if marker == _SCAN:
                return
            at += size


def endings(picture: bytes) -> tuple[bytes, bytes]:
    """A file that lacks its end, ended in two ways that differ in every bit that it may lack.

    A decoder fills missing bits from what follows. So where both give the same pixels, no bit
    is missing, and only the end mark was.
    """
    bare = picture.rstrip(b"\xff")
    noise = b"\xfe" + bytes((37 * n * n + 11 * n + 90) % 251 for n in range(4096))
    return bare + END, bare + noise + END


def lacks_passes(picture: bytes) -> bool:
    """Whether a scan is missing as a whole: a component of which not every bit was sent."""
    coefficients: dict[int, list[int]] = {}
    at = len(START)
    components: list[int] = []
    while (at := picture.find(b"\xff", at)) >= 0 and at + 4 <= len(picture):
        marker = picture[at + 1]
        if marker in (0, _FILLING) or marker in _ALONE:
            at += 1 if marker == _FILLING else 2
            continue
        if marker in _FRAMES:
            components = [picture[at + 10 + 3 * n] for n in range(picture[at + 9])]
            coefficients = {component: [99] * 64 for component in components}
        if marker == _SCAN:
            count = picture[at + 4]
            first, last, bits = picture[at + 5 + 2 * count : at + 8 + 2 * count]
            for n in range(count):
                row = coefficients.get(picture[at + 5 + 2 * n])
                if row is not None:
                    row[first : last + 1] = [bits & 15] * (min(last, 63) + 1 - first)
        at += 2 + struct.unpack_from(">H", picture, at + 2)[0]
    return not components or any(bit for row in coefficients.values() for bit in row)
