"""From bytes to an upright RGB picture: content decides, and no metadata does.

A file is opened in two steps. `open_picture` reads its heading alone and says what its pixels
will take; `StoredPicture.rgb` unpacks them. Whatever stands in EXIF, in texts or in profiles is
kept from the decoders, so that it cannot decide whether pixels are read.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pi_heif
from PIL import (
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    _avif,  # pyright: ignore[reportAttributeAccessIssue]  the plugin writes EXIF anew
)

from demeter.core.pixels import chunks, isobmff, jpeg, tags, tiff
from demeter.core.pixels.faults import damaged, not_a_photo, raw, unread

Image.MAX_IMAGE_PIXELS = None  # our own limit is checked on the heading, before any pixel

CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
    "TIFF": "image/tiff",
}
# What Pillow, pi_heif and libavif document, and raise, on damaged input.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    RuntimeError,
    struct.error,
    OverflowError,
)
# What lies behind erased pixels: the grey that vision pads with, in which nothing grows.
GROUND = (114, 114, 114)
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_MODES_READ = frozenset(
    {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"}
)
_BAND_PX = 4_000_000
_DECODER_THREADS = 2
_BOTH_COPIES = 8  # bytes a pixel of a picture and of its copy, as Pillow keeps them

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING = frozenset({5, 6, 7, 8})


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A file whose heading was read.

    ``width`` and ``height`` are as stored; ``orientation`` is still to be applied.
    ``facts`` are the tags as `tags.exif_facts` gives them, ``pages_left_out`` pictures of the
    file that are not looked at, ``bytes_per_pixel`` what its decoder takes at its peak,
    ``packed_bytes_per_pixel`` what is unpacked one by one, where that may be more than colours.
    """

    kind: str
    width: int
    height: int
    orientation: int
    facts: dict[str, dict[str, Any]]
    pages_left_out: int
    bytes_per_pixel: int
    unpack: Callable[[int | None], Image.Image]
    packed_bytes_per_pixel: float = 3

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        is_lying = self.orientation in _LYING
        return (self.height, self.width) if is_lying else (self.width, self.height)

    @property
    def peak_bytes_per_pixel(self) -> int:
        """What it takes to unpack it and then to convert or turn it."""
        return max(self.bytes_per_pixel, _BOTH_COPIES)

    def rgb(self, least_side: int | None = None) -> Image.Image:
        """The upright picture in mode RGB; may be reduced to no less than ``least_side``.

        Raises:
            Fault: the pixels cannot all be read, or are of a form that is not read.
        """
        with _named_damage():
            image = _in_rgb(_of_a_mode_read(self.unpack(least_side)))
            turn = _TURNS.get(self.orientation)
            return image if turn is None else image.transpose(turn)

    def check(self) -> None:
        """Unpack every pixel and keep none; raises as `rgb`."""
        with _named_damage():
            _of_a_mode_read(self.unpack(None))


@contextmanager
def _named_damage() -> Iterator[None]:
    """What decoders raise, by name."""
    try:
        yield
    except MemoryError:
        raise
    except _DAMAGE as error:
        if any(word in str(error).lower() for word in ("memory", "alloc")):
            raise MemoryError(str(error)) from error
        raise damaged(error) from error


def open_picture(body: bytes) -> StoredPicture:
    """Read the heading of a file.

    Raises:
        Fault: it is no photo, a raw file, or breaks off.
    """
    with _named_damage():
        return _opener(body)(body)


def _opener(body: bytes) -> Callable[[bytes], StoredPicture]:
    maker = tiff.raw_kind(body)
    if maker is not None:
        raise raw(maker)
    if body.startswith(jpeg.START + b"\xff"):
        return _open_jpeg
    if body.startswith(chunks.PNG):
        return _open_png
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return _open_webp
    if body[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _open_tiff
    kind = isobmff.kind_of(body)
    if kind is None:
        raise not_a_photo()
    return _open_avif if kind == "AVIF" else _open_heif


def _open_jpeg(body: bytes) -> StoredPicture:
    parts = jpeg.read_segments(body)

    def unpack(least_side: int | None) -> Image.Image:
        try:
            return _load_jpeg(parts.picture, least_side)
        except OSError:
            whole = _without_end(parts.picture, least_side)
            if whole is None:
                raise
            return whole

    return StoredPicture(
        "JPEG",
        parts.width,
        parts.height,
        tags.exif_orientation(parts.exif),
        tags.exif_facts(parts.exif),
        0,  # what follows in the file is a preview, a gain map or a depth map
        4 + (2 * parts.components if parts.has_passes else 0),
        unpack,
    )


def _load_jpeg(picture: bytes, least_side: int | None) -> Image.Image:
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(picture))
    if least_side is not None:
        image.draft("RGB", (least_side, least_side))
    image.load()
    return image


def _without_end(picture: bytes, least_side: int | None) -> Image.Image | None:
    """The pixels of a JPEG that lacks nothing but its end mark, else ``None``."""
    if jpeg.lacks_passes(picture):
        return None
    one, other = (_load_jpeg(ended, least_side) for ended in jpeg.endings(picture))
    pairs = zip(bands(one), bands(other), strict=True)
    return one if all(a.tobytes() == b.tobytes() for (_, a), (_, b) in pairs) else None


