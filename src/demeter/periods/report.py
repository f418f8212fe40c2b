"""A period's report, as a spreadsheet and on paper; both from the same preview."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle
from xlsxwriter.utility import xl_col_to_name

from demeter.periods.schemas import LineRead, PeriodPreviewRead

Cell = Callable[[LineRead], Any]

COLUMNS: tuple[tuple[str, str, Cell], ...] = (
    ("Greenhouse", "Nave", lambda one: one.warehouse_code),
    ("Area", "Cantero", lambda one: one.area_code),
    ("Location", "Claro", lambda one: one.location_code),
    ("Product", "Producto", lambda one: one.product_code),
    ("Opening", "Inicial", lambda one: one.opening.plants),
    ("Planted", "Plantado", lambda one: one.planted),
    ("Sown", "Sembrado", lambda one: one.sown),
    ("In", "Entradas", lambda one: one.moved_in),
    ("Dead", "Muertes", lambda one: one.dead),
    ("Out", "Salidas", lambda one: one.moved_out),
    ("Corrections", "Ajustes", lambda one: one.corrections),
    ("Closing", "Final", lambda one: one.closing.plants if one.closing else None),
    ("Sales", "Ventas", lambda one: one.sales),
    ("Recorded", "Registradas", lambda one: one.recorded_sales),
)
FIRST_NUMBER = 4
UNKNOWN = {"en": "unknown", "es": "desconocido"}
TITLES = {"en": "Month's end", "es": "Cierre de mes"}
TOTALS = {"en": "Total", "es": "Total"}
EXCEPTIONS = {
    "en": ("Location", "Product", "What", "Figure", "Explanation", "By"),
    "es": ("Claro", "Producto", "Qué", "Cifra", "Explicación", "Por"),
}


def headings(language: str) -> list[str]:
    """The columns' names."""
    return [es if language == "es" else en for en, es, _ in COLUMNS]


def as_xlsx(preview: PeriodPreviewRead, language: str = "en") -> bytes:
    """A workbook: the lines with a formula for each sum, the exceptions, the trace."""
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        _lines_sheet(book, preview, language, bold)
        _exceptions_sheet(book, preview, language, bold)
        trace = book.add_worksheet("Trace" if language == "en" else "Historial")
        for row, event in enumerate(preview.period.events):
            cells = (event.at.isoformat(), event.event, event.by, event.reason or "")
            trace.write_row(row, 0, cells)
    return kept.getvalue()


def _lines_sheet(book: Any, preview: PeriodPreviewRead, language: str, bold: Any) -> None:
    sheet = book.add_worksheet(preview.period.code)
    sheet.freeze_panes(1, FIRST_NUMBER)
    sheet.write_row(0, 0, headings(language), bold)
    for row, line in enumerate(preview.lines, start=1):
        for column, (_, _, cell) in enumerate(COLUMNS):
            value = cell(line)
            sheet.write(row, column, UNKNOWN[language] if value is None else value)
    last = len(preview.lines)
    sheet.write(last + 1, 0, TOTALS[language], bold)
    for column in range(FIRST_NUMBER, len(COLUMNS)):
        letter = xl_col_to_name(column)
        values = [COLUMNS[column][2](line) or 0 for line in preview.lines]
        formula = f"=SUM({letter}2:{letter}{last + 1})" if last else "=0"
        sheet.write_formula(last + 1, column, formula, bold, sum(values))
    sheet.autofit()


def _exceptions_sheet(book: Any, preview: PeriodPreviewRead, language: str, bold: Any) -> None:
    sheet = book.add_worksheet("Exceptions" if language == "en" else "Excepciones")
    sheet.write_row(0, 0, EXCEPTIONS[language], bold)
    for row, cells in enumerate(_exceptions(preview), start=1):
        sheet.write_row(row, 0, ["" if cell is None else cell for cell in cells])
    sheet.autofit()


def _exceptions(preview: PeriodPreviewRead) -> list[tuple[Any, ...]]:
    return [
        (
            line.location_code,
            line.product_code,
            one.message,
            one.figure,
            one.explanation,
            one.explained_by,
        )
        for line in preview.lines
        for one in line.exceptions
    ]


def as_pdf(preview: PeriodPreviewRead, language: str = "en") -> bytes:
    """The same on A4 across, the heading on every page."""
    kept = io.BytesIO()
    title = f"{TITLES[language]} {preview.period.code}"
    page = SimpleDocTemplate(
        kept, pagesize=landscape(A4), title=title, leftMargin=12 * mm,
        rightMargin=12 * mm, topMargin=12 * mm, bottomMargin=12 * mm,
    )  # fmt: skip
    styles = getSampleStyleSheet()
    story: list[Any] = [
        Paragraph(escape(title), styles["Title"]),
        Paragraph(escape(_summary(preview, language)), styles["Normal"]),
        Spacer(1, 5 * mm),
        _table([headings(language), *_rows(preview, language)]),
    ]
    exceptions = _exceptions(preview)
    if exceptions:
        small = styles["BodyText"]
        small.fontSize = 7
        rows = [
            [Paragraph(escape("" if c is None else str(c)), small) for c in cells]
            for cells in exceptions
        ]
        story += [Spacer(1, 6 * mm), _table([list(EXCEPTIONS[language]), *rows])]
    page.build(story)
    return kept.getvalue()


def _rows(preview: PeriodPreviewRead, language: str) -> list[list[str]]:
    return [
        [
            UNKNOWN[language] if (value := cell(line)) is None else str(value)
            for _, _, cell in COLUMNS
        ]
        for line in preview.lines
    ]


def _summary(preview: PeriodPreviewRead, language: str) -> str:
    words = {
        "en": "{sales} sold, {recorded} of them recorded by hand; {unknown} lines unknown; "
        "{status}, until {until}",
        "es": "{sales} vendidas, {recorded} de ellas registradas a mano; {unknown} líneas "
        "desconocidas; {status}, hasta {until}",
    }
    return words[language].format(
        sales=preview.sales,
        recorded=preview.sales - preview.unrecorded_sales,
        unknown=preview.lines_unknown,
        status=preview.period.status.value,
        until=f"{preview.period.boundary_at:%Y-%m-%d}",
    )


def _table(rows: list[list[Any]]) -> LongTable:
    style = [
        ("FONTSIZE", (0, 0), (-1, -1), 7),
        ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
        ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.whitesmoke]),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    return LongTable(rows, repeatRows=1, style=TableStyle(style))
