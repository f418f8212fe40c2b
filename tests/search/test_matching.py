"""When a name is what somebody typed."""

from __future__ import annotations

import pytest

from demeter.search.matching import is_in_order, name_parts, typed_words, words_of

BED = ("Nave 1", "Norte", "Claro 8", "Echevería elegans")


@pytest.mark.parametrize(
    ("typed", "is_meant"),
    [
        ("n1 norte 8", True),
        ("NAVE 1", True),
        ("nave 01 claro 08", True),
        ("echeveria", True),
        ("ECHEVERÍA", True),
        ("claro 80", False),
        ("claro 1", False),  # 1 is the greenhouse's
        ("n8", False),
        ("laro", False),
    ],
)
def test_words_are_compared_by_their_beginning_and_numbers_whole(typed: str, is_meant: bool):
    assert is_in_order(typed_words(typed), words_of(" ".join(BED))) is is_meant


def test_a_code_is_words_and_numbers():
    assert words_of("NAVE1-NORTE-C07") == ("nave", "1", "norte", "c", "7")
    assert words_of("000") == ("0",)
    assert words_of("— ·") == ()


def test_a_page_can_mark_what_was_typed():
    parts = name_parts("Echevería élite 08", typed_words("echeve 8"))
    assert [(part.text, part.is_typed) for part in parts] == [
        ("Echeve", True),
        ("ría élite ", False),
        ("08", True),
    ]
    assert "".join(part.text for part in parts) == "Echevería élite 08"
    assert name_parts("", typed_words("x")) == []
