"""The counted rows of a sheet, by location, against what the database knows of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from demeter.catalog.models import Packaging, Product
from demeter.core.moments import HappenedInFuture, moment_of
from demeter.core.notices import Notice
from demeter.core.site import site_zone
from demeter.core.tabular.cells import MOST_TEXT, Cell, text
from demeter.core.tabular.dates import date_or_time
from demeter.core.tabular.numbers import whole_number
from demeter.core.tabular.tables import Table, TableRow

MOST_BINS_NAMED = 3


@dataclass(frozen=True, slots=True)
class LocationCount:
    """What the sheet says of one location, and in which rows."""

    location_code: str
    plants: int | None
    bins: tuple[tuple[str, int], ...]
    product_code: str | None
    packaging_sku: str | None
    counted_at: datetime | date | None
    note: str | None
    rows: frozenset[int]


class LocationRows:
    """Makes one count of the rows of each location; faults go to the table's remarks."""

    def __init__(self, session: Session, table: Table) -> None:
        self._session, self._table = session, table
        self._zone = site_zone()
        self._places: Mapping[str, Any] = {}
        self._bins: Mapping[str, str] = {}
        self._products = set(session.scalars(select(Product.code)))
        self._packagings = set(session.scalars(select(Packaging.sku)))

    def counts(self, rows: Sequence[TableRow]) -> list[LocationCount]:
        """One count a location, in the order in which the sheet names them."""
        by_code: dict[str, list[TableRow]] = {}
        for row in rows:
            code = self._text(row.cell("location_code"))
            if code is None:
                self._look_at_nameless(row)
            else:
                by_code.setdefault(code, []).append(row)
        self._look_up(by_code)
        return [self._count(code, rows) for code, rows in by_code.items()]

    def _look_at_nameless(self, row: TableRow) -> None:
        """A counted row without a location; a cell that cannot be read has its fault already."""
        if row.cell("location_code").is_blank:
            self._add_fault(row, "location_code", Notice("location_missing"))
        self._plants(row)

    def _look_up(self, codes: Iterable[str]) -> None:
        asked = {"codes": sorted(codes)}
        self._places = {row.code: row for row in self._session.execute(sql(_PLACES), asked)}
        self._bins = {
            row.code: row.location_code for row in self._session.execute(sql(_BINS), asked)
        }

    def _count(self, code: str, rows: Sequence[TableRow]) -> LocationCount:
        by_bin: dict[str, int] = {}
        whole: int | None = None
        place = self._places.get(code)
        if place is None:
            notice = Notice("no_such_location", {"location": code})
            self._add_fault(rows[0], "location_code", notice)
        for row in rows:
            plants = self._plants(row) or 0
            bin_code = self._text(row.cell("bin_code"))
            if place is not None:
                self._require_config(row, place)
            if bin_code and place is not None and self._bins.get(bin_code) != code:
                notice = Notice("no_such_bin", {"bin": bin_code, "location": code})
                self._add_fault(row, "bin_code", notice)
            elif bin_code in by_bin or (not bin_code and whole is not None):
                notice = Notice("counted_twice", {"counted": bin_code or code})
                self._add_fault(row, "location_code", notice)
            elif bin_code:
                by_bin[bin_code] = plants
            else:
                whole = plants
        self._require_all_or_none(code, rows[0], by_bin, whole)
        return LocationCount(
            location_code=code,
            plants=whole if not by_bin else None,
            bins=tuple(sorted(by_bin.items())),
            product_code=self._text(self._only_cell(rows, "product_code")),
            packaging_sku=self._text(self._only_cell(rows, "packaging_sku")),
            counted_at=self._counted_at(self._only_cell(rows, "counted_at")),
            note=self._note(rows),
            rows=frozenset(row.number for row in rows),
        )

    def _require_config(self, row: TableRow, place: Any) -> None:
        """What the row names must be there, and be what the location is configured for."""
        for column, configured, known in (
            ("product_code", place.product_code, self._products),
            ("packaging_sku", place.packaging_sku, self._packagings),
        ):
            named = self._text(row.cell(column))
            if named and place.product_code is not None and named != configured:
                notice = Notice(
                    "other_config",
                    {"named": named, "location": place.code, "configured": configured or "—"},
                )
                self._add_fault(row, column, notice)
            elif named and named not in known:
                self._add_fault(row, column, Notice("not_in_catalog", {"named": named}))

    def _require_all_or_none(
        self, code: str, first: TableRow, by_bin: Mapping[str, int], whole: int | None
    ) -> None:
        """A location is counted whole, or bin by bin and then each of its bins."""
        if not by_bin:
            return
        if whole is not None:
            self._add_fault(first, "bin_code", Notice("whole_and_by_bin", {"location": code}))
        missing = sorted(b for b, at in self._bins.items() if at == code and b not in by_bin)
        if missing:
            bins = ", ".join(missing[:MOST_BINS_NAMED])
            more = ", …" if len(missing) > MOST_BINS_NAMED else ""
            notice = Notice("bins_missing", {"location": code, "bins": bins + more})
            self._add_fault(first, "bin_code", notice)

    def _only_cell(self, rows: Sequence[TableRow], column: str) -> Cell:
        """The cell that speaks for all rows of a location; one that differs is a fault."""
        cells = [cell for row in rows if not (cell := row.cell(column)).is_blank]
        if not cells:
            return rows[0].cell(column)
        for cell in cells[1:]:
            if cell.excerpt != cells[0].excerpt:
                notice = Notice(
                    "rows_differ",
                    {"value": cell.excerpt, "row": cells[0].row, "other": cells[0].excerpt},
                )
                self._table.remarks.add_fault(cell.remark(notice))
        return cells[0]

    def _note(self, rows: Sequence[TableRow]) -> str | None:
        """What is noted in any row of a location, each once."""
        notes = dict.fromkeys(filter(None, (self._text(row.cell("note")) for row in rows)))
        note = "; ".join(notes)
        if len(note) > MOST_TEXT:
            self._add_fault(rows[0], "note", Notice("text_too_long", {"most": MOST_TEXT}))
        return note or None

    def _plants(self, row: TableRow) -> int | None:
        return self._table.take(row.cell("plants"), whole_number)

    def _text(self, cell: Cell) -> str | None:
        return self._table.take(cell, text)

    def _counted_at(self, cell: Cell) -> datetime | date | None:
        if cell.is_blank:
            return None
        counted_at = self._table.take(cell, partial(date_or_time, zone=self._zone))
        try:
            moment_of(counted_at)
        except HappenedInFuture:
            self._table.remarks.add_fault(cell.remark(Notice("in_future", {"value": cell.excerpt})))
        return counted_at

    def _add_fault(self, row: TableRow, column: str, notice: Notice) -> None:
        self._table.remarks.add_fault(row.cell(column).remark(notice))


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
