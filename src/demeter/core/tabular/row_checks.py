"""The rows below a heading, looked through: what lies beside, beneath, or was swallowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demeter.core.notices import Notice
from demeter.core.tabular.cells import Cell, Unreadable, Value, is_blank
from demeter.core.tabular.errors import too_large
from demeter.core.tabular.raw import Range, RawRow, RawSheet, is_blank_row, letters
from demeter.core.tabular.remarks import Remark, Remarks
from demeter.core.tabular.tables import Heading, TableRow, TableShape

MOST_SPANS_NAMED = 10
MOST_MERGED_IN_ROW = 1_000  # more lie on each other


def checked_rows(
    sheet: RawSheet, heading: Heading, shape: TableShape, remarks: Remarks
) -> Iterator[TableRow]:
    """The rows with content below a heading; what is wrong or odd is noted.

    Raises:
        TableRefused: there are more rows than may be.
    """
    indexes = list(heading.columns.values())
    merged = _MergedRanges(sheet.merged)
    above = count = 0
    for number, values in sheet.rows():
        if is_blank_row((number, values)):
            continue
        if number <= heading.row:
            above += number < heading.row
            continue
        count += 1
        if count > shape.most_rows:
            raise too_large(shape.most_rows, "rows")
        cells = [_value_at(values, index) for index in indexes]
        _cover(merged.reaching(number, values), (number, indexes), cells)
        row = TableRow(heading, number, tuple(cells))
        _look_beyond(sheet, heading, (number, values), remarks)
        _look_for_swallowed_rows(sheet, row, remarks)
        yield row
    if above:
        notice = Notice("rows_above_heading", {"rows": above, "heading": heading.row})
        remarks.add_warning(Remark(notice, sheet.name))
    _warn_of_hidden(sheet, heading, remarks)
    _warn_of_merged(sheet, heading, remarks)


def _value_at(values: Sequence[Value], column: int) -> Value:
    return values[column - 1] if column <= len(values) else None


def _look_beyond(sheet: RawSheet, heading: Heading, row: RawRow, remarks: Remarks) -> None:
    """Cells without a heading: odd in a spreadsheet; in CSV a delimiter too many shifts cells."""
    number, values = row
    beyond = values[heading.width :]
    nameless = [i for i in heading.nameless if not is_blank(_value_at(values, i))]
    filled = len(nameless) + len(beyond) - beyond.count("") - beyond.count(None)
    places = (*nameless, *range(heading.width + 1, len(values) + 1))
    first = next((i for i in places if filled and not is_blank(values[i - 1])), None)
    if first is None:
        return
    cell = Cell(values[first - 1], sheet.name, number, "", letters(first), heading.epoch)
    if sheet.delimiter is None or filled == len(nameless):
        notice = Notice("cells_not_read", {"cells": filled, "value": cell.excerpt})
        remarks.add_warning(cell.remark(notice))
    else:
        notice = Notice(
            "too_many_cells",
            {"cells": filled, "value": cell.excerpt, "delimiter": sheet.delimiter},
        )
        remarks.add_fault(cell.remark(notice))


def _look_for_swallowed_rows(sheet: RawSheet, row: TableRow, remarks: Remarks) -> None:
    """A quoted cell with lines in it that look like rows: a quote is missing somewhere."""
    if sheet.delimiter is None:
        return
    delimiters = max(row.heading.width - 1, 1)
    for name, value in zip(row.heading.columns, row.values, strict=True):
        if isinstance(value, str) and any(
            line.count(sheet.delimiter) >= delimiters for line in value.splitlines()[1:]
        ):
            remarks.add_fault(row.cell(name).remark(Notice("swallowed_row")))


class _MergedRanges:
    """The merged ranges that reach a row; rows are asked for from the first to the last."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._later = sorted(ranges, key=lambda r: -r.first_row)
        self._here: list[Range] = []
        self._filled: set[Range] = set()

    def reaching(self, row: int, values: Sequence[Value]) -> list[tuple[Range, bool]]:
        """The ranges with cells in this row, and whether their first cell has a value.

        Raises:
            TableRefused: more of them than a sheet has columns, so they lie on each other.
        """
        while self._later and self._later[-1].first_row <= row:
            self._here.append(self._later.pop())
        if not self._here:
            return []
        self._here = [r for r in self._here if r.last_row >= row]
        if len(self._here) > MOST_MERGED_IN_ROW:
            raise too_large(MOST_MERGED_IN_ROW, "merged_cells", row=row)
        first = {r for r in self._here if r.first_row == row and r.first_column <= len(values)}
        self._filled &= set(self._here)
        self._filled |= {r for r in first if not is_blank(values[r.first_column - 1])}
        return [(r, r in self._filled) for r in self._here]


def _cover(
    merged: Sequence[tuple[Range, bool]], place: tuple[int, Sequence[int]], cells: list[Value]
) -> None:
    """Mark cells that a merged one covers: its value is not theirs, and theirs nobody sees."""
    row, columns = place
    for covering, has_value in merged:
        for position, column in enumerate(columns):
            is_inside = covering.first_column <= column <= covering.last_column
            is_first = (row, column) == (covering.first_row, covering.first_column)
            if is_inside and not is_first and (has_value or not is_blank(cells[position])):
                first = f"{letters(covering.first_column)}{covering.first_row}"
                notice = Notice("covered_cell", {"range": str(covering), "first": first})
                cells[position] = Unreadable(notice)


def _warn_of_merged(sheet: RawSheet, heading: Heading, remarks: Remarks) -> None:
    for cells in sheet.merged:
        is_read = any(
            cells.first_column <= column <= cells.last_column for column in heading.columns.values()
        )
        if cells.last_row > heading.row and is_read:
            place = (sheet.name, cells.first_row, None, letters(cells.first_column))
            remarks.add_warning(Remark(Notice("merged_cells", {"range": str(cells)}), *place))


def _warn_of_hidden(sheet: RawSheet, heading: Heading, remarks: Remarks) -> None:
    rows = [span for span in sheet.hidden_rows if span[1] > heading.row]
    if rows:
        named = ", ".join(_span_text(*span) for span in rows[:MOST_SPANS_NAMED])
        more = ", …" if len(rows) > MOST_SPANS_NAMED else ""
        notice = Notice("hidden_rows", {"rows": named + more})
        remarks.add_warning(Remark(notice, sheet.name, rows[0][0]))
    for name, index in heading.columns.items():
        if any(first <= index <= last for first, last in sheet.hidden_columns):
            place = (sheet.name, None, name, letters(index))
            remarks.add_warning(Remark(Notice("hidden_column"), *place))


def _span_text(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"
