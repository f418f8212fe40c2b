"""Tags as TIFF and EXIF keep them, read one by one: a damaged one is left out, none is an error.

Pillow's reader is not used: it raises on some damage, and it rewrites what it has read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL.ExifTags import GPSTAGS, TAGS

ORIENTATION = 0x0112
EXIF_POINTER = 0x8769
GPS_POINTER = 0x8825

# Bytes and struct code of each type of value; of fractions the code of one half.
_TYPES = {
    1: (1, "B"),
    2: (1, "s"),
    3: (2, "H"),
    4: (4, "I"),
    5: (8, "I"),
    6: (1, "b"),
    7: (1, "s"),
    8: (2, "h"),
    9: (4, "i"),
    10: (8, "i"),
    11: (4, "f"),
    12: (8, "d"),
    13: (4, "I"),
    16: (8, "Q"),
    17: (8, "q"),
    18: (8, "Q"),
}
_ASCII = 2
_OPAQUE = 7
_FRACTIONS = (5, 10)
_MOST_ENTRIES = 1000
_MOST_VALUES = 64
_LONGEST_TEXT = 500
_BIG_TIFF = 43


@dataclass(frozen=True, slots=True)
class Order:
    """How a block's numbers are laid out: ``<`` or ``>``, and whether offsets have 8 bytes."""

    end: str
    is_big: bool

    @property
    def entry_bytes(self) -> int:
        """Of one entry of a directory."""
        return 20 if self.is_big else 12

    @property
    def offset_code(self) -> str:
        """The struct code of an offset."""
        return self.end + ("Q" if self.is_big else "I")

    @property
    def count_code(self) -> str:
        """The struct code of the number of entries of a directory."""
        return self.end + ("Q" if self.is_big else "H")


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: its entry as it stands, and the bytes of its value."""

    tag: int
    kind: int
    record: bytes
    value: bytes

    def values(self, order: Order) -> list[Any]:
        """Numbers (``None`` for a fraction over zero), or one text."""
        size, code = _TYPES[self.kind]
        if code == "s":
            return [_text(self.value)]
        if self.kind not in _FRACTIONS:
            count = min(len(self.value) // size, _MOST_VALUES)
            return list(struct.unpack(f"{order.end}{count}{code}", self.value[: count * size]))
        count = min(len(self.value) // size, _MOST_VALUES)
        halves = struct.unpack(f"{order.end}{2 * count}{code}", self.value[: count * size])
        return [
            top / bottom if bottom else None
            for top, bottom in zip(halves[::2], halves[1::2], strict=True)
        ]

    def number(self, order: Order) -> int | None:
        """The first value where it is a whole number."""
        values = self.values(order)
        return values[0] if values and isinstance(values[0], int) else None


Directory = Mapping[int, Entry]


def read_header(block: bytes) -> tuple[Order, int] | None:
    """The layout of a TIFF block and the offset of its first directory; ``None`` is no block."""
    end = {b"II": "<", b"MM": ">"}.get(block[:2])
    if end is None or len(block) < 8:  # noqa: PLR2004
        return None
    if struct.unpack_from(f"{end}H", block, 2)[0] != _BIG_TIFF:  # also where 42 is damaged
        return Order(end, is_big=False), struct.unpack_from(f"{end}I", block, 4)[0]
    if len(block) < 16:  # noqa: PLR2004
        return None
    return Order(end, is_big=True), struct.unpack_from(f"{end}Q", block, 8)[0]


def read_directory(block: bytes, order: Order, offset: int) -> tuple[dict[int, Entry], int]:
    """The entries at an offset by tag, and the offset of the next directory (0: none).

    Entries that point out of the block or have no known type are left out.
    """
    head = struct.calcsize(order.count_code)
    if not 0 < offset <= len(block) - head:
        return {}, 0
    count = struct.unpack_from(order.count_code, block, offset)[0]
    start = offset + head
    entries: dict[int, Entry] = {}
    for place in range(min(count, _MOST_ENTRIES)):
        record = block[start + place * order.entry_bytes :][: order.entry_bytes]
        entry = _entry(block, order, record)
        if entry is not None:
            entries.setdefault(entry.tag, entry)
    at_next = start + count * order.entry_bytes
    size = struct.calcsize(order.offset_code)
    if at_next + size > len(block):
        return entries, 0
    return entries, struct.unpack_from(order.offset_code, block, at_next)[0]


def _entry(block: bytes, order: Order, record: bytes) -> Entry | None:
    if len(record) < order.entry_bytes:
        return None
    tag, kind = struct.unpack_from(f"{order.end}HH", record)
    if kind not in _TYPES:
        return None
    wide = 8 if order.is_big else 4
    count = struct.unpack_from(order.offset_code, record, 4)[0]
    size = count * _TYPES[kind][0]
    place = record[4 + wide :]
    if size <= wide:
        return Entry(tag, kind, record, place[:size])
    offset = struct.unpack(order.offset_code, place)[0]
    if offset + size > len(block):
        return None
    return Entry(tag, kind, record, block[offset : offset + min(size, 8 * 4096)])


def orientation_of(directory: Directory, order: Order) -> int:
    """1 to 8; 1 where there is none, or none that is one."""
    entry = directory.get(ORIENTATION)
    value = entry.number(order) if entry else None
    return value if value is not None and 1 <= value <= 8 else 1  # noqa: PLR2004


def exif_orientation(block: bytes) -> int:
    """What an EXIF block says of how the photo is turned: 1 to 8, and 1 where it says nothing."""
    header = read_header(_bare(block))
    if header is None:
        return 1
    order, offset = header
    return orientation_of(read_directory(_bare(block), order, offset)[0], order)


def exif_facts(block: bytes) -> dict[str, dict[str, Any]]:
    """``{"tags": {name: text or numbers}, "gps": {name: text or numbers}}`` of an EXIF block."""
    block = _bare(block)
    header = read_header(block)
    if header is None:
        return {"tags": {}, "gps": {}}
    order, offset = header
    return directory_facts(block, order, read_directory(block, order, offset)[0])


def directory_facts(block: bytes, order: Order, directory: Directory) -> dict[str, dict[str, Any]]:
    """As `exif_facts`, of a directory that was read already."""
    exif = _linked(block, order, directory, EXIF_POINTER)
    gps = _linked(block, order, directory, GPS_POINTER)
    return {"tags": _named({**directory, **exif}, order, TAGS), "gps": _named(gps, order, GPSTAGS)}


def _linked(block: bytes, order: Order, directory: Directory, pointer: int) -> Directory:
    entry = directory.get(pointer)
    offset = entry.number(order) if entry else None
    return read_directory(block, order, offset)[0] if offset else {}


def _named(directory: Directory, order: Order, names: Mapping[int, str]) -> dict[str, Any]:
    facts = {}
    for tag, entry in sorted(directory.items()):
        if tag not in names or entry.kind == _OPAQUE or tag in (EXIF_POINTER, GPS_POINTER):
            continue
        values = entry.values(order)
        if values:
            facts[names[tag]] = _plain(values, entry.kind)
    return facts


def _plain(values: Sequence[Any], kind: int) -> Any:
    if kind == _ASCII:
        return values[0]
    finite = [None if isinstance(v, float) and not abs(v) < float("inf") else v for v in values]
    return finite[0] if len(finite) == 1 else finite


def _text(value: bytes) -> str:
    """Without the NULs that cameras pad with and PostgreSQL refuses."""
    raw = value[: 4 * _LONGEST_TEXT].replace(b"\0", b"")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.strip()[:_LONGEST_TEXT]


def _bare(block: bytes) -> bytes:
    return block[6:] if block[:6] in (b"Exif\0\0", b"Exif\0\xff") else block
