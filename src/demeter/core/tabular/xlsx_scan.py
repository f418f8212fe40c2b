"""One pass over a workbook's XML before it is read: limits, and all that would go unseen.

The reader (calamine) gives nothing for a formula without a value and for an error value, keeps
the last of two cells at one place, and ends the process where memory for a sheet's rectangle is
refused. So each sheet is looked through first, and what was looked through is copied: the reader
opens the copy, in which no part is larger than it was here.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from array import array
from dataclasses import dataclass
from datetime import date
from xml.parsers import expat

from demeter.core.notices import Notice
from demeter.core.tabular.errors import TableRefused, too_large
from demeter.core.tabular.xlsx_cells import MOST_TEXT, CellsPart, SheetScan
from demeter.core.tabular.xlsx_parts import Part, RelationsPart, SharedTextsPart, WorkbookPart

MOST_PARTS = 1_000
MOST_UNPACKED = 64_000_000  # bytes, of all parts
MOST_PART = 8_000_000  # bytes of a part that is neither a sheet nor its texts
MOST_CELLS = 500_000  # that stand in the XML, with a value or without
CHUNK = 65_536

WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
SHARED_TEXTS = "xl/sharedStrings.xml"
COPIED = ("[Content_Types].xml", "_rels/.rels", "xl/styles.xml")
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,  # a method of packing that is not known
    RuntimeError,  # packed with a password
    ValueError,
    KeyError,
)


@dataclass(frozen=True, slots=True)
class WorkbookScan:
    """A workbook that can be opened: its sheets in their order, and a copy of what was seen."""

    sheets: tuple[SheetScan, ...]
    epoch: date
    copy: bytes


def scan(content: bytes, most_cells: int = MOST_CELLS) -> WorkbookScan:
    """Look through a workbook that has no more than so many cells.

    Raises:
        TableRefused: it is no XLSX, is damaged, or is larger unpacked than can be read.
    """
    # Each entry of the list of parts costs memory when the list is read, so they are counted first.
    if content.count(b"PK\x01\x02") > MOST_PARTS:
        raise too_large(MOST_PARTS, "parts")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return _Scanner(package, min(most_cells, MOST_CELLS)).scan()
    except _DAMAGE as error:
        raise TableRefused.because(Notice("broken_file", {"why": str(error)})) from error


class _Scanner:
    """Reads each part once, in the order in which one explains the other."""

    def __init__(self, package: zipfile.ZipFile, most_cells: int) -> None:
        self._package = package
        self._cells_left, self._text_left = most_cells, MOST_TEXT
        self._names = _names_by_canonical(package)
        self._copied: set[str] = set()
        self._unpacked = 0
        self._out = io.BytesIO()

    def scan(self) -> WorkbookScan:
        if WORKBOOK.lower() not in self._names or RELATIONS.lower() not in self._names:
            raise TableRefused.because(Notice("no_table"))
        self._copy = zipfile.ZipFile(self._out, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        with self._copy:
            workbook, relations, texts = WorkbookPart(), RelationsPart(), SharedTextsPart()
            self._read(WORKBOOK, workbook)
            self._read(RELATIONS, relations)
            if SHARED_TEXTS.lower() in self._names:
                self._read(SHARED_TEXTS, texts, MOST_UNPACKED)
            sheets = [
                self._sheet(SheetScan(name, is_hidden), relations.targets[relation], texts.lengths)
                for name, relation, is_hidden in workbook.sheets
                if relations.is_worksheet(relation)
            ]
            for name in COPIED:
                if name.lower() in self._names:
                    self._read(name, Part())
        return WorkbookScan(tuple(sheets), workbook.epoch, self._out.getvalue())

    def _sheet(self, sheet: SheetScan, name: str, lengths: array[int]) -> SheetScan:
        cells = CellsPart(sheet, lengths, self._cells_left, self._text_left)
        self._read(name, cells, MOST_UNPACKED)
        self._cells_left -= sheet.cells
        self._text_left = cells.text_left
        return sheet

    def _read(self, name: str, part: Part, most: int = MOST_PART) -> None:
        """Parse a part and copy it; a part that was copied is not copied again.

        Raises:
            TableRefused: unpacked it is larger than may be.
        """
        is_new = name not in self._copied
        self._copied.add(name)
        parser = part.parser()
        size = 0
        with self._package.open(self._names[name.lower()]) as packed:
            target = self._copy.open(name, "w") if is_new else io.BytesIO()
            with target:
                while chunk := packed.read(CHUNK):
                    size += len(chunk)
                    self._unpacked += len(chunk)
                    if size > most or self._unpacked > MOST_UNPACKED:
                        raise too_large(min(most, MOST_UNPACKED), "unpacked_bytes")
                    parser.Parse(chunk, False)  # noqa: FBT003  expat's is positional
                    target.write(chunk)
        parser.Parse(b"", True)  # noqa: FBT003


def _names_by_canonical(package: zipfile.ZipFile) -> dict[str, str]:
    """Each part's name by the same in small letters with slashes, as not all programs write it.

    Raises:
        TableRefused: two parts have one name.
    """
    names: dict[str, str] = {}
    for name in package.namelist():
        canonical = name.replace("\\", "/").lower()
        if canonical in names:
            raise TableRefused.because(Notice("two_parts", {"name": name[:60]}))
        names[canonical] = name
    return names
