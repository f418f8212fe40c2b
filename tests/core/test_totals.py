"""Numbers of which some are not known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from demeter.core.totals import known_sum


@given(st.lists(st.none() | st.integers(-1000, 1000), max_size=8))
def test_a_sum_is_of_what_is_known_and_says_what_it_leaves_out(numbers: list[int | None]) -> None:
    total = known_sum(numbers)
    known = [number for number in numbers if number is not None]
    assert total.left_out == len(numbers) - len(known)
    assert total.known == (sum(known) if known or not numbers else None)
    assert total.whole == (None if total.left_out else sum(known))
