"""Where a table begins: the sheet that has the columns asked for, and its heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from demeter.core.notices import Notice
from demeter.core.tabular.cells import display_text
from demeter.core.tabular.errors import TableRefused
from demeter.core.tabular.raw import RawSheet, is_blank_row, letters
from demeter.core.tabular.remarks import Remark, Remarks
from demeter.core.tabular.tables import Heading, TableShape

HEADING_WITHIN = 20  # rows with content …
HEADING_WITHIN_ROWS = 1_000  # … of these
MOST_NAME = 60  # characters of a column's name that are repeated


@dataclass(frozen=True, slots=True)
class HeadingCandidate:
    """The row of a sheet that is most like a heading."""

    sheet: RawSheet
    row: int
    names: tuple[str, ...]

    def known_count(self, shape: TableShape) -> int:
        """How many of the shape's columns it has."""
        return len(set(self.names) & set(shape.names))

    def missing_columns(self, shape: TableShape) -> list[str]:
        """The required columns that it lacks."""
        return [name for name in shape.required if name not in self.names]


def choose_sheet(
    sheets: Sequence[RawSheet], asked: str | None, shape: TableShape, remarks: Remarks
) -> tuple[RawSheet, Heading]:
    """The sheet to read and its heading; sheets and columns that are not read are named.

    Raises:
        TableRefused: no sheet has the columns, several have them, or none is so named.
    """
    candidates = _candidates(_sheets_named(sheets, asked), shape)
    fitting = [c for c in candidates if not c.missing_columns(shape)]
    if fitting and fitting[0].sheet.delimiter is not None:
        # One file by several delimiters: the one that finds most of the heading.
        fitting = [max(fitting, key=lambda c: (c.known_count(shape), len(c.names)))]
    visible = [c for c in fitting if not c.sheet.is_hidden] or fitting
    if len(visible) > 1:
        names = _quoted([c.sheet for c in visible])
        raise TableRefused.because(Notice("several_sheets_fit", {"sheets": names}))
    if not visible:
        raise _refusal_without_heading(candidates, shape)
    chosen = visible[0]
    heading = _heading(chosen, shape, remarks)
    _warn_of_others(sheets, chosen.sheet, remarks)
    return chosen.sheet, heading


def _sheets_named(sheets: Sequence[RawSheet], asked: str | None) -> list[RawSheet]:
    if asked is None:
        return list(sheets)
    named = [s for s in sheets if s.name is not None and s.name.casefold() == asked.casefold()]
    if not named:
        notice = Notice("no_such_sheet", {"name": asked, "sheets": _quoted(sheets)})
        raise TableRefused.because(notice)
    return named


def _quoted(sheets: Sequence[RawSheet]) -> str:
    return ", ".join(repr(sheet.name) for sheet in sheets if sheet.name is not None) or "—"


def _candidates(sheets: Sequence[RawSheet], shape: TableShape) -> list[HeadingCandidate]:
    """One row a sheet; quotes may be broken by one delimiter and not by another.

    Raises:
        TableRefused: a workbook, or a CSV file by every delimiter, cannot be read.
    """
    candidates, errors = [], []
    for sheet in sheets:
        try:
            candidate = _candidate(sheet, shape)
        except TableRefused as error:
            if sheet.delimiter is None:
                raise
            errors.append(error)
        else:
            candidates += [] if candidate is None else [candidate]
    if errors and not candidates:
        raise errors[0]
    return candidates


def _candidate(sheet: RawSheet, shape: TableShape) -> HeadingCandidate | None:
    """The first row that fits, else the one with most of the columns; none of an empty sheet."""
    best: HeadingCandidate | None = None
    first = islice(sheet.rows(), HEADING_WITHIN_ROWS)
    filled = (row for row in first if not is_blank_row(row))
    for number, values in islice(filled, HEADING_WITHIN):
        names = tuple(shape.columns_of([display_text(value) for value in values]))
        candidate = HeadingCandidate(sheet, number, names)
        if best is None or candidate.known_count(shape) > best.known_count(shape):
            best = candidate
        if not candidate.missing_columns(shape):
            return candidate
    return best


def _refusal_without_heading(
    candidates: Sequence[HeadingCandidate], shape: TableShape
) -> TableRefused:
    if not candidates:
        return TableRefused.because(Notice("empty_table", {"rows": HEADING_WITHIN_ROWS}))
    best = max(candidates, key=lambda c: (c.known_count(shape), len(c.names)))
    remarks = Remarks()
    for name in best.missing_columns(shape):
        notice = Notice("column_missing", {"name": name})
        remarks.add_fault(Remark(notice, best.sheet.name, best.row, name, "?"))
    return TableRefused.of(remarks)


def _heading(candidate: HeadingCandidate, shape: TableShape, remarks: Remarks) -> Heading:
    """The columns of a row that fits; of one name there is one column, others are not read."""
    sheet, columns = candidate.sheet, {}
    for index, name in enumerate(candidate.names, start=1):
        shown, letter = name[:MOST_NAME], letters(index)
        place = (sheet.name, candidate.row, shown, letter)
        if name in columns:
            first = letters(columns[name])
            notice = Notice("column_twice", {"name": name, "first": first, "second": letter})
            remarks.add_fault(Remark(notice, *place))
        elif name in shape.names:
            columns[name] = index
        elif name:
            remarks.add_warning(Remark(Notice("column_not_read", {"name": shown}), *place))
    titled = [index for index, name in enumerate(candidate.names, start=1) if name]
    nameless = frozenset(range(1, titled[-1])) - frozenset(titled)
    return Heading(sheet.name, candidate.row, columns, titled[-1], nameless, sheet.epoch)


def _warn_of_others(sheets: Sequence[RawSheet], chosen: RawSheet, remarks: Remarks) -> None:
    for sheet in sheets:
        if sheet.name != chosen.name and sheet.has_content:
            notice = Notice("sheet_not_read", {"sheet": sheet.name, "read": chosen.name})
            remarks.add_warning(Remark(notice, sheet.name))
    if chosen.is_hidden:
        remarks.add_warning(Remark(Notice("hidden_sheet"), chosen.name))
