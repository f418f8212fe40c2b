"""Tables whose columns a person names: their first rows to look at, and rows by those columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from demeter.core.notices import Notice
from demeter.core.tabular.cells import display_text, is_blank
from demeter.core.tabular.errors import TableRefused
from demeter.core.tabular.headings import HEADING_WITHIN_ROWS
from demeter.core.tabular.raw import RawSheet, is_blank_row, letters
from demeter.core.tabular.reading import open_sheets
from demeter.core.tabular.remarks import Remark, Remarks
from demeter.core.tabular.row_checks import checked_rows
from demeter.core.tabular.tables import Heading, Table, TableFile, TableShape

SKETCH_ROWS = 40  # with content


@dataclass(frozen=True, slots=True)
class Sketch:
    """The first rows of a file with content, each with its number, as people see them."""

    sheet: str | None
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    @property
    def width(self) -> int:
        """How many columns these rows have."""
        return max((len(cells) for _, cells in self.rows), default=0)


def sketch(file: TableFile, shape: TableShape) -> Sketch:
    """The first rows of a CSV file, or of the first sheet of a workbook that has any.

    Raises:
        TableRefused: the shape's own; it is no table.
    """
    sheet = _sheet(file, shape, Remarks())
    first = islice(sheet.rows(), HEADING_WITHIN_ROWS)
    filled = islice((row for row in first if not is_blank_row(row)), SKETCH_ROWS)
    rows = tuple((n, tuple(display_text(v).strip() for v in cells)) for n, cells in filled)
    return Sketch(sheet.name, rows)


def read_grid(
    file: TableFile, shape: TableShape, heading_row: int, columns: Mapping[str, str]
) -> Table:
    """The rows below ``heading_row`` (0: all of them); ``columns`` has the letters of each name.

    Columns with content that are not named are warned of.

    Raises:
        TableRefused: the shape's own; it is no table, or a column has no letters.
    """
    remarks = Remarks()
    sheet = _sheet(file, shape, remarks)
    numbers = {name: column_number(letter) for name, letter in columns.items()}
    if not all(numbers.values()):
        refused = Notice("no_such_column", {"columns": ", ".join(sorted(set(columns.values())))})
        raise shape.error.because(refused)
    heading = _heading(sheet, heading_row, numbers, remarks)
    try:
        rows = tuple(checked_rows(sheet, heading, shape, remarks))
    except TableRefused as error:
        raise shape.error(error.message, **error.context, file=file.name) from error
    return Table(shape, heading, rows, remarks, file.name)


def column_number(word: str) -> int:
    """The number of a column by its letters, from 1 on; 0 for what are none."""
    number = 0
    for letter in word.strip().upper():
        if not "A" <= letter <= "Z" or number > 26**3:
            return 0
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _heading(sheet: RawSheet, row: int, columns: dict[str, int], remarks: Remarks) -> Heading:
    """As wide as any row, so that each cell has a column; what is not read is named."""
    titles: dict[int, str] = {}
    filled: set[int] = set()
    for number, values in sheet.rows():
        present = {i for i, value in enumerate(values, start=1) if not is_blank(value)}
        if number == row:
            titles = {i: display_text(values[i - 1]).strip() for i in present}
        if number > row:
            filled |= present
    for index in sorted(filled - set(columns.values())):
        title = titles.get(index, "")[:60] or letters(index)
        place = (sheet.name, row or None, title, letters(index))
        remarks.add_warning(Remark(Notice("column_not_read", {"name": title}), *place))
    width = max(filled | set(columns.values()), default=1)
    return Heading(sheet.name, row, columns, width, frozenset(), sheet.epoch)


def _sheet(file: TableFile, shape: TableShape, remarks: Remarks) -> RawSheet:
    """The sheet to read: of a workbook the first that has content, of CSV the widest reading.

    Raises:
        TableRefused: the shape's own.
    """
    try:
        sheets = open_sheets(file, shape, remarks)
        readings = []
        for position, sheet in enumerate(sheets):
            width = _width(sheet)
            if width:
                readings.append((width if sheet.delimiter else -position, sheet))
    except TableRefused as error:
        raise shape.error(error.message, **error.context, file=file.name) from error
    if not readings:
        empty = Notice("empty_table", {"rows": HEADING_WITHIN_ROWS})
        raise shape.error.because(empty)
    chosen = max(readings, key=lambda reading: reading[0])[1]
    for other in sheets:
        if other.name != chosen.name and other.has_content:
            notice = Notice("sheet_not_read", {"sheet": other.name, "read": chosen.name})
            remarks.add_warning(Remark(notice, other.name))
    return chosen


def _width(sheet: RawSheet) -> int:
    """The columns of its first rows; 0 where it is empty or, by this delimiter, broken."""
    try:
        first = islice(sheet.rows(), SKETCH_ROWS)
        return max((len(cells) for n, cells in first if not is_blank_row((n, cells))), default=0)
    except TableRefused:
        if sheet.delimiter is None:
            raise
        return 0
