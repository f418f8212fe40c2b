"""Reading a sales file, CSV or XLSX; every wrong cell is named, and then none is taken."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from demeter.periods.errors import SalesFileInvalid
from demeter.periods.sales_lines import SalesLine

REQUIRED = ("product_sku", "packaging_sku", "quantity_sold")
OPTIONAL = ("sale_date", "invoice_number", "customer_name", "notes")
MOST_ROWS = 100_000
MOST_FAULTS = 200
MOST_PLANTS = 10_000_000
DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y")


def read(content: bytes) -> list[SalesLine]:
    """The lines of a sales file.

    Raises:
        SalesFileInvalid: it is no CSV or XLSX, lacks a column, or has wrong cells; each is
            named with its row and column.
    """
    table = list(_xlsx(content) if content[:2] == b"PK" else _csv(content))
    if not table:
        raise SalesFileInvalid("the file is empty", faults=[])
    columns = _columns(table[0])
    faults: list[dict[str, Any]] = []
    lines = [
        _line(number, dict(zip(columns, _padded(row, len(columns)), strict=True)), faults)
        for number, row in enumerate(table[1:], start=2)
        if any(_text(cell) for cell in row)
    ]
    if faults:
        told = "; ".join(f"row {f['row']}, {f['column']}: {f['message']}" for f in faults[:5])
        raise SalesFileInvalid(
            f"{len(faults)} cells are wrong: {told}", faults=faults[:MOST_FAULTS]
        )
    return [line for line in lines if line is not None]


def _csv(content: bytes) -> Iterator[Sequence[Any]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        yield from _limited(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise SalesFileInvalid(f"the file is no CSV: {error}", faults=[]) from error


def _xlsx(content: bytes) -> Iterator[Sequence[Any]]:
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise SalesFileInvalid(f"the file is no XLSX: {error}", faults=[]) from error
    sheet = book.worksheets[0]
    yield from _limited(sheet.iter_rows(values_only=True))


def _limited(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    for number, row in enumerate(rows):
        if number > MOST_ROWS:
            raise SalesFileInvalid(f"the file has more than {MOST_ROWS} rows", faults=[])
        yield row


def _columns(heading: Sequence[Any]) -> list[str]:
    names = [_text(cell).lower() for cell in heading]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise SalesFileInvalid(
            f"the columns {', '.join(missing)} are missing; the heading is {names}",
            faults=[{"row": 1, "column": n, "message": "missing"} for n in missing],
        )
    return names


def _line(number: int, cells: dict[str, Any], faults: list[dict[str, Any]]) -> SalesLine | None:
    before = len(faults)

    def fault(column: str, message: str) -> None:
        faults.append({"row": number, "column": column, "message": message})

    product = _text(cells["product_sku"])
    if not product:
        fault("product_sku", "is empty")
    quantity = _whole(cells["quantity_sold"])
    if quantity is None or not 0 <= quantity <= MOST_PLANTS:
        fault("quantity_sold", f"{_text(cells['quantity_sold'])!r} is no number of plants")
    sold_on = cells.get("sale_date")
    day = _date(sold_on)
    if _text(sold_on) and day is None:
        fault("sale_date", f"{_text(sold_on)!r} is no date such as 2026-03-31")
    if len(faults) > before:
        return None
    return SalesLine(
        row=number,
        product_sku=product,
        packaging_sku=_text(cells["packaging_sku"]) or None,
        quantity_sold=quantity or 0,
        sale_date=day,
        invoice_number=_text(cells.get("invoice_number")) or None,
        customer_name=_text(cells.get("customer_name")) or None,
        notes=_text(cells.get("notes")) or None,
    )


def _padded(row: Sequence[Any], width: int) -> list[Any]:
    return [*row[:width], *[None] * (width - len(row))]


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def _whole(cell: Any) -> int | None:
    """A whole number, also as 12.0 or "12"; booleans are none."""
    if isinstance(cell, bool):
        return None
    try:
        number = float(_text(cell))
    except ValueError:
        return None
    return int(number) if abs(number) < 1e15 and number == int(number) else None  # noqa: PLR2004


def _date(cell: Any) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    for pattern in DATES:
        try:
            return datetime.strptime(_text(cell), pattern).date()  # noqa: DTZ007  a day, no moment
        except ValueError:
            continue
    return None
