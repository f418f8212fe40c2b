"""Imports of tables: one list, its heading looked for, its columns by their letters."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeVar

from demeter.core.imports.columns import SourceColumns, SourceMapping, guess_columns
from demeter.core.imports.kinds import Files
from demeter.core.notices import Notice
from demeter.core.tabular.cells import Cell, is_blank
from demeter.core.tabular.errors import CellRefused, TableRefused
from demeter.core.tabular.grids import Sketch, read_grid, sketch
from demeter.core.tabular.raw import letters
from demeter.core.tabular.tables import Table, TableFile, TableRow, TableShape

EXAMPLES = 3
MOST_ROWS = 20_000
MOST_TITLE = 60
Read = TypeVar("Read")


class ListRefused(TableRefused):
    """A list cannot be read; nothing of it is taken."""

    code = "list_refused"
    title = "This list cannot be read"


@dataclass(frozen=True, slots=True)
class ListShape:
    """The fields of a kind of list, with the titles that people give them, likeliest first."""

    titles: Mapping[str, Sequence[str]]
    required: tuple[str, ...]
    table: TableShape = field(default_factory=lambda: TableShape((), (), MOST_ROWS, ListRefused))

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields."""
        return tuple(self.titles)

    def sources(self, files: Files) -> list[SourceColumns]:
        """The one table, with the heading that has most of the fields' titles.

        Raises:
            ListRefused: it is no table.
        """
        file = files[0]
        first = sketch(_table_file(file.name, file.content), self.table)
        heading_row, titles = self._heading(first)
        below = [cells for number, cells in first.rows if number > heading_row]
        columns = {
            letters(i): (titles[i - 1] if i <= len(titles) else "")[:MOST_TITLE]
            for i in range(1, first.width + 1)
        }
        examples = {
            letters(i): tuple(row[i - 1] for row in below if i <= len(row) and row[i - 1])[
                :EXAMPLES
            ]
            for i in range(1, first.width + 1)
        }
        name = PurePosixPath(file.name).stem[:200] or "table"
        return [SourceColumns(name, columns, examples, len(below), heading_row)]

    def guess(self, sources: Sequence[SourceColumns]) -> list[SourceMapping]:
        """The columns by their titles."""
        return [
            SourceMapping(s.name, None, s.heading_row, guess_columns(s.columns, self.titles))
            for s in sources
        ]

    def read(self, files: Files, mappings: Sequence[SourceMapping]) -> Table:
        """The rows by their columns.

        Raises:
            ListRefused: it is no table.
        """
        file, mapping = files[0], mappings[0]
        table_file = _table_file(file.name, file.content)
        return read_grid(table_file, self.table, mapping.heading_row or 0, mapping.columns)

    def rows_above(self, files: Files, mappings: Sequence[SourceMapping]) -> list[str]:
        """What stands above the heading, where lists say what they are and since when."""
        file = files[0]
        first = sketch(_table_file(file.name, file.content), self.table)
        above = [c for n, c in first.rows if n < (mappings[0].heading_row or 0)]
        return [cell for cells in above for cell in cells if cell]

    def _heading(self, first: Sketch) -> tuple[int, tuple[str, ...]]:
        best: tuple[int, int, tuple[str, ...]] = (0, 0, ())
        for number, cells in first.rows:
            titles = {letters(i): cell for i, cell in enumerate(cells, start=1)}
            matches = len(guess_columns(titles, self.titles))
            if matches > best[0]:
                best = (matches, number, cells)
        is_heading = best[0] >= min(2, len(self.required))
        return (best[1], best[2]) if is_heading else (0, ())


@dataclass(slots=True)
class RowReader:
    """Reads the cells of one row; what cannot be read becomes a reason, and ``None``."""

    row: TableRow
    faults: list[Notice] = field(default_factory=list)

    def take(self, name: str, read: Callable[[Cell], Read]) -> Read | None:
        """A cell that has to be there."""
        cell = self.row.cell(name)
        try:
            cell.require_filled()
            return read(cell)
        except CellRefused as error:
            column = error.remark.letter or name
            self.faults.append(Notice("cell_wrong", {"column": column, "why": error.remark.notice}))
            return None

    def maybe(self, name: str, read: Callable[[Cell], Read]) -> Read | None:
        """A cell that may be blank."""
        return None if is_blank(self.row.cell(name).value) else self.take(name, read)


def warnings_of(table: Table) -> tuple[Notice, ...]:
    """What is odd about a table, each with its place."""
    return tuple(
        Notice("at_place", {"place": _place(r.row, r.letter), "what": r.notice})
        for r in (*table.remarks.warnings, *table.remarks.faults)
    )


def _place(row: int | None, letter: str | None) -> str:
    return f"{letter or ''}{row or ''}" or "—"


def _table_file(name: str, content: bytes) -> TableFile:
    return TableFile(name, io.BytesIO(content))
