"""A filled count sheet: every wrong cell is named with its row and column, or all is taken."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.errors import InvalidInput
from demeter.core.fields import MOST, YEARS

REQUIRED = ("location_code", "plants")
MOST_ROWS = 20_000


class SheetInvalid(InvalidInput):
    """Cells of a count sheet are wrong; nothing of it is taken."""

    code = "count_sheet_invalid"
    title = "The count sheet has wrong cells"
    next_action = "Correct the cells that are named and send the sheet again."


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong cell: ``row`` as the spreadsheet numbers it, ``column`` by heading and letter."""

    row: int
    column: str
    letter: str
    message: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What the sheet says of one location."""

    location_code: str
    plants: int | None
    bins: tuple[tuple[str, int], ...]
    product_code: str | None
    packaging_sku: str | None
    counted_at: datetime | date | None
    note: str | None


@dataclass(slots=True)
class _Reading:
    columns: list[str]
    faults: list[Fault] = field(default_factory=list)

    def fault(self, row: int, column: str, message: str) -> None:
        index = self.columns.index(column) + 1 if column in self.columns else 0
        letter = get_column_letter(index) if index else "?"
        self.faults.append(Fault(row, column, letter, message))


def read(session: Session, content: bytes) -> list[Counted]:
    """The counts of a filled sheet, XLSX or CSV; rows without plants are not counted.

    Raises:
        SheetInvalid: a cell is wrong; all of them are named, with row and column.
    """
    table = list(_xlsx(content) if content[:2] == b"PK" else _csv(content))
    columns = [_text(cell).lower() for cell in table[0]] if table else []
    reading = _Reading(columns)
    for name in REQUIRED:
        if name not in columns:
            reading.faults.append(Fault(1, name, "?", "this column is missing"))
    rows: list[tuple[int, dict[str, Any]]] = []
    if not reading.faults:
        rows = [
            (number, dict(zip(columns, [*row, *[None] * len(columns)], strict=False)))
            for number, row in enumerate(table[1:], start=2)
        ]
    found = _checked(session, reading, [r for r in rows if _text(r[1].get("plants"))])
    if reading.faults:
        raise _invalid(reading.faults)
    return found


def _invalid(faults: Sequence[Fault]) -> SheetInvalid:
    ordered = sorted(faults, key=lambda f: (f.row, f.letter))
    told = "; ".join(f"row {f.row}, column {f.letter} ({f.column}): {f.message}" for f in ordered)
    return SheetInvalid(
        f"{len(ordered)} cells are wrong: {told}"[:2000],
        faults=[
            {"row": f.row, "column": f.column, "letter": f.letter, "message": f.message}
            for f in ordered[:500]
        ],
    )


def _checked(
    session: Session, reading: _Reading, rows: Sequence[tuple[int, dict[str, Any]]]
) -> list[Counted]:
    codes = sorted({_text(cells["location_code"]) for _, cells in rows})
    places = {row.code: row for row in session.execute(text(_PLACES), {"codes": codes})}
    bins = {row.code: row.location_code for row in session.execute(text(_BINS), {"codes": codes})}
    groups: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, cells in rows:
        code = _text(cells["location_code"])
        if code not in places:
            reading.fault(number, "location_code", f"there is no location {code!r} in use")
            _plants(reading, number, cells)
            continue
        groups.setdefault(code, []).append((number, cells))
    return [_counted(reading, places[code], bins, group) for code, group in groups.items()]


def _counted(
    reading: _Reading,
    place: Any,
    bins: dict[str, str],
    rows: Sequence[tuple[int, dict[str, Any]]],
) -> Counted:
    by_bin: dict[str, int] = {}
    whole: int | None = None
    for number, cells in rows:
        plants = _plants(reading, number, cells)
        bin_code = _text(cells.get("bin_code"))
        _check_named(reading, number, cells, place)
        if bin_code and bins.get(bin_code) != place.code:
            reading.fault(number, "bin_code", f"there is no bin {bin_code!r} at {place.code}")
        elif bin_code in by_bin or (not bin_code and whole is not None):
            reading.fault(number, "location_code", f"{bin_code or place.code} is here twice")
        elif bin_code:
            by_bin[bin_code] = plants
        else:
            whole = plants
    if by_bin and whole is not None:
        reading.fault(rows[0][0], "bin_code", f"{place.code} is counted whole and bin by bin")
    missing = sorted(b for b, at in bins.items() if at == place.code and b not in by_bin)
    if by_bin and missing:
        reading.fault(rows[0][0], "bin_code", f"bins of {place.code} are missing: {missing[:3]}")
    number, first = rows[0]
    return Counted(
        location_code=place.code,
        plants=whole if not by_bin else None,
        bins=tuple(sorted(by_bin.items())),
        product_code=_text(first.get("product_code")) or None,
        packaging_sku=_text(first.get("packaging_sku")) or None,
        counted_at=_when(reading, number, first),
        note=_text(first.get("note"))[:2000] or None,
    )


def _check_named(reading: _Reading, number: int, cells: dict[str, Any], place: Any) -> None:
    """What the row names must be what the location is configured for."""
    for column, configured in (
        ("product_code", place.product_code),
        ("packaging_sku", place.packaging_sku),
    ):
        said = _text(cells.get(column))
        if said and place.product_code is not None and said != configured:
            reading.fault(
                number, column, f"{said!r}; {place.code} is configured for {configured or 'none'}"
            )


def _plants(reading: _Reading, number: int, cells: dict[str, Any]) -> int:
    cell = cells["plants"]
    try:
        plants = float(_text(cell)) if not isinstance(cell, bool) else float("nan")
    except ValueError:
        plants = float("nan")
    if plants != plants or not 0 <= plants <= MOST or plants != int(plants):  # noqa: PLR0124  NaN
        reading.fault(number, "plants", f"{_text(cell)!r} is no whole number of plants")
        return 0
    return int(plants)


def _when(reading: _Reading, number: int, cells: dict[str, Any]) -> datetime | date | None:
    cell = cells.get("counted_at")
    if not _text(cell):
        return None
    found = cell
    if isinstance(cell, datetime) and cell.time() == time():
        found = cell.date()
    elif not isinstance(cell, date):
        found = _parsed(_text(cell))
    if found is None or found.year not in YEARS:
        reading.fault(number, "counted_at", f"{_text(cell)!r} is no date such as 2026-03-31")
        return None
    day = found.date() if isinstance(found, datetime) else found
    if day > datetime.now(UTC).date():
        reading.fault(number, "counted_at", f"{day} is in the future")
        return None
    return found


def _parsed(said: str) -> datetime | date | None:
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y"):
        try:
            return datetime.strptime(said, pattern).date()  # noqa: DTZ007  a day, no moment
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        return None


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def _xlsx(content: bytes) -> Iterator[Sequence[Any]]:
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise SheetInvalid(f"the file is no XLSX: {error}", faults=[]) from error
    for number, row in enumerate(book.worksheets[0].iter_rows(values_only=True)):
        if number > MOST_ROWS:
            raise SheetInvalid(f"the sheet has more than {MOST_ROWS} rows", faults=[])
        yield row


def _csv(content: bytes) -> Iterator[Sequence[Any]]:
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        decoded = content.decode("cp1252", errors="replace")
    first = decoded.partition("\n")[0]
    try:
        rows = list(csv.reader(io.StringIO(decoded), delimiter=max(",;\t", key=first.count)))
    except csv.Error as error:
        raise SheetInvalid(f"the file is no CSV: {error}", faults=[]) from error
    if len(rows) > MOST_ROWS:
        raise SheetInvalid(f"the sheet has more than {MOST_ROWS} rows", faults=[])
    yield from rows


_PLACES = """
SELECT l.code, p.code AS product_code, k.sku AS packaging_sku
FROM storage_locations l
LEFT JOIN storage_location_config c ON c.storage_location_id = l.location_id AND c.active
LEFT JOIN products p ON p.id = c.product_id
LEFT JOIN packaging_catalog k ON k.id = c.packaging_catalog_id
WHERE l.active AND l.code = ANY(:codes)
"""
_BINS = """
SELECT s.code, l.code AS location_code
FROM storage_bins s JOIN storage_locations l ON l.location_id = s.storage_location_id
WHERE s.status = 'active' AND l.code = ANY(:codes)
"""
