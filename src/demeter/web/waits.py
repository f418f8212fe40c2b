"""How long something will take, in words of the person's language; never finer than known."""

from __future__ import annotations

import math

from demeter.core.wording import Texts
from demeter.photos.queue_forecast import Wait

MINUTE_S, HOUR_S = 60, 3600
HOURS_FROM_S = 2 * HOUR_S


class Waits:
    """Words for a wait: about so many minutes, or from so many to so many."""

    def __init__(self, words: Texts) -> None:
        self._words = words

    def __call__(self, wait: Wait) -> str:
        """As in “about 4 minutes”; whole minutes, and hours from two on."""
        if wait.high_s < MINUTE_S:
            return self._words("wait.moment")
        unit, name = (HOUR_S, "hours") if wait.high_s >= HOURS_FROM_S else (MINUTE_S, "minutes")
        if round(wait.high_s / unit) - round(wait.low_s / unit) <= 1:
            middle = (wait.low_s + wait.high_s) / 2 / unit
            return self._words(f"wait.{name}", n=max(1, round(middle)))
        low, high = max(1, wait.low_s // unit), math.ceil(wait.high_s / unit)
        return self._words(f"wait.{name}_range", low=low, high=high)
