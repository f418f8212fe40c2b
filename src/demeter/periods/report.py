"""A period's report, as a spreadsheet and on paper; both from the same preview."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from demeter.core.formats import Numbers, Times
from demeter.core.tabular.pdf_writing import PaperTable, document
from demeter.core.tabular.xlsx_writing import SheetContent, Sums, column_sums, known_rows, workbook
from demeter.core.wording import Texts, read
from demeter.periods.schemas import LineRead, PeriodPreviewRead

Cell = Callable[[LineRead], Any]

COLUMNS: tuple[tuple[str, Cell], ...] = (  # the texts `report.column.…`
    ("warehouse", lambda line: line.warehouse_code),
    ("area", lambda line: line.area_code),
    ("location", lambda line: line.location_code),
    ("product", lambda line: line.product_code),
    ("opening", lambda line: line.opening.plants),
    ("planted", lambda line: line.planted),
    ("sown", lambda line: line.sown),
    ("moved_in", lambda line: line.moved_in),
    ("dead", lambda line: line.dead),
    ("moved_out", lambda line: line.moved_out),
    ("corrections", lambda line: line.corrections),
    ("closing", lambda line: line.closing.plants if line.closing else None),
    ("sales", lambda line: line.sales),
    ("recorded_sales", lambda line: line.recorded_sales),
)
LINE_COLUMNS = tuple(name for name, _ in COLUMNS)
EXCEPTION_COLUMNS = ("location", "product", "exception", "figure", "explanation", "person")
TRACE_COLUMNS = ("at", "event", "person", "reason")
FIRST_NUMBER = 4
NUMBERS = tuple(range(FIRST_NUMBER, len(COLUMNS)))
WIDTHS_MM = (22, 22, 34, 34, *(16.5 for _ in NUMBERS))
EXCEPTION_WIDTHS_MM = (40, 40, 80, 20, 67, 30)


def headings(texts: Texts, columns: Iterable[str] = LINE_COLUMNS) -> list[str]:
    """The columns' names in a language."""
    return [texts(f"report.column.{name}") for name in columns]


def as_xlsx(preview: PeriodPreviewRead, language: str = "en") -> bytes:
    """A workbook: the lines with a formula for each sum, the exceptions, the trace."""
    texts = read(language)
    lines = SheetContent(
        name=preview.period.code,
        heading=headings(texts),
        rows=_rows(preview),
        frozen_columns=FIRST_NUMBER,
        sums=Sums(texts("report.total"), NUMBERS, lambda n: texts("report.left_out", lines=n)),
    )
    exceptions = SheetContent(
        name=texts("report.exceptions"),
        heading=headings(texts, EXCEPTION_COLUMNS),
        rows=_exceptions(preview, texts),
    )
    trace = SheetContent(
        name=texts("report.trace"),
        heading=headings(texts, TRACE_COLUMNS),
        rows=_trace(preview, texts),
    )
    return workbook([lines, exceptions, trace])


def _exceptions(preview: PeriodPreviewRead, texts: Texts) -> list[tuple[Any, ...]]:
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


def _trace(preview: PeriodPreviewRead, texts: Texts) -> list[tuple[str, ...]]:
    moment = Times(texts.language)
    return [
        (moment(e.at), texts(f"period_event.{e.event}"), e.by, e.reason or "")
        for e in preview.period.events
    ]


def as_pdf(preview: PeriodPreviewRead, language: str = "en") -> bytes:
    """The same on A4 across, the heading on every page."""
    texts = read(language)
    rows = _rows(preview)
    known = known_rows(rows, NUMBERS)
    sums = [texts("report.total"), "", "", "", *column_sums(rows, NUMBERS)]
    lines = _words([*rows, sums], language)
    parts: list[str | PaperTable] = [
        _summary(preview, texts),
        PaperTable(headings(texts), lines, WIDTHS_MM, numbers=frozenset(NUMBERS)),
    ]
    if len(known) < len(rows):
        parts.append(texts("report.left_out", lines=len(rows) - len(known)))
    exceptions = _exceptions(preview, texts)
    if exceptions:
        heading = headings(texts, EXCEPTION_COLUMNS)
        parts.append(PaperTable(heading, _words(exceptions, language), EXCEPTION_WIDTHS_MM))
    return document(texts("report.title", period=preview.period.code), parts, is_wide=True)


def _rows(preview: PeriodPreviewRead) -> list[list[Any]]:
    return [[cell(line) for _, cell in COLUMNS] for line in preview.lines]


def _words(rows: Sequence[Sequence[Any]], language: str) -> list[list[str]]:
    """Cells as people write them: words as they are, numbers grouped, unknown as a dash."""
    number = Numbers(language)
    return [[cell if isinstance(cell, str) else number(cell) for cell in row] for row in rows]


def _summary(preview: PeriodPreviewRead, texts: Texts) -> str:
    number = Numbers(texts.language)
    recorded = None
    if preview.sales is not None and preview.unrecorded_sales is not None:
        recorded = preview.sales - preview.unrecorded_sales
    return texts(
        "report.summary",
        sales=number(preview.sales),
        recorded=number(recorded),
        unknown=preview.lines_unknown,
        status=preview.period.status.value,
        until=preview.period.boundary_at.isoformat(),
    )
