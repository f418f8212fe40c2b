"""The chunks of a PNG and of a WebP: size, EXIF, frames, and the file without its notes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from demeter.core.pixels.faults import damaged

PNG = b"\x89PNG\r\n\x1a\n"
# All that pixels depend on; texts, profiles and times may be damaged as they like.
_PNG_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_ANIMATED = 0x02
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@dataclass(frozen=True, slots=True)
class Chunked:
    """What the chunks say: ``frames`` is how many pictures there are to see."""

    width: int
    height: int
    exif: bytes
    frames: int
    picture: bytes
    bits_per_pixel: int = 24


def read_png(body: bytes) -> Chunked:
    """The parts of a PNG.

    Raises:
        Fault: it has no heading.
    """
    kept, exif, frames, size, bits = [PNG], b"", 1, None, 24
    at = len(PNG)
    while at + 8 <= len(body):
        length, kind = struct.unpack_from(">I4s", body, at)
        data = body[at + 8 : at + 8 + min(length, 1 << 20)]
        if kind == b"IHDR" and len(data) >= 13:  # noqa: PLR2004
            width, height, depth, colours = struct.unpack_from(">IIBB", data)
            size = width, height
            bits = depth * _CHANNELS.get(colours, 1)
        elif kind == b"eXIf" and not exif:
            exif = data
        elif kind == b"acTL" and len(data) >= 4:  # noqa: PLR2004
            frames = struct.unpack_from(">I", data)[0]
        if kind in _PNG_PICTURE:
            kept.append(body[at : at + 12 + length])
        at += 12 + length
        if kind == b"IEND":
            break
    if size is None:
        raise damaged("its size is not stated")
    return Chunked(*size, exif, max(frames, 1), b"".join(kept), bits)


def read_webp(body: bytes) -> Chunked:
    """The parts of a WebP; the picture is the whole file.

    Raises:
        Fault: its size is not stated.
    """
    size, exif, frames, is_animated = None, b"", 0, False
    for kind, data in _riff(body):
        if kind == b"VP8X" and len(data) >= 10:  # noqa: PLR2004
            is_animated = bool(data[0] & _ANIMATED)
            size = (
                1 + int.from_bytes(data[4:7], "little"),
                1 + int.from_bytes(data[7:10], "little"),
            )
        elif kind == b"VP8 " and size is None and len(data) >= 10:  # noqa: PLR2004
            width, height = struct.unpack_from("<HH", data, 6)
            size = width & 0x3FFF, height & 0x3FFF
        elif kind == b"VP8L" and size is None and len(data) >= 5:  # noqa: PLR2004
            bits = struct.unpack_from("<I", data, 1)[0]
            size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        elif kind == b"EXIF" and not exif:
            exif = bytes(data)
        elif kind == b"ANMF":
            frames += 1
    if size is None:
        raise damaged("its size is not stated")
    return Chunked(*size, exif, max(frames if is_animated else 1, 1), body)


def _riff(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(body):
        kind, length = struct.unpack_from("<4sI", body, at)
        yield kind, body[at + 8 : at + 8 + min(length, 1 << 20)]
        at += 8 + length + (length & 1)
