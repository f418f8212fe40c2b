"""The pages of a TIFF: which one is the photo, which are others, and whether it is a raw file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from demeter.core.pixels import tags
from demeter.core.pixels.faults import damaged, raw, unread

# What a page's pixels depend on. Everything else is left out before a decoder sees the file.
_STRUCTURE = frozenset(
    {256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325}
    | {338, 339, 347, *range(512, 522), 529, 530, 532}
)
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 259, 262, 277
_SUBFILE, _OLD_SUBFILE, _SUB_DIRECTORIES, _DNG = 254, 255, 330, 50706
_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2
_SENSOR = (32803, 34892)  # pixels as a sensor gives them: colour filter array, linear raw
_RAW_COMPRESSIONS = frozenset({262, 32767, 32769, 32770, 34713, 34892, 65000, 65535})
_MOST_PAGES = 1000
_PREVIEW_SHARE = 0.5  # of the side of a later page: a first page so small is its preview
_MAKERS = {
    b"IIRO": "ORF",
    b"IIRS": "ORF",
    b"MMOR": "ORF",
    b"IIU\0": "RW2",
    b"FUJIFILMCCD-RAW": "RAF",
    b"FOVb": "X3F",
    b"\0MRM": "MRW",
}


@dataclass(frozen=True, slots=True)
class TiffPage:
    """A directory with a picture of its own."""

    directory: dict[int, tags.Entry]
    width: int
    height: int
    is_reduced: bool


@dataclass(frozen=True, slots=True)
class TiffPhoto:
    """The photo of a TIFF; ``picture`` is a file with its page alone."""

    width: int
    height: int
    bits: int
    samples: int
    is_deep_negative: bool
    orientation: int
    pages_left_out: int
    facts: dict[str, dict[str, Any]]
    picture: bytes


def raw_kind(body: bytes) -> str | None:
    """The kind of a camera's raw file that is known by its first bytes."""
    for magic, kind in _MAKERS.items():
        if body.startswith(magic):
            return kind
    if body[:4] in (b"II*\0", b"MM\0*"):
        if body[8:10] == b"CR":
            return "CR2"
        if body[8:12] in (b"IIII", b"MMMM"):
            return "IIQ"
    return None


def read_pages(body: bytes) -> TiffPhoto:
    """The page that is the photo.

    Raises:
        Fault: a raw file; a file without a page of full size; a broken one.
    """
    header = tags.read_header(body)
    if header is None:
        raise damaged("its heading breaks off")
    order, first = header
    directories = list(_chain(body, order, first))
    _refuse_raw(body, order, directories)
    pages = [page for page in (_page(order, d) for d in directories) if page]
    if not pages:
        raise damaged("it has no page")
    full = [page for page in pages if not page.is_reduced]
    if not full:
        raise unread("a reduced picture only")
    photo = _photo(full)
    others = [p for p in full if p is not photo and not _is_preview(p, photo)]
    facts = tags.directory_facts(body, order, {**pages[0].directory, **photo.directory})
    return TiffPhoto(
        width=photo.width,
        height=photo.height,
        bits=_number(order, photo.directory, _BITS, 1),
        samples=_number(order, photo.directory, _SAMPLES, 1),
        is_deep_negative=_is_deep_negative(order, photo.directory),
        orientation=tags.orientation_of(photo.directory, order),
        pages_left_out=len(others),
        facts=facts,
        picture=_alone(body, order, photo.directory),
    )


def _chain(body: bytes, order: tags.Order, offset: int) -> Iterator[dict[int, tags.Entry]]:
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < _MOST_PAGES:
        seen.add(offset)
        directory, offset = tags.read_directory(body, order, offset)
        if directory:
            yield directory


def _refuse_raw(body: bytes, order: tags.Order, directories: list[dict[int, tags.Entry]]) -> None:
    for directory in directories:
        for part in (directory, *_sub_directories(body, order, directory)):
            if _DNG in part:
                raise raw("DNG")
            if (
                _number(order, part, _PHOTOMETRIC, 0) in _SENSOR
                or _number(order, part, _COMPRESSION, 0) in _RAW_COMPRESSIONS
            ):
                raise raw("TIFF")


def _sub_directories(
    body: bytes, order: tags.Order, directory: dict[int, tags.Entry]
) -> list[dict[int, tags.Entry]]:
    entry = directory.get(_SUB_DIRECTORIES)
    offsets = entry.values(order) if entry else []
    return [
        tags.read_directory(body, order, offset)[0]
        for offset in offsets
        if isinstance(offset, int) and offset
    ]


def _page(order: tags.Order, directory: dict[int, tags.Entry]) -> TiffPage | None:
    width = _number(order, directory, _WIDTH, 0)
    height = _number(order, directory, _HEIGHT, 0)
    subfile = _number(order, directory, _SUBFILE, 0)
    if width <= 0 or height <= 0 or subfile & _MASK:
        return None
    is_reduced = bool(subfile & _REDUCED)
    is_reduced |= _number(order, directory, _OLD_SUBFILE, 0) == _OLD_REDUCED
    return TiffPage(directory, width, height, is_reduced)


def _photo(full: list[TiffPage]) -> TiffPage:
    """The first page, unless it is so much smaller than another that it is its preview."""
    largest = max(full, key=lambda page: page.width * page.height)
    return largest if _is_preview(full[0], largest) else full[0]


def _is_preview(page: TiffPage, photo: TiffPage) -> bool:
    return (
        page.width <= photo.width * _PREVIEW_SHARE and page.height <= photo.height * _PREVIEW_SHARE
    )


def _number(order: tags.Order, directory: dict[int, tags.Entry], tag: int, otherwise: int) -> int:
    entry = directory.get(tag)
    value = entry.number(order) if entry else None
    return otherwise if value is None else value


def _is_deep_negative(order: tags.Order, directory: dict[int, tags.Entry]) -> bool:
    """Grey of more than 8 bits in which 0 is white."""
    return (
        _number(order, directory, _PHOTOMETRIC, 1) == 0 and _number(order, directory, _BITS, 1) > 8  # noqa: PLR2004
    )


def _alone(body: bytes, order: tags.Order, directory: dict[int, tags.Entry]) -> bytes:
    """The file with one directory, at its end, that holds what its pixels depend on."""
    records = [entry.record for tag, entry in sorted(directory.items()) if tag in _STRUCTURE]
    if _is_deep_negative(order, directory):  # which Pillow knows in one order of bytes only
        wide = 8 if order.is_big else 4
        positive = struct.pack(f"{order.end}HH", _PHOTOMETRIC, 3)
        positive += struct.pack(order.offset_code, 1)
        positive += struct.pack(f"{order.end}H", 1).ljust(wide, b"\0")
        place = records.index(directory[_PHOTOMETRIC].record)
        records[place] = positive
    offset = len(body) + len(body) % 2
    head = struct.pack(
        f"{order.end}2sHHHQ" if order.is_big else f"{order.end}2sHI",
        *(body[:2], 43, 8, 0, offset) if order.is_big else (body[:2], 42, offset),
    )
    return b"".join(
        [
            head,
            body[len(head) :],
            b"\0" * (len(body) % 2),
            struct.pack(order.count_code, len(records)),
            *records,
            struct.pack(order.offset_code, 0),
        ]
    )
