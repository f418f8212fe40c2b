"""Spanish and English: chosen by the person (a cookie), else by the browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from demeter.accounts import identity
from demeter.core import wording
from demeter.core.wording import LANGUAGES, Texts

DEFAULT = "es"  # people at the nursery speak Spanish
COOKIE = "language"
SECURE_COOKIE = "__Host-language"  # over TLS
A_YEAR_S = 365 * 24 * 3600
OF_PAGES = Path(__file__).parent / "texts"

router = APIRouter()


def texts(request: Request) -> Texts:
    """The texts in which this request is to be answered."""
    acting = identity.current()
    kept = request.cookies.get(SECURE_COOKIE) or request.cookies.get(COOKIE)
    by_person = kept or (acting.language if acting else None)
    return read(chosen(by_person, request.headers.get("accept-language")))


def chosen(cookie: str | None, accept_language: str | None) -> str:
    """The person's choice, else the first of the browser's that is ours, else Spanish."""
    if cookie in LANGUAGES:
        return cookie
    for name in _by_preference(accept_language or ""):
        if name in LANGUAGES:
            return name
    return DEFAULT


def read(language: str) -> Texts:
    """The texts of a language: those that are shared, and those of pages."""
    return wording.read(language, OF_PAGES)


@router.post("/language")
def choose(
    request: Request,
    language: Annotated[str, Form(pattern="^(es|en)$")],
    back: Annotated[str, Form()] = "/",
) -> RedirectResponse:
    """Remember a person's choice and show the same page again."""
    answer = RedirectResponse(own_path(back), status_code=303)
    keep(request, answer, language)
    return answer


def keep(request: Request, answer: Response, language: str) -> None:
    """Have the browser remember it; over TLS in a cookie of this host alone."""
    is_tls = request.url.scheme == "https"
    answer.set_cookie(
        SECURE_COOKIE if is_tls else COOKIE,
        language,
        max_age=A_YEAR_S,
        secure=is_tls,
        httponly=True,
        samesite="lax",
    )


def own_path(back: str) -> str:
    """A path of ours, to go on at; never another site."""
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
    quality = re.search(r"q=([0-9.]+)", parameters)
    try:
        return float(quality[1]) if quality else 1.0
    except ValueError:
        return 0.0