def _open_png(body: bytes) -> StoredPicture:
    parts = chunks.read_png(body)

    def unpack(_: int | None) -> Image.Image:
        image = PngImagePlugin.PngImageFile(io.BytesIO(parts.picture))
        image.load()
        return image

    return replace(
        _of_chunks("PNG", parts, 4, unpack), packed_bytes_per_pixel=parts.bits_per_pixel / 8
    )


def _open_webp(body: bytes) -> StoredPicture:
    parts = chunks.read_webp(body)

    def unpack(_: int | None) -> Image.Image:
        image = WebPImagePlugin.WebPImageFile(io.BytesIO(parts.picture))
        image.load()
        return image

    return _of_chunks("WEBP", parts, 16, unpack)  # its decoder keeps two canvases


def _of_chunks(
    kind: str, parts: chunks.Chunked, bytes_per_pixel: int, unpack: Callable[..., Image.Image]
) -> StoredPicture:
    return StoredPicture(
        kind,
        parts.width,
        parts.height,
        tags.exif_orientation(parts.exif),
        tags.exif_facts(parts.exif),
        parts.frames - 1,
        bytes_per_pixel,
        unpack,
    )


def _open_tiff(body: bytes) -> StoredPicture:
    page = tiff.read_pages(body)

    def unpack(_: int | None) -> Image.Image:
        try:
            image = TiffImagePlugin.TiffImageFile(io.BytesIO(page.picture))
        except SyntaxError as error:
            raise unread(f"TIFF, {page.samples} × {page.bits} bit") from error
        image.load()
        if image.mode not in _SIXTEEN_BIT:
            return image
        deep = np.asarray(image)
        if page.bits == 12:  # noqa: PLR2004
            deep = deep * 16
        return Image.fromarray(65_535 - deep if page.is_deep_negative else deep)

    return StoredPicture(
        "TIFF",
        page.width,
        page.height,
        page.orientation,
        page.facts,
        page.pages_left_out,
        4 + min(max(page.samples, 1), 8) * max(page.bits, 8) // 8,
        unpack,
        page.samples * page.bits / 8,
    )


def _open_avif(body: bytes) -> StoredPicture:
    decoder = _avif.AvifDecoder(isobmff.as_avif(body), "auto", _DECODER_THREADS)
    # The turn is the container's own (irot, imir); what EXIF says of it does not count.
    (width, height), frames, mode, _, exif, orientation, _ = decoder.get_info()

    def unpack(least_side: int | None) -> Image.Image:  # noqa: ARG001
        return Image.frombytes(mode, (width, height), decoder.get_frame(0)[0])

    facts = tags.exif_facts(exif or b"")
    return StoredPicture("AVIF", width, height, orientation, facts, frames - 1, 12, unpack)


def _open_heif(body: bytes) -> StoredPicture:
    pi_heif.options.DECODE_THREADS = _DECODER_THREADS
    for parts in ("THUMBNAILS", "DEPTH_IMAGES", "AUX_IMAGES"):
        setattr(pi_heif.options, parts, False)
    file = pi_heif.HeifFile(io.BytesIO(body), convert_hdr_to_8bit=True, remove_stride=False)
    if not len(file):
        raise unread("HEIC without a picture")
    picture = file[file.primary_index]  # libheif turns it as irot and imir say
    width, height = picture.size

    def unpack(_: int | None) -> Image.Image:
        data = picture.data
        size = picture.size[0], picture.size[1]
        return Image.frombytes(picture.mode, size, data, "raw", picture.mode, picture.stride)

    facts = tags.exif_facts(picture.info.get("exif") or b"")
    return StoredPicture("HEIF", width, height, 1, facts, len(file) - 1, 14, unpack)


def _of_a_mode_read(image: Image.Image) -> Image.Image:
    if image.mode not in _MODES_READ and image.mode not in _SIXTEEN_BIT:
        raise unread(image.mode)
    return image


def _in_rgb(image: Image.Image) -> Image.Image:
    """What a viewer shows: deep grey in 8 bits, and neutral ground where pixels are erased."""
    if image.mode in _SIXTEEN_BIT:
        image = _to_eight_bits(image)
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    rgb = Image.new("RGB", image.size, GROUND)
    for top, band in bands(image):
        if image.mode == "LAB":
            part, mask = _from_lab(band), None
        elif image.has_transparency_data:
            part = band.convert("RGBA")
            part, mask = part.convert("RGB"), part.getchannel("A")
        else:
            part, mask = band.convert("RGB"), None
        rgb.paste(part, (0, top), mask)
    return rgb


def bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Horizontal parts of an image with the row at which each begins; one in memory at a time."""
    rows = max(1, _BAND_PX // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey in either order of bytes, by its whole range; a see-through value stays so."""
    grey = Image.new("L", image.size)
    clear = image.info.get("transparency")
    alpha = Image.new("L", image.size, 255) if isinstance(clear, int) else None
    for top, band in bands(image):
        deep = np.asarray(band)
        grey.paste(
            Image.fromarray((deep.astype(np.float32) / 257 + 0.5).astype(np.uint8)), (0, top)
        )
        if alpha is not None:
            alpha.paste(Image.fromarray(np.where(deep == clear, 0, 255).astype(np.uint8)), (0, top))
    return grey if alpha is None else Image.merge("LA", (grey, alpha))


def _from_lab(band: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    done = ImageCms.profileToProfile(band, lab, srgb, outputMode="RGB")
    assert done is not None
    return done
