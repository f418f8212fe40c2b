"""Search as a page and as results alone."""

from __future__ import annotations

import html
import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from demeter.core import db
from demeter.core.db import transaction
from demeter.demo import years
from demeter.search.queries import find
from support.ledgerapi import count_by_hand
from support.ledgersteps import supervisor
from support.nursery import photo_count
from support.served import client, record_answers, upload_session

__all__ = ["client"]


@pytest.fixture(autouse=True)
def julia(client: TestClient) -> None:
    """Counts by hand that decide are a supervisor's."""
    del client
    with transaction() as session:
        supervisor(session)


def results(client: TestClient, words: str, path: str = "/parts/search") -> str:
    answer = client.get(path, params={"q": words}, headers={"accept-language": "es"})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(answer.text))


def links(shown: str) -> list[str]:
    return re.findall(r'<a href="([^"]+)" data-hit', shown)


def test_nothing_typed_and_nothing_found_say_what_can_be_typed(client: TestClient):
    for words in ("", "  ", "—", "zzzz"):
        shown = results(client, words)
        assert links(shown) == []
        assert "n1 norte 8" in shown
    assert "Nada se llama «zzzz»." in results(client, "zzzz")


def test_a_product_is_found_with_its_beds_and_lots(client: TestClient):
    count_by_hand(client, 100, 0)
    shown = results(client, "echév")
    hits = links(shown)
    assert hits[0] == "/stock?product=ECHEVERIA-01"
    assert "/beds/A1" in hits
    assert any(hit.startswith("/stock/lots/") for hit in hits)
    assert "<mark>Echev</mark>" in shown
    assert '<span class="found-n"><b>100</b>' in shown


def test_a_bed_is_found_by_name_and_says_that_its_photo_waits(client: TestClient):
    record_answers(upload_session(client, location_code="A2"), None)
    shown = results(client, "bed a2")
    assert links(shown)[0] == "/beds/A2"
    assert 'class="chip needs_review"' in shown
    assert any(link.startswith("/sessions/") for link in links(shown))


def test_a_lot_is_found_by_its_number(client: TestClient):
    count_by_hand(client, 100, 0)
    lot = next(hit for hit in links(results(client, "echev")) if "/lots/" in hit)
    number = lot.rsplit("/", 1)[-1]
    for words in (number, f"lote {number}", f"LOT {number}"):
        assert lot in links(results(client, words))


def test_a_session_is_found_by_the_beginning_of_its_id(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((3, 0)))
    assert links(results(client, session_id[:8])) == [f"/sessions/{session_id}"]


def test_a_bed_that_nobody_counted_has_a_dash(client: TestClient):
    assert '<span class="found-n"><b>—</b>' in results(client, "bed a1")
    count_by_hand(client, 0, 0)
    assert '<span class="found-n"><b>0</b>' in results(client, "bed a1")


def test_it_works_without_scripts_and_shows_what_people_type_as_text(client: TestClient):
    shown = results(client, "<b>echev", "/search")
    assert 'value="<b>echev"' in shown  # unescaped above: an attribute's value
    raw = client.get("/search", params={"q": "<script>x"}).text
    assert "<script>x" not in raw
    assert results(client, "bed a1", "/search").count("data-hit") >= 1


def test_a_large_nursery_is_searched_in_as_many_statements_as_a_small_one(client: TestClient):
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        statements.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        with transaction() as session:
            find(session, "claro", with_people=True)
            few = len(statements)
            years.load_years(session, 1, places=200)
            statements.clear()
            found = find(session, "claro 2", with_people=True)
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)
    assert len(statements) == few
    assert len(found.beds) == 6
    assert found.more_beds > 0
    assert {bed.name for bed in found.beds} == {"Claro 2"}
