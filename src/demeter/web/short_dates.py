"""Moments as people say them: today, yesterday, 28 nov; the year only where it is another."""

from __future__ import annotations

from datetime import UTC, date, datetime

from demeter.core.site import day_at_site, site_zone
from demeter.core.wording import Texts

UNKNOWN = "—"


class ShortDates:
    """In the site's time zone and the person's language."""

    def __init__(self, words: Texts) -> None:
        self._words = words
        self._today = day_at_site(datetime.now(UTC))

    def __call__(self, moment: datetime | None) -> str:
        """A day and the time of it."""
        if moment is None:
            return UNKNOWN
        return f"{self.day(moment)}, {moment.astimezone(site_zone()):%H:%M}"

    def day(self, moment: datetime | date | None) -> str:
        """A day alone."""
        if moment is None:
            return UNKNOWN
        day = day_at_site(moment) if isinstance(moment, datetime) else moment
        match (self._today - day).days:
            case 0:
                return self._words("short_date.today")
            case 1:
                return self._words("short_date.yesterday")
            case _:
                year = "" if day.year == self._today.year else f" {day.year}"
                return f"{day.day} {self.month(day)}{year}"

    def since(self, moment: datetime) -> str:
        """A day behind a preposition: since today, since 29 oct."""
        day = day_at_site(moment)
        is_named = (self._today - day).days in (0, 1)
        key = "short_date.since_word" if is_named else "short_date.since"
        return self._words(key, day=self.day(day))

    def month(self, day: date) -> str:
        """A month in three letters."""
        return self._words("short_date.months").split()[day.month - 1]

    def whole_month(self, day: date) -> str:
        """A month's name, with its year where that is another."""
        name = self._words("short_date.whole_months").split()[day.month - 1]
        return name if day.year == self._today.year else f"{name} {day.year}"
