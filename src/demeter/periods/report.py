"""A period's report, as a spreadsheet and on paper; both from the same preview."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from demeter.core.formats import UNKNOWN, Times
from demeter.core.tabular.pdf_writing import PaperTable, document
from demeter.core.tabular.xlsx_writing import SheetContent, Sums, known_rows, workbook
from demeter.core.wording import read
from demeter.periods.schemas import LineRead, PeriodPreviewRead

Cell = Callable[[LineRead], Any]

COLUMNS: tuple[tuple[str, str, Cell], ...] = (
    ("Greenhouse", "Nave", lambda line: line.warehouse_code),
    ("Area", "Cantero", lambda line: line.area_code),
    ("Location", "Claro", lambda line: line.location_code),
    ("Product", "Producto", lambda line: line.product_code),
    ("Opening", "Inicial", lambda line: line.opening.plants),
    ("Planted", "Plantado", lambda line: line.planted),
    ("Sown", "Sembrado", lambda line: line.sown),
    ("In", "Entradas", lambda line: line.moved_in),
    ("Dead", "Muertes", lambda line: line.dead),
    ("Out", "Salidas", lambda line: line.moved_out),
    ("Corrections", "Ajustes", lambda line: line.corrections),
    ("Closing", "Final", lambda line: line.closing.plants if line.closing else None),
    ("Sales", "Ventas", lambda line: line.sales),
    ("Recorded", "Registradas", lambda line: line.recorded_sales),
)
FIRST_NUMBER = 4
NUMBERS = tuple(range(FIRST_NUMBER, len(COLUMNS)))
WIDTHS_MM = (22, 22, 34, 34, *(16.5 for _ in NUMBERS))
EXCEPTION_WIDTHS_MM = (40, 40, 80, 20, 67, 30)
TITLES = {"en": "Month's end", "es": "Cierre de mes"}
TOTALS = {"en": "Total", "es": "Total"}
LEFT_OUT = {
    "en": "{n} lines with unknown figures (—) are left out of the totals",
    "es": "{n} líneas con cifras desconocidas (—) quedan fuera de los totales",
}
TRACE = {"en": ("When", "What", "By", "Reason"), "es": ("Cuándo", "Qué", "Por", "Motivo")}
SHEETS = {"en": ("Exceptions", "Trace"), "es": ("Excepciones", "Historial")}
EXCEPTIONS = {
    "en": ("Location", "Product", "What", "Figure", "Explanation", "By"),
    "es": ("Claro", "Producto", "Qué", "Cifra", "Explicación", "Por"),
}


def headings(language: str) -> list[str]:
    """The columns' names."""
    return [es if language == "es" else en for en, es, _ in COLUMNS]


def as_xlsx(preview: PeriodPreviewRead, language: str = "en") -> bytes:
    """A workbook: the lines with a formula for each sum, the exceptions, the trace."""
    exceptions, trace = SHEETS[language]
    moment = Times(language)
    lines = SheetContent(
        name=preview.period.code,
        heading=headings(language),
        rows=_rows(preview),
        frozen_columns=FIRST_NUMBER,
        sums=Sums(TOTALS[language], NUMBERS, LEFT_OUT[language]),
    )
    return workbook(
        [
            lines,
            SheetContent(exceptions, EXCEPTIONS[language], _exceptions(preview, language)),
            SheetContent(
                trace,
                TRACE[language],
                [(moment(e.at), e.event, e.by, e.reason or "") for e in preview.period.events],
            ),
        ]
    )


def _exceptions(preview: PeriodPreviewRead, language: str) -> list[tuple[Any, ...]]:
    texts = read(language)
    return [
        (
            line.location_code,
            line.product_code,
            texts.word(exception.notice),
            exception.figure,
            exception.explanation or "",
            exception.explained_by or "",
        )
        for line in preview.lines
        for exception in line.exceptions
    ]


def as_pdf(preview: PeriodPreviewRead, language: str = "en") -> bytes:
    """The same on A4 across, the heading on every page."""
    rows = _rows(preview)
    known = known_rows(rows, NUMBERS)
    sums = [TOTALS[language], "", "", "", *(sum(rows[n][c] for n in known) for c in NUMBERS)]
    parts: list[str | PaperTable] = [
        _summary(preview, language),
        PaperTable(
            headings(language), _words([*rows, sums]), WIDTHS_MM, numbers=frozenset(NUMBERS)
        ),
    ]
    if len(known) < len(rows):
        parts.append(LEFT_OUT[language].format(n=len(rows) - len(known)))
    exceptions = _exceptions(preview, language)
    if exceptions:
        table = PaperTable(EXCEPTIONS[language], _words(exceptions), EXCEPTION_WIDTHS_MM)
        parts.append(table)
    return document(f"{TITLES[language]} {preview.period.code}", parts, is_wide=True)


def _rows(preview: PeriodPreviewRead) -> list[list[Any]]:
    return [[cell(line) for _, _, cell in COLUMNS] for line in preview.lines]


def _words(rows: Sequence[Sequence[Any]]) -> list[list[str]]:
    return [[UNKNOWN if value is None else str(value) for value in row] for row in rows]


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
        until=Times(language)(preview.period.boundary_at),
    )
