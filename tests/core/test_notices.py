"""What is said to people: every notice has a text in both languages, with the same blanks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from demeter.core.errors import Conflict
from demeter.core.formats import Numbers, Times
from demeter.core.notices import AS_WRITTEN, Notice, read_notice, read_notices
from demeter.core.wording import LANGUAGES, english, read

SOURCE = Path(__file__).parents[2] / "src"
ES, EN = read("es"), read("en")


def notices_in_source() -> Iterator[tuple[str, str, set[str]]]:
    """Where each notice is made, its code and the names of its params.

    Both are written out where it is made: that is what lets them be checked here.
    """
    for path in sorted(SOURCE.glob("demeter*/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Notice":
                where = f"{path.relative_to(SOURCE)}:{node.lineno}"
                code, *params = node.args
                if isinstance(code, ast.Name) and code.id == "AS_WRITTEN":
                    continue
                assert isinstance(code, ast.Constant), f"{where}: the code is not written out"
                names = set()
                if params:
                    assert isinstance(params[0], ast.Dict), f"{where}: params are not written out"
                    names = {ast.literal_eval(key) for key in params[0].keys if key is not None}
                    assert len(names) == len(params[0].keys), f"{where}: params are not written out"
                yield where, code.value, names


MADE = list(notices_in_source())


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def texts_of(code: str, language: str) -> list[str]:
    """The sentences of a notice: one, or two where it changes with a number."""
    by_key = read(language).by_key
    keys = (f"notice.{code}", f"notice.{code}.one", f"notice.{code}.other")
    return [by_key[key] for key in keys if key in by_key]


def test_the_source_makes_notices() -> None:
    assert {"plants_outside", "estimate_unknown", "no_container_found"} <= {c for _, c, _ in MADE}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_has_a_text(language: str) -> None:
    assert [f"{where} {code}" for where, code, _ in MADE if not texts_of(code, language)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_has_no_blank_that_the_notice_does_not_fill(language: str) -> None:
    unfilled = [
        f"{where} {code}: {sorted(blanks(text) - params)}"
        for where, code, params in MADE
        for text in texts_of(code, language)
        if blanks(text) - params
    ]
    assert unfilled == []


def test_no_text_is_left_of_a_notice_that_nobody_makes() -> None:
    made = {AS_WRITTEN, *(code for _, code, _ in MADE)}
    codes = {key.split(".")[1] for key in EN.by_key if key.startswith("notice.")}
    assert sorted(codes - made) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_changes_with_a_number_has_both_forms(language: str) -> None:
    by_key = read(language).by_key
    counted = [key.removesuffix(".by") for key in by_key if key.endswith(".by")]
    assert "notice.plants_outside" in counted
    for key in counted:
        assert f"{{{by_key[f'{key}.by']}" in by_key[f"{key}.other"], key
        assert by_key[f"{key}.one"], key


def test_both_languages_have_the_same_shared_texts() -> None:
    assert set(EN.by_key) == set(ES.by_key)


def test_sentences_are_not_translated_by_their_pattern() -> None:
    assert [key for key in (*EN.by_key, *ES.by_key) if key.startswith("sentence")] == []
    assert not hasattr(EN, "sentence")
    templates = (SOURCE / "demeter" / "web" / "templates").rglob("*.html")
    assert [t.name for t in templates if ".sentence(" in t.read_text()] == []


def test_a_notice_is_kept_as_plain_json_with_the_notices_in_it() -> None:
    inner = Notice("unreadable")
    notice = Notice("pair_unsure", {"first": 1, "second": 2, "why": inner})
    kept = {
        "code": "pair_unsure",
        "params": {"first": 1, "second": 2, "why": {"code": "unreadable", "params": {}}},
    }
    assert notice.to_json() == kept
    assert Notice.from_json(kept) == notice
    assert Notice.from_json(notice) is notice


def test_a_sentence_of_before_is_shown_as_it_was_written() -> None:
    (notice,) = read_notices(["3 pebbles {were} left out"])
    assert [t.word(notice) for t in (ES, EN)] == ["3 pebbles {were} left out"] * 2
    assert (read_notice(None), read_notice(""), read_notices(None)) == (None, None, [])


@pytest.mark.parametrize(
    ("plants", "spanish", "in_english"),
    [
        (1, "1 planta está fuera", "1 plant stands outside"),
        (2, "2 plantas están fuera", "2 plants stand outside"),
        (1234, "1.234 plantas están fuera", "1,234 plants stand outside"),
        (0, "0 plantas están fuera", "0 plants stand outside"),
    ],
)
def test_numbers_and_plurals_are_as_people_write_them(plants, spanish, in_english) -> None:
    notice = Notice("plants_outside", {"plants": plants})
    assert ES.word(notice).startswith(spanish)
    assert EN.word(notice).startswith(in_english)


def test_an_id_is_no_number_to_be_grouped() -> None:
    sentence = english(Notice("no_container_found", {"session_id": 1234}))
    assert sentence == (
        "No StorageBins created for session 1234. Cannot proceed without valid bin IDs."
    )


def test_moments_shares_and_fractions_are_written_in_the_language() -> None:
    at = {"taken_at": "2026-03-01T15:00:00+00:00", "days": 30}
    assert "01/03/2026 12:00" in ES.word(Notice("camera_time_refused", at))
    assert "01 Mar 2026, 12:00" in EN.word(Notice("camera_time_refused", at))
    assert ES.word(Notice("looks_different", {"likeness": 0.25})).endswith("0,25")
    assert "40 %" in EN.word(Notice("too_little_overlap", {"share": 0.4}))


def test_notices_within_one_are_said_in_the_same_language() -> None:
    pairs = [
        Notice("pair_unsure", {"first": 1, "second": 2, "why": Notice("unreadable")}),
        Notice("pair_not_compared", {"first": 1, "second": 3}),
    ]
    notice = Notice("photos_may_overlap", {"pairs": pairs})
    assert ES.word(notice).endswith("fotos 1 y 2 (la foto ya no se puede leer); fotos 1 y 3.")
    assert EN.word(notice.to_json()) == EN.word(notice)


def test_an_error_raised_with_a_notice_says_it_in_both_languages() -> None:
    error = Conflict(Notice("plants_outside", {"plants": 2}), lot="A")
    assert str(error) == error.message == EN.word(error.notice)
    assert error.problem()["notice"] == error.notice.to_json()
    plain = Conflict("it is taken")
    assert (plain.message, "notice" in plain.problem()) == ("it is taken", False)
    assert ES.word(plain.notice) == "it is taken"


@pytest.mark.parametrize(
    ("language", "value", "written"),
    [("es", 1234567, "1.234.567"), ("en", 1234567, "1,234,567"), ("es", 0, "0"), ("es", None, "—")],
)
def test_numbers_are_written_as_the_language_does_and_unknown_is_a_dash(language, value, written):
    assert Numbers(language)(value) == written


def test_changes_have_signs_and_shares_never_round_to_nothing():
    number = Numbers("en")
    assert [number.with_sign(v) for v in (5, -5, 0, None)] == ["+5", "−5", "0", "—"]
    assert [number.percent(v) for v in (0, 0.004, 0.14, 1, 12.5, None)] == [
        "0 %", "< 1 %", "14 %", "100 %", "1,250 %", "—",
    ]  # fmt: skip
    assert [number.at_least(v) for v in (13, 0, None)] == ["≥ 13", "—", "—"]
    assert number.interval(None) == "—"
    assert number.interval((1000, 2000)) == "1,000–2,000"
    assert [Numbers("es").decimal(v) for v in (1234.5, 2.0, -0.25)] == ["1.234,5", "2", "-0,25"]


def test_an_unknown_moment_is_a_dash() -> None:
    assert (Times("es")(None), Times("en").day(None)) == ("—", "—")
