"""No English on Spanish pages, sheets and papers, and no Spanish on English ones."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from demeter.core.wording import LANGUAGES
from demeter.counts.sheets import template
from demeter.counts.sheets.template import SheetRow
from demeter.web.language import read
from support.nursery import photo_count
from support.served import client, jpeg, record_answers, send, upload_session
from support.workbooks import rows_of

__all__ = ["client"]

# Words that every second sentence of a language has and that no word of the other is.
STOP_WORDS = {
    "en": "the|is|are|was|were|been|of|with|not|and|for|this|that|which|there|from|cannot",
    "es": "el|la|los|las|está|están|fue|del|con|y|para|este|esta|que|hay|desde|puede|una",
}
OTHER = {"es": "en", "en": "es"}
PATHS = (
    "/",
    "/count",
    "/sessions",
    "/search?q=a1",
    "/search?q=nothing",
    "/stock",
    "/stock?by=lot&at=2026-03-01",
    "/stock?q=nothing",
    "/stock/movements",
    "/stock/movements?type=muerte",
)
NAME_OF_A3 = "Bed A3, not configured"  # a name that people gave is of no language


class _Shown(HTMLParser):
    """The words of a page that a person reads in the page's language."""

    VOID = ("meta", "link", "input", "br", "img", "hr", "source", "col", "wbr")

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._stack: list[bool] = []  # whether what is inside is shown in the page's language

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name in ("title", "alt", "placeholder", "aria-label"):
            self.words.append(given.get(name) or "")
        is_other = "lang" in given and tag != "html"
        is_hidden = tag in ("script", "style", "code") or is_other
        if tag not in self.VOID:
            self._stack.append(is_hidden or bool(self._stack and self._stack[-1]))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self._stack:
            self._stack.pop()

    def handle_data(self, data: str) -> None:
        if not (self._stack and self._stack[-1]):
            self.words.append(data)


def shown_words(html: str) -> str:
    parser = _Shown()
    parser.feed(html)
    return " ".join(" ".join(parser.words).split())


def foreign_words(text: str, language: str) -> list[str]:
    """Passages around words of the other language."""
    words = STOP_WORDS[OTHER[language]]
    return [
        text[max(0, m.start() - 40) : m.end() + 40]
        for m in re.finditer(rf"(?<![\w-])(?:{words})(?![\w-])", text, re.IGNORECASE)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_of_the_other_language(language: str) -> None:
    by_key = read(language).by_key
    found = {key: foreign_words(text, language) for key, text in by_key.items()}
    assert {key: words for key, words in found.items() if words} == {}


def sessions(client: TestClient) -> list[str]:
    """A session in each state."""
    ids = [
        send(client, jpeg(1)).json()["session_id"],
        upload_session(client, jpeg(2)),
        upload_session(client, jpeg(3)),
        upload_session(client, jpeg(4), location_code="A3"),
        upload_session(client, jpeg(5)),
        upload_session(client, jpeg(6), location_code="A2"),
        upload_session(client, jpeg(7), location_code="A2"),
    ]
    record_answers(ids[2], photo_count((3, 1), (0, 0)))
    record_answers(ids[3], photo_count((3, 1)))
    record_answers(ids[4], None)
    record_answers(ids[5], photo_count((12, None), residual_share=0.4))
    record_answers(ids[6], photo_count())
    return ids


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_every_state_are_in_one_language(client: TestClient, language: str) -> None:
    ids = sessions(client)
    headers = {"accept-language": f"{language},*;q=0.1", "accept": "text/html"}
    pages = {
        path: client.get(path, headers=headers)
        for path in (*PATHS, *(f"/sessions/{i}" for i in ids))
    }
    refused = {
        "no such page": client.get("/nowhere", headers=headers),
        "no such session": client.get(f"/sessions/{uuid4()}", headers=headers),
        "no id": client.get("/sessions/x", headers=headers),
        "too late": client.post(f"/sessions/{ids[1]}/accept", headers=headers),
        "not empty": client.post(f"/sessions/{ids[4]}/confirm-empty", headers=headers),
        "not failed": client.post(f"/sessions/{ids[1]}/reprocess", headers=headers),
        "nothing to post": client.post(f"/sessions/{ids[1]}/post", headers=headers),
        "not blind": client.post(
            f"/sessions/{ids[2]}/blind-recount", data={"plants": "5"}, headers=headers
        ),
        "no number": client.post(
            f"/sessions/{ids[2]}/blind-recount", data={"plants": "1.000"}, headers=headers
        ),
        "no such location": client.post(
            f"/sessions/{ids[0]}/location", data={"location_code": "ZZ"}, headers=headers
        ),
        "no field": client.post(f"/sessions/{ids[0]}/location", headers=headers),
        "no photo": client.post(
            "/upload", files=[("files", ("a.jpg", b"no photo"))], headers=headers
        ),
        "no file": client.post("/upload", headers=headers),
        "wrong method": client.delete("/sessions", headers=headers),
    }
    accepted = [name for name, answer in refused.items() if answer.status_code < 400]
    assert accepted == []
    texts = {
        name: shown_words(answer.text).replace(NAME_OF_A3, "")
        for name, answer in (pages | refused).items()
    }
    found = {name: foreign_words(text, language) for name, text in texts.items()}
    assert {name: words for name, words in found.items() if words} == {}
    machine = [name for name, answer in refused.items() if 'class="machine"' in answer.text]
    assert language == "en" or machine == []  # errors are raised in English, as the log has them


@pytest.mark.parametrize("language", LANGUAGES)
def test_count_sheets_are_in_one_language(language: str) -> None:
    rows = [SheetRow("A1", None, "ECHEVERIA", None)]
    name = read(language)("sheet.name")
    assert rows_of(template.as_xlsx(rows, language), name)[0] == list(template.COLUMNS)
    titles = [read(language)(f"sheet.column.{column}") for column in template.COLUMNS]
    other = [read(OTHER[language])(f"sheet.column.{column}") for column in template.COLUMNS]
    assert not set(titles) & set(other)
    assert template.as_pdf(rows, "A1", language).startswith(b"%PDF-")


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_beds_are_in_one_language(client: TestClient, language: str) -> None:
    sessions(client)
    headers = {"accept-language": f"{language},*;q=0.1", "accept": "text/html"}
    reports = ("planting", "deaths", "sale", "transplant", "adjustment")
    paths = [
        *("/beds", "/beds?view=list", "/beds?text=nothing-like-it", "/beds/A1/card", "/beds/A9"),
        *(f"/beds/{code}" for code in ("A1", "A2", "A3")),
        *(f"/beds/A1/{report}" for report in reports),
    ]
    for path in paths:
        shown = shown_words(client.get(path, headers=headers).text)
        text = re.sub(NAME_OF_A3, "", shown, flags=re.IGNORECASE)
        assert foreign_words(text, language) == [], path
    refused = client.post("/beds/A1/deaths", data={"quantity": "1.000"}, headers=headers)
    assert foreign_words(shown_words(refused.text), language) == []
