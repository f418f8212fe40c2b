"""A sheet's cells one by one: what its values alone do not say, and whether it can be read."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from demeter.core.notices import Notice
from demeter.core.tabular.cells import Unreadable
from demeter.core.tabular.errors import TableRefused, too_large
from demeter.core.tabular.raw import MOST_ROW_NUMBER, Range, letters
from demeter.core.tabular.xlsx_parts import Part, local_name

MOST_CELL_TEXT = 100_000  # characters; spreadsheets keep 32,767
MOST_RECTANGLE = 2_000_000  # cells from the first to the last row and column with a value
MOST_TEXT = 40_000_000  # characters of a workbook, a shared text as often as it is used
MOST_SPANS = 100  # of hidden rows or columns that are worth naming
MOST_MERGED = 100_000
MOST_UNREADABLE = 10_000
_LETTERS = re.compile(r"[A-Z]{1,3}")
_TRUE = ("1", "true")


@dataclass(slots=True)
class SheetScan:
    """What one sheet holds that its values alone do not say; rows and columns count from 1."""

    name: str
    is_hidden: bool
    filled: int = 0  # cells with a value that can be read
    cells: int = 0
    first_row: int = 0
    last_row: int = 0
    first_column: int = 0
    last_column: int = 0
    unreadable: dict[tuple[int, int], Unreadable] = field(default_factory=dict)
    hidden_rows: list[tuple[int, int]] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[Range] = field(default_factory=list)

    def include(self, row: int, column: int) -> None:
        """Take a cell with content into the rectangle.

        Raises:
            TableRefused: the rectangle is larger than can be read.
        """
        is_inside = self.first_row <= row <= self.last_row
        if is_inside and self.first_column <= column <= self.last_column:
            return
        if not self.last_row:
            self.first_row, self.first_column = row, column
        self.first_row, self.last_row = min(self.first_row, row), max(self.last_row, row)
        self.first_column = min(self.first_column, column)
        self.last_column = max(self.last_column, column)
        height = self.last_row - self.first_row + 1
        width = self.last_column - self.first_column + 1
        if height * width > MOST_RECTANGLE:
            notice = Notice("cells_far_apart", {"rows": height, "columns": width})
            raise TableRefused.because(notice, sheet=self.name)


class CellsPart(Part):
    """A sheet; its cells are placed as calamine places them.

    Elements of cells come by the million, so they are looked for first.
    """

    def __init__(self, sheet: SheetScan, lengths: array[int], cells: int, text_left: int) -> None:
        self.text_left = text_left
        self._sheet, self._lengths, self._most_cells = sheet, lengths, cells
        self._row = self._column = 0
        self._is_row_hidden = self._is_value = self._is_phonetic = False
        self._has_formula = self._has_value = False
        self._kind = "n"
        self._cell_text = 0
        self._words: list[str] = []
        self._cell, self._value, self._row_name = "c", "v", "row"  # as the sheet names them

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        """Look for rows, cells, values, and what hides or merges them.

        Raises:
            TableRefused: there is more than can be read, or a cell is damaged.
        """
        if element == self._cell:
            self._begin_cell(attributes)
        elif element == self._value:
            if self._has_value:
                raise self._damage(Notice("broken_file", {"why": "<v> <v>"}))
            self._is_value = self._has_value = True
        elif self._is_value:
            raise self._damage(Notice("broken_file", {"why": f"<{element[:20]}>"}))
        elif element == self._row_name:
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0
            self._is_row_hidden = attributes.get("hidden") in _TRUE
        else:
            self._start_other(local_name(element), element, attributes)

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        self._sheet.cells += 1
        if self._sheet.cells > self._most_cells:
            raise too_large(self._most_cells, "cells")
        place = attributes.get("r")
        if place is None:
            self._column += 1
        else:
            self._row, self._column = position(place)
        self._kind = attributes.get("t", "n")
        self._has_formula = self._has_value = False
        self._words.clear()
        self._cell_text = 0

    def _start_other(self, local: str, element: str, attributes: Mapping[str, str]) -> None:
        match local:
            case "f":
                self._has_formula = True
            case "t":
                self._is_value = not self._is_phonetic
                self._has_value = True
            case "rPh":
                self._is_phonetic = True
            case "col":
                if attributes.get("hidden") in _TRUE:
                    span = int(attributes["min"]), int(attributes["max"])
                    _add_span(self._sheet.hidden_columns, span)
            case "mergeCell":
                self._merge(attributes["ref"])
            case "worksheet":
                prefix = element[: -len(local)]
                self._cell, self._value, self._row_name = (prefix + n for n in ("c", "v", "row"))

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        if len(self._sheet.merged) == MOST_MERGED:
            raise too_large(MOST_MERGED, "merged_cells", sheet=self._sheet.name)
        self._sheet.merged.append(Range(*position(first), *position(last or first)))

    def end(self, element: str) -> None:
        """Look for the end of cells and values."""
        if element == self._value:
            self._is_value = False
        elif element == self._cell:
            self._end_cell()
        elif self._is_value or self._is_phonetic:
            local = local_name(element)
            self._is_value = self._is_value and local != "t"
            self._is_phonetic = self._is_phonetic and local != "rPh"

    def characters(self, words: str) -> None:
        """Read a value.

        Raises:
            TableRefused: there is more text than can be read.
        """
        if self._is_value:
            self._words.append(words)
            self._cell_text += len(words)
            if self._cell_text > MOST_CELL_TEXT:
                raise self._damage(Notice("text_too_long", {"most": MOST_CELL_TEXT}))
            self._spend(len(words))

    def comment(self, words: str) -> None:  # noqa: ARG002
        """Refuse a value that is cut in two.

        Raises:
            TableRefused: it is.
        """
        if self._is_value:
            raise self._damage(Notice("broken_file", {"why": "<!-- -->"}))

    def _spend(self, characters: int) -> None:
        self.text_left -= characters
        if self.text_left < 0:
            raise too_large(MOST_TEXT, "characters")

    def _end_cell(self) -> None:
        words = "".join(self._words).strip()
        if self._has_formula and not words and not (self._kind == "str" and self._has_value):
            self._add_unreadable(Notice("formula_without_value"))
        elif words and self._kind == "e":
            self._add_unreadable(Notice("error_value", {"error": words[:20]}))
        elif words and self._is_filled(words):
            self._sheet.filled += 1
            self._note_content()

    def _is_filled(self, words: str) -> bool:
        """Whether the cell has a value; a shared text is spent at each use.

        Raises:
            TableRefused: what is to be a number is none, or there is no such text.
        """
        if self._kind == "n":
            try:
                float(words)
            except ValueError as error:
                raise self._damage(Notice("broken_number", {"value": words[:20]})) from error
        if self._kind != "s":
            return True
        index = int(words) if words.isascii() and words.isdecimal() else -1
        if not 0 <= index < len(self._lengths):
            raise self._damage(Notice("text_not_there", {"value": words[:20]}))
        self._spend(self._lengths[index])
        return self._lengths[index] > 0

    def _add_unreadable(self, notice: Notice) -> None:
        if len(self._sheet.unreadable) == MOST_UNREADABLE:
            raise too_large(MOST_UNREADABLE, "unreadable_cells", sheet=self._sheet.name)
        self._sheet.unreadable[self._row, self._column] = Unreadable(notice)
        self._note_content()

    def _note_content(self) -> None:
        self._sheet.include(self._row, self._column)
        if self._is_row_hidden:
            _add_span(self._sheet.hidden_rows, (self._row, self._row))

    def _damage(self, notice: Notice) -> TableRefused:
        place = {"sheet": self._sheet.name, "row": self._row, "letter": letters(self._column)}
        return TableRefused.because(notice, **place)


def position(place: str) -> tuple[int, int]:
    """Row and column of a reference such as C7.

    Raises:
        ValueError: it is none that a spreadsheet has.
    """
    word = place.rstrip("0123456789")
    digits = place[len(word) :]
    if not digits or not 1 <= int(digits) <= MOST_ROW_NUMBER:
        raise ValueError(f"{place[:20]!r} is no cell")
    return int(digits), _column(word)


@lru_cache(maxsize=1024)
def _column(word: str) -> int:
    if not _LETTERS.fullmatch(word):
        raise ValueError(f"{word[:20]!r} is no column")
    number = 0
    for letter in word:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _add_span(spans: list[tuple[int, int]], span: tuple[int, int]) -> None:
    """Add a span to those that are named, or lengthen the last one that it follows."""
    if spans and spans[-1][0] <= span[0] <= spans[-1][1] + 1:
        spans[-1] = (spans[-1][0], max(spans[-1][1], span[1]))
    elif len(spans) < MOST_SPANS:
        spans.append(span)
