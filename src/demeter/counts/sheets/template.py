"""Count sheets: to be filled on a phone or on paper, one row a location or one a bin."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.tabular.pdf_writing import PaperTable, document
from demeter.core.tabular.xlsx_writing import SheetContent, workbook
from demeter.core.wording import read
from demeter.stock.errors import NameNotFound

COLUMNS = (
    "location_code",
    "bin_code",
    "product_code",
    "packaging_sku",
    "counted_at",
    "plants",
    "note",
)
TO_FILL = ("counted_at", "plants", "note")
WIDTHS = (22, 44, 22, 18, 14, 14, 30)  # characters
PRINTED_WIDTHS_MM = (30, 36, 30, 22, 18, 20, 34)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row to be filled: what the configuration expects there."""

    location_code: str
    bin_code: str | None
    product_code: str | None
    packaging_sku: str | None


def rows_of(session: Session, place_code: str, *, by_bin: bool = False) -> list[SheetRow]:
    """The rows of a greenhouse, an area or a location, in the order in which people walk.

    Raises:
        NameNotFound: no place in use has this code.
    """
    query = text(_BINS if by_bin else _LOCATIONS)
    rows = [SheetRow(*row) for row in session.execute(query, {"place": place_code})]
    if not rows:
        raise NameNotFound(
            f"no place in use has the code {place_code!r}", kind="place", name=place_code
        )
    return rows


def as_xlsx(rows: list[SheetRow], language: str = "es") -> bytes:
    """A workbook whose three last columns are open; the rest is protected against slips.

    Its heading has the columns' names, by which it is read again.
    """
    sheet = SheetContent(
        name=read(language)("sheet.name"),
        heading=COLUMNS,
        rows=[_cells(row) for row in rows],
        frozen_columns=1,
        widths=dict(enumerate(WIDTHS)),
        to_fill=tuple(COLUMNS.index(name) for name in TO_FILL),
        whole_numbers=(COLUMNS.index("plants"),),
    )
    return workbook([sheet])


def as_pdf(rows: list[SheetRow], place_code: str, language: str = "es") -> bytes:
    """The same on A4, with room to write."""
    texts = read(language)
    blanks = [""] * len(TO_FILL)
    table = PaperTable(
        heading=[texts(f"sheet.column.{name}") for name in COLUMNS],
        rows=[[*_cells(row), *blanks] for row in rows],
        widths_mm=PRINTED_WIDTHS_MM,
        is_form=True,
    )
    return document(texts("sheet.title", place=place_code), [table])


def _cells(row: SheetRow) -> list[str]:
    cells = (row.location_code, row.bin_code, row.product_code, row.packaging_sku)
    return [cell or "" for cell in cells]


_PLACES = """
FROM storage_locations l
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
LEFT JOIN storage_location_config c
    ON c.storage_location_id = l.location_id AND c.active
LEFT JOIN products p ON p.id = c.product_id
LEFT JOIN packaging_catalog k ON k.id = c.packaging_catalog_id
"""
_WHERE = "WHERE l.active AND :place IN (w.code, a.code, l.code)\n"
_LOCATIONS = (
    "SELECT l.code, NULL, p.code, k.sku" + _PLACES + _WHERE + "ORDER BY w.code, a.code, l.code"
)
_BINS = (
    "SELECT l.code, s.code, p.code, k.sku"
    + _PLACES
    + "LEFT JOIN storage_bins s ON s.storage_location_id = l.location_id AND s.status = 'active'\n"
    + _WHERE
    + "ORDER BY w.code, a.code, l.code, s.bin_id"
)
