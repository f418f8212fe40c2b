"""The one writer of workbooks: headings, numbers as numbers, sums that say what they leave out."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_range

from demeter.core.formats import UNKNOWN

MOST_NAME = 31  # characters of a sheet's name
MOST_TEXT = 32_767  # of a cell; a spreadsheet drops what is longer

CellValue = str | int | float | None


@dataclass(frozen=True, slots=True)
class Sums:
    """A row of sums below the table, of whole rows: one with an unknown figure is left out.

    So the sums of one row belong together: opening and closing of the same lines.
    """

    label: str
    columns: tuple[int, ...]  # from 0 on
    left_out: Callable[[int], str]  # says so of that many rows, below the sums


@dataclass(frozen=True, slots=True)
class SheetContent:
    """One sheet: a bold heading that stays in sight, and rows; ``None`` is written as a dash.

    Columns in ``to_fill`` are empty and open, all others are protected against slips; those in
    ``whole_numbers`` take nothing else.
    """

    name: str
    heading: Sequence[str]
    rows: Sequence[Sequence[CellValue]]
    frozen_columns: int = 0
    widths: Mapping[int, int] = field(default_factory=dict)  # characters; none: as long as needed
    to_fill: tuple[int, ...] = ()
    whole_numbers: tuple[int, ...] = ()
    sums: Sums | None = None


def workbook(sheets: Sequence[SheetContent]) -> bytes:
    """A workbook with these sheets; texts stay texts, whatever they begin with."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        unlocked = book.add_format({"locked": False, "bg_color": "#FFFBE6", "border": 1})
        names: set[str] = set()
        for sheet in sheets:
            page = book.add_worksheet(_sheet_name(sheet.name, names))
            page.freeze_panes(1, sheet.frozen_columns)
            for column, words in enumerate(sheet.heading):
                _write(page, 0, column, words, bold)
            for row, cells in enumerate(sheet.rows, start=1):
                for column, value in enumerate(cells):
                    _write(page, row, column, UNKNOWN if value is None else value)
            if sheet.sums is not None:
                _write_sums(page, sheet.rows, sheet.sums, bold)
            _open_columns(page, sheet, unlocked)
            if not sheet.widths:
                page.autofit()
            for column, width in sheet.widths.items():
                page.set_column(column, column, width)
    return content.getvalue()


def known_rows(rows: Sequence[Sequence[CellValue]], columns: Sequence[int]) -> list[int]:
    """Positions of the rows in which each of these columns is known."""
    return [n for n, row in enumerate(rows) if all(row[c] is not None for c in columns)]


def column_sums(
    rows: Sequence[Sequence[CellValue]], columns: Sequence[int]
) -> list[int | float | None]:
    """Each column's sum over the known rows; not known where there are rows and none is."""
    known = known_rows(rows, columns)
    if rows and not known:
        return [None for _ in columns]
    return [sum(rows[n][c] for n in known) for c in columns]  # type: ignore[misc]  they are known


def _write(page: Any, row: int, column: int, value: CellValue, style: Any = None) -> None:
    if isinstance(value, str):
        shortened = value if len(value) <= MOST_TEXT else value[: MOST_TEXT - 1] + "…"
        page.write_string(row, column, shortened, style)
    else:
        page.write_number(row, column, value, style)


def _write_sums(page: Any, rows: Sequence[Sequence[CellValue]], sums: Sums, bold: Any) -> None:
    last = len(rows)
    known = known_rows(rows, sums.columns)
    _write(page, last + 1, 0, sums.label, bold)
    unknown = [c for c in sums.columns if any(row[c] is None for row in rows)]
    known_marks = "*".join(f"ISNUMBER({xl_range(1, c, last, c)})" for c in unknown)
    for column, total in zip(sums.columns, column_sums(rows, sums.columns), strict=True):
        if total is None:
            _write(page, last + 1, column, UNKNOWN, bold)
            continue
        cells = xl_range(1, column, last, column)
        formula = f"=SUMPRODUCT({known_marks},{cells})" if unknown else f"=SUM({cells})"
        page.write_formula(last + 1, column, formula if last else "=0", bold, total)
    if len(known) < last:
        _write(page, last + 2, 0, sums.left_out(last - len(known)))


def _open_columns(page: Any, sheet: SheetContent, unlocked: Any) -> None:
    if not sheet.to_fill:
        return
    last = max(len(sheet.rows), 1)
    for column in sheet.to_fill:
        for row in range(1, len(sheet.rows) + 1):
            page.write_blank(row, column, None, unlocked)
    for column in sheet.whole_numbers:
        rule = {"validate": "integer", "criteria": ">=", "value": 0}
        page.data_validation(1, column, last, column, rule)
    page.protect("", {"format_columns": True, "sort": True, "autofilter": True})


def _sheet_name(name: str, taken: set[str]) -> str:
    """A name that a spreadsheet takes: short, without its marks, of its own, not reserved."""
    plain = re.sub(r"[\[\]:*?/\\']", "-", name)[:MOST_NAME] or "-"
    candidate, number = plain, 1
    while candidate.lower() in taken or candidate.lower() == "history":
        number += 1
        candidate = f"{plain[: MOST_NAME - 4]} {number}"
    taken.add(candidate.lower())
    return candidate
