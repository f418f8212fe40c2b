"""Spanish and English: chosen by the person (a cookie), else by the browser."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse

LANGUAGES = ("es", "en")
DEFAULT = "es"  # people at the nursery speak Spanish
COOKIE = "language"
A_YEAR_S = 365 * 24 * 3600
_BLANK = re.compile(r"'[^']*'|\d+")  # what changes in a sentence: numbers and names in quotes

router = APIRouter()


@dataclass(frozen=True)
class Texts:
    """The texts of one language, by dotted key."""

    language: str
    by_key: dict[str, str]

    def __call__(self, key: str, /, **values: Any) -> str:
        """The text of a key with its blanks filled in.

        Raises:
            KeyError: there is no such text; a test looks for every key in both languages.
        """
        return self.by_key[key].format(**values)

    def get(self, key: str, otherwise: str) -> str:
        """The text of a key that may be unknown, such as an error's code."""
        return self.by_key.get(key, otherwise)

    def problems(self) -> dict[str, dict[str, str]]:
        """Title and action of each error by its code, for scripts that show one."""
        found: dict[str, dict[str, str]] = {}
        for key, text in self.by_key.items():
            parts = key.split(".")
            if parts[0] == "error" and len(parts) == 3:  # noqa: PLR2004  error.CODE.part
                found.setdefault(parts[1], {})[parts[2]] = text
        return found

    def sentence(self, text: str | None) -> str:
        """A sentence that vision or a rule wrote in English, in this language if it is known."""
        key = "sentence." + _BLANK.sub("#", text or "")
        found = self.by_key.get(key)
        if found is None:
            return text or ""
        blanks = iter(_BLANK.findall(text or ""))
        return re.sub("#", lambda _: next(blanks), found)


def texts(request: Request) -> Texts:
    """The texts in which this request is to be answered."""
    return read(chosen(request.cookies.get(COOKIE), request.headers.get("accept-language")))


def chosen(cookie: str | None, accept_language: str | None) -> str:
    """The person's choice, else the first of the browser's that is ours, else Spanish."""
    if cookie in LANGUAGES:
        return cookie
    for name in _by_preference(accept_language or ""):
        if name in LANGUAGES:
            return name
    return DEFAULT


@lru_cache
def read(language: str) -> Texts:
    """The texts of a language, flattened to dotted keys."""
    path = Path(__file__).parent / "texts" / f"{language}.toml"
    return Texts(language, dict(_flat(tomllib.loads(path.read_text()))))


@router.post("/language")
def choose(
    language: Annotated[str, Form(pattern="^(es|en)$")], back: Annotated[str, Form()] = "/"
) -> RedirectResponse:
    """Remember a person's choice and show the same page again."""
    answer = RedirectResponse(_own_path(back), status_code=303)
    answer.set_cookie(COOKIE, language, max_age=A_YEAR_S, samesite="lax", httponly=True)
    return answer


def _own_path(back: str) -> str:
    """A path of ours; never another site."""
    parts = urlsplit(back)
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    return back if is_ours and "\\" not in back and not back.startswith("//") else "/"


def _by_preference(accept_language: str) -> list[str]:
    weighed = []
    for position, part in enumerate(accept_language.split(",")):
        name, _, parameters = part.strip().partition(";")
        weighed.append((-_quality(parameters), position, name.split("-")[0].lower()))
    return [name for weight, _, name in sorted(weighed) if weight < 0]


def _quality(parameters: str) -> float:
    found = re.search(r"q=([0-9.]+)", parameters)
    try:
        return float(found[1]) if found else 1.0
    except ValueError:
        return 0.0


def _flat(table: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        rows += _flat(value, f"{name}.") if isinstance(value, dict) else [(name, value)]
    return rows
