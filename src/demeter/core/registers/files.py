"""A register as a file: CSV and XLSX, headed by the names of its fields."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from demeter.core.tabular.xlsx_writing import CellValue, SheetContent, workbook

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def as_csv(fields: Sequence[str], rows: Iterable[BaseModel]) -> bytes:
    """Comma-separated UTF-8 with a mark, as spreadsheets read it; unknown is an empty cell.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\r\n")
    writer.writerow(fields)
    for row in rows:
        writer.writerow([_harmless(_cell(getattr(row, name))) for name in fields])
    return content.getvalue().encode("utf-8-sig")


def as_xlsx(name: str, fields: Sequence[str], rows: Iterable[BaseModel]) -> bytes:
    """A workbook of one sheet; unknown is an empty cell."""
    cells = [[_blank(_cell(getattr(row, name))) for name in fields] for row in rows]
    return workbook([SheetContent(name, fields, cells, frozen_columns=1)])


def _cell(value: Any) -> CellValue:  # noqa: PLR0911  a line a kind of value
    """A value for a cell: numbers as numbers, moments in ISO 8601."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case int() | float():
            return value
        case datetime() | date():
            return value.isoformat()
        case BaseModel() | dict() | list():
            return json.dumps(value.model_dump() if isinstance(value, BaseModel) else value)
        case _:
            return str(value)


def _blank(value: CellValue) -> CellValue:
    return "" if value is None else value


def _harmless(value: CellValue) -> CellValue:
    if isinstance(value, str) and value.startswith(FORMULA_SIGNS):
        return f"'{value}"
    return value
