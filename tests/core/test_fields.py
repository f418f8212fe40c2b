"""Numbers of plants as clients send them: a number is a number, or it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from demeter.core.fields import PlantChange, Plants, parse_digits

PLANTS, CHANGE = TypeAdapter(Plants), TypeAdapter(PlantChange)


@pytest.mark.parametrize("value", [0, 1, 10_000_000, 12.0])
def test_a_number_of_plants_is_taken(value: float) -> None:
    assert PLANTS.validate_python(value) == value
    assert CHANGE.validate_python(-value) == -value


@pytest.mark.parametrize(
    "value", [True, False, "12", "1.000", "1_000", "-0", "1e3", b"12", 1.5, None, -1, 10_000_001]
)
def test_what_is_no_number_of_plants_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        PLANTS.validate_python(value)


@pytest.mark.parametrize(("value", "parsed"), [("12", "12"), (" 7 ", " 7 "), (5, 5), (None, None)])
def test_plain_digits_of_a_form_are_taken(value: Any, parsed: Any) -> None:
    assert parse_digits(value) == parsed


@pytest.mark.parametrize("value", ["1.000", "1_000", "-0", "1e3", "true", "٣", "", "1 000"])
def test_other_words_of_a_form_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="plain digits"):
        parse_digits(value)
