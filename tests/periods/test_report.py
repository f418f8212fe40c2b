"""A period's report in the language that is asked for, on a spreadsheet and on paper."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from python_calamine import CalamineWorkbook

from demeter.core.db import transaction
from demeter.core.wording import LANGUAGES, read
from demeter.periods import report
from demeter.periods.models import PeriodStatus
from demeter.periods.schemas import PeriodPreviewRead
from support.ledgersteps import count
from support.served import client

__all__ = ["client"]

PERIODS = "/api/v1/periods"


@pytest.fixture
def preview(client: TestClient) -> PeriodPreviewRead:
    """A period of one location that is never counted again."""
    with transaction() as session:
        count(session, 12_345, 0)
    assert client.post(PERIODS, json={"code": "2026-03"}).status_code == 201
    return PeriodPreviewRead.model_validate(client.get(f"{PERIODS}/2026-03").json())


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_a_spanish_report_says_nothing_in_english(preview: PeriodPreviewRead) -> None:
    book = sheets(report.as_xlsx(preview, "es"))
    assert list(book) == ["2026-03", "Excepciones", "Historial"]
    heading, line, total, left_out = book["2026-03"]
    assert heading[:5] == ["Nave", "Cantero", "Claro", "Producto", "Inicial"]
    assert (line[4], line[12], total[0]) == (12_345, "—", "Total")
    assert left_out[0] == "1 línea con cifras desconocidas (—) queda fuera de los totales"
    heading, exception = book["Excepciones"]
    assert heading == ["Claro", "Producto", "Qué", "Cifra", "Explicación", "Por"]
    assert exception[2].startswith("No hay conteo después del ")
    assert [row[1] for row in book["Historial"]] == ["Qué", "abierto"]


def test_an_exception_says_in_english_what_the_api_says(preview: PeriodPreviewRead) -> None:
    _, exception = sheets(report.as_xlsx(preview, "en"))["Exceptions"]
    (told,) = preview.lines[0].exceptions
    assert exception[2] == told.message
    assert told.notice.code == "no_later_count"


@pytest.mark.parametrize(
    ("language", "words"), [("es", "12.345 vendidas, "), ("en", "12,345 sold, ")]
)
def test_on_paper_numbers_are_as_people_write_them(
    preview: PeriodPreviewRead, language: str, words: str
) -> None:
    texts = read(language)
    assert report._summary(preview.model_copy(update={"sales": 12_345}), texts).startswith(words)
    assert report._words([["A1", 12_345, None]], language) == [
        ["A1", words.split(maxsplit=1)[0], "—"]
    ]
    assert report.as_pdf(preview, language).startswith(b"%PDF-")


def test_every_state_and_event_of_a_period_has_a_name() -> None:
    for language in LANGUAGES:
        texts = read(language)
        for status in PeriodStatus:
            assert texts(f"period_status.{status}")
        for event in ("opened", "proposed", "closed", "reopened"):
            assert texts(f"period_event.{event}")
