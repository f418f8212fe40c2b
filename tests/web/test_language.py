"""Two languages, each complete, chosen by the person before the browser."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from fastapi.testclient import TestClient

from demeter.photos.models import CapturedAtSource, SessionStatus
from demeter.photos.overlap import NOT_RETURNED
from demeter.photos.review_reasons import BLIND_RECOUNT
from demeter.stock.models import MovementType
from demeter.vision.values import ContainerType
from demeter.web.language import chosen, read
from demeter.web.render import Numbers
from support.served import client

__all__ = ["client"]

SOURCE = Path(__file__).parents[2] / "src" / "demeter"
ES, EN = read("es").by_key, read("en").by_key


def test_both_languages_have_the_same_texts_but_for_translated_sentences():
    assert set(EN) == {key for key in ES if not key.startswith("sentence.")}


def test_both_languages_fill_in_the_same_blanks():
    def blanks(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert [key for key in EN if blanks(EN[key]) != blanks(ES[key])] == []


def test_every_text_that_a_template_asks_for_is_there():
    asked = set()
    for template in (SOURCE / "web" / "templates").rglob("*.html"):
        asked |= set(re.findall(r'\bt\("([a-z_.]+)"[,)]', template.read_text()))
    assert sorted(asked - set(EN)) == []


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
    codes = {*re.findall(r'Reason\(\s*"([a-z_]+)"', text), BLIND_RECOUNT}
    assert {"no_container_found", "implausible_change"} <= codes
    for code in codes:
        assert f"reason.{code}" in ES, code
        assert f"next.{code}" in ES, code


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


def test_what_vision_said_in_english_is_said_in_spanish():
    said = "Fewer than 5 plants detected and no density parameter is set."
    assert read("es").sentence(said).startswith("Se detectaron menos de 5 plantas")
    assert read("en").sentence(said) == said
    assert read("es").sentence("something new") == "something new"
    assert read("es").sentence(None) == ""


def test_a_name_in_quotes_stays_as_it_is():
    said = "unknown container label 'caja': taken for a segment"
    assert "'caja'" in read("es").sentence(said)
    assert read("es").sentence(said).endswith("se toma por un segmento.")


def test_every_warning_of_a_moved_camera_is_said_in_spanish():
    assert read("es").sentence(NOT_RETURNED) != NOT_RETURNED


def test_the_sentences_that_are_translated_are_those_that_are_said():
    said_in = "vision/estimate/estimate.py vision/containers/find.py vision/pipeline.py"
    said_in += " photos/exif.py photos/evidence.py photos/intake.py photos/overlap.py"
    source = " ".join((SOURCE / name).read_text() for name in said_in.split())
    for key in ES:
        if key.startswith("sentence."):
            piece = max(re.split("[#:,]", key.removeprefix("sentence.")), key=len).strip()
            assert piece[:24] in source, piece


@pytest.mark.parametrize(
    ("language", "value", "written"),
    [("es", 1234567, "1.234.567"), ("en", 1234567, "1,234,567"), ("es", 0, "0"), ("es", None, "—")],
)
def test_numbers_are_written_as_the_language_does_and_unknown_is_a_dash(language, value, written):
    assert Numbers(language)(value) == written


def test_changes_have_signs_and_shares_never_round_to_nothing():
    number = Numbers("en")
    assert [number.signed(v) for v in (5, -5, 0, None)] == ["+5", "−5", "0", "—"]
    assert [number.percent(v) for v in (0, 0.004, 0.14, 1, None)] == [
        "0 %", "< 1 %", "14 %", "100 %", "—",
    ]  # fmt: skip
    assert [number.at_least(v) for v in (13, 0, None)] == ["≥ 13", "—", "—"]
    assert number.interval(None) == "—"
    assert number.interval((1000, 2000)) == "1,000–2,000"
