"""Adding numbers of which some are not known: the one way, so that unknown is never 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownSum:
    """The sum of what is known, and of how many numbers it leaves out.

    ``known`` is ``None`` where nothing is known; of no numbers at all the sum is 0.
    """

    known: int | None
    left_out: int

    @property
    def whole(self) -> int | None:
        """The sum of all numbers, ``None`` where one of them is not known."""
        return self.known if self.left_out == 0 else None


def known_sum(numbers: Iterable[int | None]) -> KnownSum:
    """Numbers added up; ``None`` is not known and is left out."""
    given = list(numbers)
    known = [number for number in given if number is not None]
    left_out = len(given) - len(known)
    return KnownSum(None if left_out and not known else sum(known), left_out)
