"""Rows as they stand in a file, before a heading is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from demeter.core.tabular.cells import EPOCH, Value, is_blank

# A file as people send it; what is larger is refused before it is read.
MOST_BYTES = 20_000_000
MOST_ROW_NUMBER = 1_048_576  # of a spreadsheet
MOST_COLUMN_NUMBER = 16_384

RawRow = tuple[int, Sequence[Value]]  # its number, and its cells from column A on


@dataclass(frozen=True, slots=True)
class Range:
    """Cells from one corner to the other; rows and columns count from 1, ends are inside."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int

    def __str__(self) -> str:
        first = f"{letters(self.first_column)}{self.first_row}"
        return f"{first}:{letters(self.last_column)}{self.last_row}"


@dataclass(frozen=True, slots=True)
class RawSheet:
    """One sheet of a workbook, or a CSV file, which has no name and a delimiter.

    ``rows`` begins anew at each call and gives blank rows, too. Hidden rows that have content
    and hidden columns are as many as are worth naming.
    """

    name: str | None
    rows: Callable[[], Iterator[RawRow]]
    delimiter: str | None = None
    epoch: date = EPOCH
    is_hidden: bool = False
    has_content: bool = True
    hidden_rows: Sequence[tuple[int, int]] = ()
    hidden_columns: Sequence[tuple[int, int]] = ()
    merged: Sequence[Range] = ()


def letters(column: int) -> str:
    """A column's letters; columns count from 1."""
    words = ""
    while column:
        column, rest = divmod(column - 1, 26)
        words = chr(ord("A") + rest) + words
    return words


def is_blank_row(row: RawRow) -> bool:
    """Whether nothing stands in it."""
    values = row[1]
    return values.count("") == len(values) or all(is_blank(value) for value in values)
