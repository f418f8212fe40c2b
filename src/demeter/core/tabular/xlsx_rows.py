"""A workbook as rows: looked through first (`xlsx_scan`), then read by calamine."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import count

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from demeter.core.notices import Notice
from demeter.core.tabular.cells import Value
from demeter.core.tabular.errors import TableRefused
from demeter.core.tabular.raw import RawRow, RawSheet
from demeter.core.tabular.xlsx_cells import SheetScan
from demeter.core.tabular.xlsx_scan import WorkbookScan, scan


def open_xlsx(content: bytes, most_cells: int) -> list[RawSheet]:
    """The sheets of a workbook of no more than so many cells, in its order.

    Raises:
        TableRefused: it is no XLSX, is damaged or too large, or a cell of it cannot be read.
    """
    workbook = scan(content, most_cells)
    load = _loader(workbook)
    return [
        RawSheet(
            name=sheet.name,
            rows=partial(_rows, load, sheet),
            epoch=workbook.epoch,
            is_hidden=sheet.is_hidden,
            hidden_rows=sheet.hidden_rows,
            hidden_columns=sheet.hidden_columns,
            merged=sheet.merged,
            has_content=sheet.last_row > 0,
        )
        for sheet in workbook.sheets
    ]


def _loader(workbook: WorkbookScan) -> Callable[[str], CalamineSheet]:
    """What gives a sheet by its name; the last one stays loaded."""

    @lru_cache(maxsize=1)
    def load(name: str) -> CalamineSheet:
        with (
            _damage_named(name),
            CalamineWorkbook.from_filelike(io.BytesIO(workbook.copy)) as book,
        ):
            return book.get_sheet_by_name(name)

    return load


@contextmanager
def _damage_named(sheet: str) -> Iterator[None]:
    """Whatever the reader stumbles over is a fault of the file.

    Raises:
        TableRefused: it stumbled.
    """
    try:
        yield
    except BaseException as error:
        # A panic of the reader, which is Rust, is no Exception and its class cannot be imported.
        is_panic = type(error).__name__ == "PanicException"
        if not is_panic and not isinstance(error, CalamineError | ValueError | OverflowError):
            raise
        notice = Notice("broken_file", {"why": str(error)})
        raise TableRefused.because(notice, sheet=sheet) from error


def _rows(load: Callable[[str], CalamineSheet], sheet: SheetScan) -> Iterator[RawRow]:
    """Rows from column A on, blank ones too; cells without a value are marked.

    Raises:
        TableRefused: fewer cells came out than stand in the sheet.
    """
    if not sheet.last_row:
        return
    unreadable_by_row: dict[int, list[int]] = {}
    for row, column in sheet.unreadable:
        unreadable_by_row.setdefault(row, []).append(column)
    filled = 0
    for number, values in _numbered(load(sheet.name), sheet.last_row):
        filled += len(values) - values.count("") - values.count(None)
        for column in unreadable_by_row.get(number, ()):
            values.extend([None] * (column - len(values)))
            values[column - 1] = sheet.unreadable[number, column]
        yield number, values
    if filled < sheet.filled:
        notice = Notice("cells_lost", {"cells": sheet.filled - filled})
        raise TableRefused.because(notice, sheet=sheet.name)


def _numbered(loaded: CalamineSheet, last_row: int) -> Iterator[tuple[int, list[Value]]]:
    """Each row up to the last with its number; the reader's begin at their first filled column."""
    left: list[Value] = [None] * (loaded.start[1] if loaded.start else 0)
    rows = loaded.iter_rows()
    for number in count(1):
        with _damage_named(loaded.name):
            values = next(rows, None)
        if values is None and number > last_row:
            return
        yield number, [*left, *(values or ())]
