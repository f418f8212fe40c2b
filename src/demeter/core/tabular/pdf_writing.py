"""The one writer of tables on paper: A4, the heading on every page, cells that wrap."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

MARGINS_MM = (10, 12)  # left and right, top and bottom


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table on paper: numbers to the right; ``is_form`` has lines and room to write.

    ``widths_mm`` by column; together they are at most the page's width less its margins.
    """

    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths_mm: Sequence[float]
    numbers: frozenset[int] = frozenset()  # columns, from 0 on
    is_form: bool = False


def document(title: str, parts: Sequence[str | PaperTable], *, is_wide: bool = False) -> bytes:
    """A title, then paragraphs and tables, on A4; ``is_wide`` lays it across."""
    content = io.BytesIO()
    side, end = (margin * mm for margin in MARGINS_MM)
    page = SimpleDocTemplate(
        content, pagesize=landscape(A4) if is_wide else A4, title=title,
        leftMargin=side, rightMargin=side, topMargin=end, bottomMargin=end,
    )  # fmt: skip
    styles = getSampleStyleSheet()
    story: list[Any] = [Paragraph(escape(title), styles["Title"])]
    for part in parts:
        story.append(Spacer(1, 4 * mm))
        is_words = isinstance(part, str)
        story.append(Paragraph(escape(part), styles["Normal"]) if is_words else _table(part))
    page.build(story)
    return content.getvalue()


def _table(table: PaperTable) -> LongTable:
    size = 8 if table.is_form else 7
    plain = ParagraphStyle("cell", fontName="Helvetica", fontSize=size, leading=size + 1.5)
    bold = ParagraphStyle("heading", parent=plain, fontName="Helvetica-Bold")
    to_right = ParagraphStyle("number", parent=plain, alignment=2)
    bold_to_right = ParagraphStyle("heading of numbers", parent=bold, alignment=2)

    def row(cells: Sequence[str], words: ParagraphStyle, numbers: ParagraphStyle) -> list[Any]:
        return [
            Paragraph(escape(cell), numbers if n in table.numbers else words)
            for n, cell in enumerate(cells)
        ]

    return LongTable(
        [row(table.heading, bold, bold_to_right)]
        + [row(cells, plain, to_right) for cells in table.rows],
        colWidths=[width * mm for width in table.widths_mm],
        repeatRows=1,
        splitInRow=1,  # a long explanation may be longer than a page
        style=TableStyle(_FORM if table.is_form else _LIST),
    )


_FORM = [
    ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("BOTTOMPADDING", (0, 1), (-1, -1), 7),
    ("TOPPADDING", (0, 1), (-1, -1), 7),
]
_LIST = [
    ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
    ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.whitesmoke]),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
]
