"""How numbers and times are written for people, in Spanish and in English."""

from __future__ import annotations

from datetime import date, datetime

from demeter.core.site import day_at_site, site_zone

UNKNOWN = "—"


def site_text(moment: datetime | None) -> str:
    """A moment in the site's time as commands print it, and as they read it again."""
    return UNKNOWN if moment is None else f"{moment.astimezone(site_zone()):%Y-%m-%d %H:%M}"


class Numbers:
    """Whole numbers as a language writes them; unknown is a dash, never 0."""

    def __init__(self, language: str) -> None:
        self._separator = "." if language == "es" else ","
        self._point = "," if language == "es" else "."

    def __call__(self, value: int | None) -> str:
        """1234 is 1.234 in Spanish and 1,234 in English."""
        return UNKNOWN if value is None else f"{value:,}".replace(",", self._separator)

    def decimal(self, value: float) -> str:
        """To four places, without trailing zeros: 0.25 is 0,25 in Spanish."""
        text = f"{value:,.4f}".rstrip("0").rstrip(".")
        return text.translate({ord(","): self._separator, ord("."): self._point})

    def with_sign(self, value: int | None) -> str:
        """With its sign, a true minus; zero has none."""
        if value is None:
            return UNKNOWN
        sign = "+" if value > 0 else "−" if value < 0 else ""
        return sign + self(abs(value))

    def at_least(self, value: int | None) -> str:
        """What is known of a number of which part is not; nothing known is a dash, not 0."""
        return f"≥ {self(value)}" if value else UNKNOWN

    def interval(self, bounds: tuple[int, int] | None) -> str:
        """Lower to upper bound."""
        if bounds is None:
            return UNKNOWN
        return f"{self(bounds[0])}–{self(bounds[1])}"

    def percent(self, share: float | None) -> str:
        """0 to 1 as a percentage; what is not zero is not written as 0 %."""
        if share is None:
            return UNKNOWN
        if 0 < share < 0.01:  # noqa: PLR2004
            return "< 1 %"
        return f"{self(round(share * 100))} %"


class Times:
    """Moments in the site's time zone."""

    def __init__(self, language: str) -> None:
        self._day = "%d/%m/%Y" if language == "es" else "%d %b %Y"
        self._moment = f"{self._day} %H:%M" if language == "es" else f"{self._day}, %H:%M"

    def __call__(self, moment: datetime | None) -> str:
        """To the minute."""
        if moment is None:
            return UNKNOWN
        return moment.astimezone(site_zone()).strftime(self._moment)

    def clock(self, moment: datetime | None) -> str:
        """The time of day alone, for what is of today."""
        return UNKNOWN if moment is None else f"{moment.astimezone(site_zone()):%H:%M}"

    def day(self, day: date | None) -> str:
        """A day as it is; of a moment, the day on which it is at the site."""
        if isinstance(day, datetime):
            day = day_at_site(day)
        return UNKNOWN if day is None else day.strftime(self._day)
