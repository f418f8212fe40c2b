"""A register as a file: CSV and XLSX, headed by the names of its fields."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel

from demeter.core.http.files import MEDIA_TYPES, attachment
from demeter.core.tabular.xlsx_writing import CellValue, SheetContent, workbook

FILE_KINDS = ("csv", "xlsx")
# What a route that answers a file, where `Accept` asks for one, adds to the OpenAPI document.
AS_TABLE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a page; as CSV or XLSX, where `Accept` asks for one, every row",
        "content": {MEDIA_TYPES[kind]: {} for kind in FILE_KINDS},
    }
}
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def file_kind(request: Request) -> str | None:
    """The kind of file that a request asks for before JSON."""
    accept = request.headers.get("accept", "")
    named = [part.partition(";")[0].strip() for part in accept.split(",")]
    kinds = [kind for kind in FILE_KINDS if MEDIA_TYPES[kind] in named]
    return kinds[0] if kinds and "application/json" not in named else None


def file_of_rows(
    name: str, schema: type[BaseModel], rows: Iterable[BaseModel], kind: str
) -> Response:
    """Rows as a file to keep, headed by the fields of their schema; ``kind`` is csv or xlsx."""
    fields = list(schema.model_fields)
    content = as_csv(fields, rows) if kind == "csv" else as_xlsx(name, fields, rows)
    return attachment(content, name, kind)


def as_csv(fields: Sequence[str], rows: Iterable[BaseModel]) -> bytes:
    """Comma-separated UTF-8 with a mark, as spreadsheets read it; unknown is an empty cell.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    return csv_of(fields, ([getattr(row, name) for name in fields] for row in rows))


def csv_of(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The same of rows of values."""
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\r\n")
    writer.writerow(heading)
    for row in rows:
        writer.writerow([_harmless(_cell(value)) for value in row])
    return content.getvalue().encode("utf-8-sig")


def as_xlsx(name: str, fields: Sequence[str], rows: Iterable[BaseModel]) -> bytes:
    """A workbook of one sheet; unknown is an empty cell."""
    return xlsx_of(name, fields, ([getattr(row, field) for field in fields] for row in rows))


def xlsx_of(name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The same of rows of values."""
    cells = [[_blank(_cell(value)) for value in row] for row in rows]
    return workbook([SheetContent(name, heading, cells, frozen_columns=1)])


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
