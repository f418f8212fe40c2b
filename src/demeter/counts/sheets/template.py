"""Count sheets: to be filled on a phone or on paper, one row a location or one a bin."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle
from sqlalchemy import text
from sqlalchemy.orm import Session

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
WIDTHS = {"location_code": 22, "bin_code": 44, "product_code": 22, "packaging_sku": 18, "note": 30}
TITLES = {"en": "Count sheet", "es": "Planilla de conteo"}
PRINTED = {
    "en": ("Location", "Bin", "Product", "Pot", "Day", "Plants", "Note"),
    "es": ("Claro", "Contenedor", "Producto", "Maceta", "Día", "Plantas", "Nota"),
}


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
    found = [SheetRow(*row) for row in session.execute(query, {"place": place_code})]
    if not found:
        raise NameNotFound(
            f"no place in use has the code {place_code!r}", kind="place", name=place_code
        )
    return found


def as_xlsx(rows: list[SheetRow]) -> bytes:
    """A workbook whose three last columns are open; the rest is protected against slips."""
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("count")
        bold = book.add_format({"bold": True, "bottom": 1})
        unlocked = book.add_format({"locked": False, "bg_color": "#FFFBE6", "border": 1})
        sheet.write_row(0, 0, COLUMNS, bold)
        sheet.freeze_panes(1, 1)
        for number, row in enumerate(rows, start=1):
            cells = (row.location_code, row.bin_code, row.product_code, row.packaging_sku)
            sheet.write_row(number, 0, ["" if cell is None else cell for cell in cells])
            for column in range(len(cells), len(COLUMNS)):
                sheet.write_blank(number, column, None, unlocked)
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, WIDTHS.get(name, 14))
        sheet.data_validation(
            1, COLUMNS.index("plants"), max(len(rows), 1), COLUMNS.index("plants"),
            {"validate": "integer", "criteria": ">=", "value": 0},
        )  # fmt: skip
        sheet.protect("", {"format_columns": True, "sort": True, "autofilter": True})
    return kept.getvalue()


def as_pdf(rows: list[SheetRow], place_code: str, language: str = "es") -> bytes:
    """The same on A4, with room to write."""
    kept = io.BytesIO()
    title = f"{TITLES[language]} {place_code}"
    page = SimpleDocTemplate(
        kept, pagesize=A4, title=title, leftMargin=10 * mm, rightMargin=10 * mm,
        topMargin=12 * mm, bottomMargin=12 * mm,
    )  # fmt: skip
    styles = getSampleStyleSheet()
    small = styles["BodyText"]
    small.fontSize, small.leading = 8, 9
    cells: list[list[Any]] = [list(PRINTED[language])]
    for row in rows:
        told = (row.location_code, row.bin_code, row.product_code, row.packaging_sku)
        cells.append([*(Paragraph(escape(t or ""), small) for t in told), "", "", ""])
    widths = [w * mm for w in (30, 36, 30, 22, 18, 20, 34)]
    style = TableStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
            ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
            ("FONTSIZE", (0, 0), (-1, 0), 8),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("BOTTOMPADDING", (0, 1), (-1, -1), 7),
            ("TOPPADDING", (0, 1), (-1, -1), 7),
        ]
    )
    table = LongTable(cells, colWidths=widths, repeatRows=1, style=style)
    page.build([Paragraph(escape(title), styles["Title"]), Spacer(1, 3 * mm), table])
    return kept.getvalue()


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
