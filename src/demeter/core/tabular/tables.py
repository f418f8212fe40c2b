"""A table as it is read: the file, the shape that is asked for, its heading and rows."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, TypeVar

from demeter.core.tabular.cells import Cell, Value
from demeter.core.tabular.errors import CellRefused, TableRefused
from demeter.core.tabular.raw import MOST_BYTES, letters
from demeter.core.tabular.remarks import Remarks

BLOCK_BYTES = 1 << 20
MOST_TITLE = 100  # characters; what is longer is no column's title

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file as it was sent; ``sheet`` where the person chose one of its sheets.

    Its bytes are in memory only while the table is read.
    """

    name: str
    stream: BinaryIO
    sheet: str | None = None

    def sha256(self) -> str:
        """The hash of all its bytes."""
        self.stream.seek(0)
        digest = hashlib.sha256()
        while block := self.stream.read(BLOCK_BYTES):
            digest.update(block)
        return digest.hexdigest()

    def content(self) -> bytes:
        """Its bytes, a byte further than a table may be long."""
        self.stream.seek(0)
        return self.stream.read(MOST_BYTES + 1)


@dataclass(frozen=True, slots=True)
class TableShape:
    """The columns that a kind of file has, how many rows it may have, and its own error.

    ``titles`` has what else people write above a column, as `plain_title` has it, and its name.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    most_rows: int
    error: type[TableRefused]
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that are read."""
        return self.required + self.optional

    def columns_of(self, titles: Sequence[str]) -> list[str]:
        """The column that each title of a row stands for, or the title itself.

        A column's own name stands before what else people call it.
        """
        plain_titles = [plain_title(title) for title in titles]
        named = set(plain_titles) & set(self.names)
        columns = []
        for title, plain in zip(titles, plain_titles, strict=True):
            called = self.titles.get(plain)
            other = called if called and called not in named else title.strip().lower()
            columns.append(plain if plain in self.names else other)
        return columns


def plain_title(words: str) -> str:
    """A title in small letters without accents; what is no letter or digit as `_`."""
    if len(words) > MOST_TITLE:
        return ""
    letters_apart = unicodedata.normalize("NFKD", words.casefold())
    kept = (c if c.isalnum() else " " for c in letters_apart if not unicodedata.combining(c))
    return "_".join("".join(kept).split())


def titles_in(
    texts: Iterable[Callable[[str], str]], names: Iterable[str], key: str
) -> dict[str, str]:
    """Names of columns by the titles that they have in some languages, under a key of the texts."""
    names = tuple(names)
    return {plain_title(words(f"{key}.{name}")): name for words in texts for name in names}


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a table begins: the sheet, the heading's row, and the column of each name."""

    sheet: str | None
    row: int
    columns: Mapping[str, int]  # by name, from 1 on
    width: int  # up to the last cell of the heading
    nameless: frozenset[int]  # columns up to there that have no name
    epoch: date


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table; ``values`` of the columns of its heading, in their order."""

    heading: Heading
    number: int
    values: tuple[Value, ...]

    def cell(self, name: str) -> Cell:
        """The cell of a column; a blank one where the heading does not have it."""
        heading, value, letter = self.heading, None, "?"
        for (column, index), candidate in zip(heading.columns.items(), self.values, strict=True):
            if column == name:
                value, letter = candidate, letters(index)
        return Cell(value, heading.sheet, self.number, name, letter, heading.epoch)


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, and the remarks on it so far, to which whoever reads it adds."""

    shape: TableShape
    heading: Heading
    rows: tuple[TableRow, ...]
    remarks: Remarks
    file_name: str

    def take(self, cell: Cell, read: Callable[[Cell], Read]) -> Read | None:
        """A cell read as what it is to be, or ``None`` and a fault more."""
        try:
            return read(cell)
        except CellRefused as error:
            self.remarks.add_fault(error.remark)
            return None

    def require_faultless(self) -> None:
        """Refuse the file if anything is wrong with it.

        Raises:
            TableRefused: the shape's own; it names each fault.
        """
        if self.remarks.fault_count:
            raise self.shape.error.of(self.remarks, file=self.file_name)
