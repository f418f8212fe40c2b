"""A filled count sheet: every wrong cell is named with its place, or all is taken."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from demeter.core.notices import Notice
from demeter.core.tabular.reading import read_table
from demeter.core.tabular.remarks import Remark
from demeter.core.tabular.tables import Table, TableFile, TableShape, titles_in
from demeter.core.wording import LANGUAGES
from demeter.core.wording import read as texts_of
from demeter.counts.errors import SheetInvalid
from demeter.counts.sheets.location_rows import LocationCount, LocationRows

REQUIRED = ("location_code", "plants")
OPTIONAL = ("bin_code", "product_code", "packaging_sku", "counted_at", "note")
SHAPE = TableShape(
    required=REQUIRED,
    optional=OPTIONAL,
    most_rows=20_000,
    error=SheetInvalid,
    # as a printed sheet has them
    titles=titles_in(map(texts_of, LANGUAGES), REQUIRED + OPTIONAL, "sheet.column"),
)


@dataclass(frozen=True, slots=True)
class SheetCounts:
    """The counts of a filled sheet, and what is odd about the file."""

    counts: tuple[LocationCount, ...]
    warnings: tuple[Remark, ...]


def read(session: Session, file: TableFile) -> SheetCounts:
    """The counts of a filled sheet, XLSX or CSV; rows without plants are not counted.

    Raises:
        SheetInvalid: a cell is wrong, or nothing is counted; every fault has its place.
    """
    table = read_table(file, SHAPE)
    counted = [row for row in table.rows if not row.cell("plants").is_blank]
    _name_uncounted(table)
    counts = LocationRows(session, table).counts(counted)
    if not counted:
        notice = Notice("nothing_counted", {"rows": len(table.rows)})
        table.remarks.add_fault(Remark(notice, table.heading.sheet))
    table.require_faultless()
    return SheetCounts(tuple(counts), tuple(table.remarks.warnings))


def _name_uncounted(table: Table) -> None:
    """Rows without plants that a person filled in otherwise."""
    for row in table.rows:
        filled = [c for name in ("counted_at", "note") if not (c := row.cell(name)).is_blank]
        if filled and row.cell("plants").is_blank:
            notice = Notice("row_not_counted", {"value": filled[0].excerpt})
            table.remarks.add_warning(filled[0].remark(notice))
