"""The report of an import, to keep: every row of its files, and what became of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from demeter.core.tabular.xlsx_writing import SheetContent, workbook
from demeter.core.wording import Texts, read
from demeter.counts.sheets.template import COLUMNS as COUNT_COLUMNS
from demeter.imports.queries import CountSheetLine
from demeter.imports.schemas import ImportRowRead

COLUMNS = ("source", "row", "subject", "code", "name", "verdict", "outcome", "reasons", "values")


def as_xlsx(rows: Sequence[ImportRowRead], language: str) -> bytes:
    """A workbook with a row for each row of the files."""
    texts = read(language)
    heading = [texts(f"import.column.{name}") for name in COLUMNS]
    cells = [_cells(row, texts) for row in rows]
    return workbook([SheetContent(texts("import.report"), heading, cells, frozen_columns=1)])


def as_csv(rows: Sequence[ImportRowRead], language: str) -> bytes:
    """The same as CSV in UTF-8 with its mark, as spreadsheets want it."""
    texts = read(language)
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([texts(f"import.column.{name}") for name in COLUMNS])
    writer.writerows([_harmless(cell) for cell in _cells(row, texts)] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def count_sheet(lines: Sequence[CountSheetLine]) -> bytes:
    """A filled sheet with the columns by which `counts/sheets` reads it; the day is left open."""
    rows: list[list[str | int]] = [
        [line.location_code, "", line.product_code, "", "", line.plants, line.note]
        for line in lines
    ]
    return workbook([SheetContent("trays", COUNT_COLUMNS, rows, frozen_columns=1)])


def _cells(row: ImportRowRead, texts: Texts) -> list[str | int]:
    outcome = row.outcome or ("needs_choice" if row.needs_choice else "")
    return [
        row.source,
        row.row,
        row.subject,
        row.code or "",
        row.name,
        texts(f"import.verdict.{row.verdict}"),
        texts(f"import.outcome.{outcome}") if outcome else "",
        " ".join(texts.word(notice) for notice in row.notices),
        "; ".join(_change(name, value, row.before) for name, value in row.values.items()),
    ]


def _change(name: str, value: Any, before: dict[str, Any]) -> str:
    now = "" if value is None else value
    return f"{name}: {before[name]} → {now}" if name in before else f"{name}: {now}"


def _harmless(cell: str | int) -> str | int:
    """A text that a spreadsheet does not take for a formula."""
    is_formula = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{cell}" if is_formula else cell
