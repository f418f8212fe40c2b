"""Two languages, each complete, chosen by the person before the browser."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from fastapi.testclient import TestClient

from demeter.core import wording
from demeter.core.errors import DomainError
from demeter.counts.service import NO_CONFIG
from demeter.photos.models import CapturedAtSource, SessionStatus
from demeter.photos.review_reasons import BLIND_RECOUNT
from demeter.photos.sessions import VOIDED
from demeter.stock.errors import PeriodClosed, StockWouldBeNegative
from demeter.stock.models import MovementType
from demeter.vision.values import ContainerType
from demeter.web.language import chosen, read
from support.served import client

__all__ = ["client"]

SOURCE = Path(__file__).parents[2] / "src" / "demeter"
ES, EN = read("es").by_key, read("en").by_key


def test_both_languages_have_the_same_texts():
    assert set(EN) == set(ES)


def test_a_text_stands_in_one_place(tmp_path: Path):
    (tmp_path / "es.toml").write_text('[movement]\nfoto = "otra"\n')
    with pytest.raises(ValueError, match=re.escape("movement.foto")):
        wording.read("es", tmp_path)


def test_both_languages_fill_in_the_same_blanks():
    def blanks(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert [key for key in EN if blanks(EN[key]) != blanks(ES[key])] == []


def test_every_text_that_a_template_asks_for_is_there():
    asked = set()
    for template in (SOURCE / "web" / "templates").rglob("*.html"):
        asked |= set(re.findall(r'\bt\("([a-z_.]+)"[,)]', template.read_text()))
    with_numbers = {key.removesuffix(".by") for key in EN if key.endswith(".by")}
    assert sorted(asked - set(EN) - with_numbers) == []


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [
        ("status", SessionStatus),
        ("movement", MovementType),
        ("type", ContainerType),
        ("session.captured", CapturedAtSource),
    ],
)
def test_every_value_that_is_shown_has_a_name(prefix: str, kind):
    joint = "_" if "captured" in prefix else "."
    assert [value for value in kind if f"{prefix}{joint}{value}" not in EN] == []


def test_every_reason_to_wait_is_explained_in_both_languages():
    text = (SOURCE / "photos" / "review_reasons.py").read_text()
    codes = set(re.findall(r'Reason\(\s*Notice\(\s*"([a-z_]+)"', text))
    assert {"no_container_found", "implausible_change", BLIND_RECOUNT} <= codes
    elsewhere = {VOIDED, NO_CONFIG, "two_labels", "location_unknown"}
    errors = {StockWouldBeNegative.code, PeriodClosed.code, "unexpected_error", "vision_failed"}
    for code in codes | elsewhere | errors:
        assert f"reason.{code}" in ES, code
        assert f"next.{code}" in ES, code


COMMANDS_ONLY = ("demeter.cli", "demeter.core.localdb", "demeter.demo", "demeter_training")


def test_every_error_that_a_page_may_show_has_its_texts():
    import demeter.app  # noqa: PLC0415  loads every feature
    import demeter.photos.recovery  # noqa: F401, PLC0415

    errors = [
        error
        for error in _descendants(DomainError)
        if error.__module__.startswith("demeter") and not error.__module__.startswith(COMMANDS_ONLY)
    ]
    assert [e.code for e in errors if f"error.{e.code}.title" not in ES] == []
    assert [e.code for e in errors if e.next_action and f"error.{e.code}.action" not in ES] == []


def _descendants(kind: type[DomainError]) -> set[type[DomainError]]:
    return {kind}.union(*(_descendants(child) for child in kind.__subclasses__()), set())


def test_a_failed_session_says_what_the_error_says():
    texts = read("es")
    assert texts.reason("no_config", "") == ES["reason.no_config"]
    assert texts.reason("photo_truncated", "") == ES["error.photo_truncated.title"]
    assert texts.next_action("photo_truncated", "") == ES["error.photo_truncated.action"]
    assert texts.reason("never_heard_of", "Falló") == "Falló"


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        (None, None, "es"),
        (None, "en", "en"),
        (None, "en-US,en;q=0.9,es;q=0.8", "en"),
        (None, "es-AR,es;q=0.9", "es"),
        (None, "de,en;q=0.5,es;q=0.7", "es"),
        (None, "de", "es"),
        (None, "en;q=0,es;q=0.1", "es"),
        (None, "en;q=1.2.3", "es"),
        ("en", "es", "en"),
        ("es", "en", "es"),
        ("xx", "en", "en"),
    ],
)
def test_the_person_is_asked_before_the_browser(cookie, header, language):
    assert chosen(cookie, header) == language


def test_a_choice_is_remembered_and_shows_the_same_page(client: TestClient):
    spanish = client.get("/", headers={"accept-language": "es"})
    assert '<html lang="es">' in spanish.text
    answer = client.post(
        "/language", data={"language": "en", "back": "/nowhere"}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/nowhere"
    assert '<html lang="en">' in client.get("/", headers={"accept-language": "es"}).text


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil", "x"])
def test_a_choice_never_leads_to_another_site(client: TestClient, back: str):
    answer = client.post("/language", data={"language": "en", "back": back}, follow_redirects=False)
    assert answer.headers["location"] == "/"
