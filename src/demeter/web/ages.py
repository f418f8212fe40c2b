"""How long ago something was, in words of the person's language."""

from __future__ import annotations

from datetime import datetime

from demeter.core.site import day_at_site
from demeter.core.wording import Texts

MINUTE_S, HOUR_S = 60, 3600


class Ages:
    """Words for how long before ``now`` a moment was."""

    def __init__(self, words: Texts, now: datetime) -> None:
        self._words, self._now = words, now

    def __call__(self, moment: datetime) -> str:
        """Minutes and hours of today, then days as the site has them."""
        spent_s = max(0.0, (self._now - moment).total_seconds())
        days = (day_at_site(self._now) - day_at_site(moment)).days
        if spent_s < MINUTE_S:
            return self._words("age.now")
        if spent_s < HOUR_S:
            return self._words("age.minutes", n=int(spent_s // MINUTE_S))
        if days == 0:
            return self._words("age.hours", n=int(spent_s // HOUR_S))
        return self._words("age.yesterday") if days == 1 else self._words("age.days", n=days)
