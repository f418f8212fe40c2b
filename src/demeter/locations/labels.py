"""QR labels of beds on paper: code, name, and the QR that intake reads in a photo."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import segno
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.locations.errors import LabelsNone

POINTS_A_MM = 72 / 25.4
QUIET_MODULES = 4  # of white around a QR code: its standard asks for them


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """Labels of an A4 sheet, in mm: a grid from the upper left corner."""

    columns: int
    rows: int
    width: float
    height: float
    left: float
    top: float
    gap_x: float = 0.0
    gap_y: float = 0.0


A4_MM = (210.0, 297.0)
FORMATS = {
    "3x8": LabelFormat(3, 8, 70, 37, 0, 0.5),  # 70 × 37 mm, 24 a sheet
    "3x7": LabelFormat(3, 7, 63.5, 38.1, 7.2, 15.1, 2.5),  # 63.5 × 38.1 mm, 21 a sheet
    "2x7": LabelFormat(2, 7, 99.1, 38.1, 4.7, 15.1, 2.5),  # 99.1 × 38.1 mm, 14 a sheet
    "2x4": LabelFormat(2, 4, 99.1, 67.7, 4.7, 13.1, 2.5),  # 99.1 × 67.7 mm, 8 a sheet
    "page": LabelFormat(1, 1, 190, 277, 10, 10),  # one a page
}
DEFAULT_FORMAT = "3x8"


@dataclass(frozen=True, slots=True)
class BedLabel:
    """What stands on a label."""

    code: str
    name: str
    place: str
    qr_text: str


def bed_labels(session: Session, warehouse_code: str | None = None) -> list[BedLabel]:
    """Labels of the beds in use, of a greenhouse or of all, in walking order.

    Raises:
        LabelsNone: there is no such bed.
    """
    rows = session.execute(text(_BEDS), {"warehouse": warehouse_code})
    labels = [BedLabel(*row) for row in rows]
    if not labels:
        where = f"warehouse {warehouse_code}" if warehouse_code else "the nursery"
        raise LabelsNone(f"{where} has no bed in use")
    return labels


def labels_pdf(labels: Sequence[BedLabel], format_name: str = DEFAULT_FORMAT) -> bytes:
    """A4 sheets of labels as PDF, row by row."""
    from reportlab.lib.pagesizes import A4  # noqa: PLC0415  only who prints needs it
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    sheet = FORMATS[format_name]
    content = io.BytesIO()
    canvas = Canvas(content, pagesize=A4)
    canvas.setTitle("Demeter")
    for number, label in enumerate(labels):
        place = number % (sheet.columns * sheet.rows)
        if number and not place:
            canvas.showPage()
        row, column = divmod(place, sheet.columns)
        x = sheet.left + column * (sheet.width + sheet.gap_x)
        y = A4_MM[1] - sheet.top - (row + 1) * sheet.height - row * sheet.gap_y
        _draw(canvas, label, sheet, (x, y))
    canvas.save()
    return content.getvalue()


def _draw(canvas: Any, label: BedLabel, sheet: LabelFormat, corner_mm: tuple[float, float]) -> None:
    """QR on the left, or above where the label is high; words beside or below it."""
    x, y = (value * POINTS_A_MM for value in corner_mm)
    width, height = sheet.width * POINTS_A_MM, sheet.height * POINTS_A_MM
    is_high = height > width
    margin = 2 * POINTS_A_MM
    words_height = 0.22 * height if is_high else 0.0
    side = min(width, height - words_height) - 2 * margin
    if is_high:
        _draw_qr(canvas, label.qr_text, (x + (width - side) / 2, y + height - margin - side), side)
        _draw_words(canvas, label, (x + width / 2, y + words_height), width, is_centred=True)
    else:
        _draw_qr(canvas, label.qr_text, (x + margin, y + (height - side) / 2), side)
        left = x + margin + side + margin
        room = width - side - 3 * margin
        _draw_words(canvas, label, (left, y + height / 2 + height * 0.12), room, is_centred=False)


def _draw_qr(canvas: Any, words: str, corner: tuple[float, float], side: float) -> None:
    code = segno.make(words, error="m", micro=False)
    modules = [list(row) for row in code.matrix]
    size = side / (len(modules) + 2 * QUIET_MODULES)
    canvas.setFillGray(0)
    for row, cells in enumerate(modules):
        for column, is_dark in enumerate(cells):
            if is_dark:
                canvas.rect(
                    corner[0] + (column + QUIET_MODULES) * size,
                    corner[1] + side - (row + QUIET_MODULES + 1) * size,
                    size * 1.02,  # neighbours touch, whatever draws them
                    size * 1.02,
                    stroke=0,
                    fill=1,
                )


def _draw_words(
    canvas: Any, label: BedLabel, at: tuple[float, float], room: float, *, is_centred: bool
) -> None:
    """Name, place and code, each as large as its line lets it be."""
    from reportlab.pdfbase.pdfmetrics import stringWidth  # noqa: PLC0415  as above

    largest = 54.0 if is_centred else 16.0
    y = at[1]
    lines = ((label.name, "Helvetica-Bold", 1.0), (label.place, "Helvetica", 0.6))
    for words, font, share in (*lines, (label.code, "Courier", 0.6)):
        size = largest * share
        wide = stringWidth(words, font, size)
        size = size if wide <= room else size * room / wide
        canvas.setFont(font, size)
        draw = canvas.drawCentredString if is_centred else canvas.drawString
        draw(at[0], y, words)
        y -= largest * share * 1.35


_BEDS = """
SELECT l.code, l.name, a.name || ' · ' || w.name, coalesce(l.qr_code, l.code)
FROM storage_locations l
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
WHERE l.active AND (CAST(:warehouse AS text) IS NULL OR w.code = :warehouse)
ORDER BY w.code, l.walk_order NULLS LAST, l.code
"""
