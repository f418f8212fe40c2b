"""Templates, and how numbers and times are written for people."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from demeter.core.settings import settings
from demeter.web import assets
from demeter.web.language import LANGUAGES, Texts, texts

UNKNOWN = "—"

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(request: Request, template: str, *, status_code: int = 200, **values: Any) -> HTMLResponse:
    """A template in the person's language. It depends on who asks, so no cache keeps it."""
    words = texts(request)
    body = _environment.get_template(template).render(
        t=words,
        asset=assets.url,
        number=Numbers(words.language),
        time=Times(words.language),
        languages=LANGUAGES,
        here=request.url.path,
        is_part=False,
        **values,
    )
    headers = {
        "cache-control": "no-store",
        "vary": "Accept-Language, Cookie",
        "content-language": words.language,
    }
    return HTMLResponse(body, status_code, headers)


class Numbers:
    """Whole numbers as a language writes them; unknown is a dash, never 0."""

    def __init__(self, language: str) -> None:
        self._separator = "." if language == "es" else ","
        self._point = "," if language == "es" else "."

    def __call__(self, value: int | None) -> str:
        """1234 is 1.234 in Spanish and 1,234 in English."""
        return UNKNOWN if value is None else f"{value:,}".replace(",", self._separator)

    def signed(self, value: int | None) -> str:
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
        return f"{share * 100:.0f} %".replace(".", self._point)


class Times:
    """Moments in the site's time zone."""

    def __init__(self, language: str) -> None:
        self._format = "%d/%m/%Y %H:%M" if language == "es" else "%d %b %Y, %H:%M"

    def __call__(self, moment: datetime | None) -> str:
        """To the minute."""
        if moment is None:
            return UNKNOWN
        return moment.astimezone(ZoneInfo(settings().time_zone)).strftime(self._format)


def fragment(request: Request, template: str, **values: Any) -> HTMLResponse:
    """A part of a page, for htmx to put in its place."""
    return page(request, template, **values)


def words_of(request: Request) -> Texts:
    """The request's texts, for what is not a template."""
    return texts(request)
