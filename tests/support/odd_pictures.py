"""Picture files as cameras, editors and attackers make them, written byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import ExifTags, Image

from support.pictures import encoded, picture

Rows = Sequence[tuple[int, int, int, bytes]]  # tag, type, count, value of up to 4 bytes


def tiff(*pages: Rows, order: str = "<", data: bytes = b"") -> bytes:
    """A TIFF of directories one after another; ``data`` stands at offset 8."""
    out = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8 + len(data)) + data
    for number, rows in enumerate(pages, start=1):
        out += struct.pack(f"{order}H", len(rows))
        for tag, kind, count, value in sorted(rows):
            out += struct.pack(f"{order}HHI", tag, kind, count) + value.ljust(4, b"\0")
        out += struct.pack(f"{order}I", len(out) + 4 if number < len(pages) else 0)
    return out


def page(
    width: int,
    height: int,
    *extra: tuple[int, int, int, bytes],
    order: str = "<",
    bits: int = 8,
    photometric: int = 1,
    offset: int = 8,
) -> list[tuple[int, int, int, bytes]]:
    """The rows of an uncompressed grey page whose pixels stand at ``offset``."""

    def short(value: int) -> bytes:
        return struct.pack(f"{order}H", value)

    def long(value: int) -> bytes:
        return struct.pack(f"{order}I", value)

    return [
        (256, 4, 1, long(width)),
        (257, 4, 1, long(height)),
        (258, 3, 1, short(bits)),
        (259, 3, 1, short(1)),
        (262, 3, 1, short(photometric)),
        (273, 4, 1, long(offset)),
        (277, 3, 1, short(1)),
        (278, 4, 1, long(height)),
        (279, 4, 1, long(min(width * height * bits // 8, 2**32 - 1))),
        *extra,
    ]


def grey_ramp(width: int = 200, height: int = 100) -> np.ndarray:
    """16-bit grey from black to white, left to right."""
    return np.tile(np.linspace(0, 65_535, width).astype(np.uint16), (height, 1))


def deep_tiff(order: str, *, photometric: int = 1) -> bytes:
    """The ramp as a TIFF of either order of bytes."""
    data = grey_ramp().astype(f"{order}u2").tobytes()
    return tiff(
        page(200, 100, order=order, bits=16, photometric=photometric), order=order, data=data
    )


def png(
    width: int, height: int, *chunks: tuple[bytes, bytes], depth: int = 8, kind: int = 2
) -> bytes:
    """A PNG of these chunks behind its heading."""
    head = (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*c) for c in (head, *chunks, (b"IEND", b"")))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_png_chunk(body: bytes, kind: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk behind its heading."""
    return body[:33] + png_chunk(kind, data) + body[33:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP of these chunks."""
    parts = b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
        for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WEBP" + parts


def animated_webp(width: int, height: int) -> bytes:
    """96 bytes or so that say they are an animation of this size."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    dot = encoded(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]
    frame = b"\0" * 6 + b"\0" * 6 + b"\x64\0\0" + b"\0" + dot
    return riff((b"VP8X", b"\x02\0\0\0" + canvas), (b"ANIM", b"\0" * 6), (b"ANMF", frame))


def with_exif(block: bytes, kind: str = "JPEG", image: Image.Image | None = None) -> bytes:
    """A picture with this EXIF block as it is."""
    body = encoded(image or picture(), kind)
    if kind == "PNG":
        return with_png_chunk(body, b"eXIf", block)
    segment = b"Exif\0\0" + block
    return body[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + body[2:]


def with_segment(body: bytes, marker: int, data: bytes) -> bytes:
    """A JPEG with one more segment at its beginning."""
    return body[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data + body[2:]


def exif_block(seed: int, orientation: int = 1) -> bytes:
    """A whole EXIF block as cameras write: strings, numbers, fractions, a place."""
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    tags[ExifTags.Base.Make] = "Maker"
    tags[ExifTags.Base.XResolution] = 72.0
    tags[ExifTags.Base.Software] = f"seed {seed}"
    inner = tags.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = "2026:03:02 09:00:00"
    inner[ExifTags.Base.ExposureTime] = 0.01
    inner[ExifTags.Base.UserComment] = b"ASCII\0\0\0words"
    place = tags.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "S", (32.0, 53.0, 58.5)
    place[ExifTags.GPS.GPSLongitudeRef], place[ExifTags.GPS.GPSLongitude] = "W", (68.0, 51.0, 35.4)
    return tags.tobytes().removeprefix(b"Exif\0\0")


def damaged(block: bytes, rng: np.random.Generator) -> bytes:
    """The block with a few bytes changed, cut, or put where they do not belong."""
    raw = bytearray(block)
    for _ in range(int(rng.integers(1, 9))):
        at = int(rng.integers(8, len(raw)))
        match rng.integers(4):
            case 0:
                raw[at] = int(rng.integers(256))
            case 1:
                raw[at : at + 4] = rng.integers(0, 256, 4, np.uint8).tobytes()
            case 2:
                raw[at : at + 2] = b"\xff\xff"
            case _:
                raw[at : at + 1] = b""
    return bytes(raw[: int(rng.integers(8, len(raw)))] if rng.random() < 0.2 else raw)


def isobmff(brand: bytes, *others: bytes, rest: bytes = b"") -> bytes:
    """A file of these brands."""
    body = brand + b"\0\0\0\0" + b"".join(others)
    return struct.pack(">I", 8 + len(body)) + b"ftyp" + body + rest


def rebranded(avif: bytes, brand: bytes, *others: bytes) -> bytes:
    """An AVIF that goes by other brands, in as many bytes."""
    size = struct.unpack_from(">I", avif)[0]
    brands = b"".join(others).ljust(size - 16, b"\0")[: size - 16]
    return avif[:8] + brand + avif[12:16] + brands + avif[size:]


def saved_pages(kind: str, *images: Image.Image, **options: object) -> bytes:
    """Several pictures in one file."""
    out = io.BytesIO()
    images[0].save(out, kind, save_all=True, append_images=list(images[1:]), **options)
    return out.getvalue()
