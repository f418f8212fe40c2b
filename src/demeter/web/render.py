"""Templates, in the language of the person who asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from demeter.accounts import identity, secrets
from demeter.accounts.identity import Identity
from demeter.core import site
from demeter.core.formats import Numbers, Times
from demeter.web import assets, navigation
from demeter.web.icons import icon
from demeter.web.language import LANGUAGES, Texts, read, texts

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
    body = _html(words, identity.current(), request.url.path, template, values)
    headers = {
        "cache-control": "no-store",
        "vary": "Accept-Language, Cookie",
        "content-language": words.language,
    }
    return HTMLResponse(body, status_code, headers)


def shell(language: str, path: str, template: str, **values: Any) -> str:
    """A page as it is for nobody in particular: a browser may keep it, and fill it in itself."""
    return _html(read(language), None, path, template, values)


def _html(
    words: Texts, acting: Identity | None, path: str, template: str, values: dict[str, Any]
) -> str:
    return _environment.get_template(template).render(
        t=words,
        asset=assets.url,
        icon=icon,
        initials=_initials,
        me=acting,
        nursery=site.site().name,
        places=navigation.places(acting),
        form_token=secrets.form_token(acting.secret) if acting and acting.secret else "",
        number=Numbers(words.language),
        time=Times(words.language),
        languages=LANGUAGES,
        here=path,
        is_part=False,
        **values,
    )


def fragment(request: Request, template: str, **values: Any) -> HTMLResponse:
    """A part of a page, for htmx to put in its place."""
    return page(request, template, **values)


def words_of(request: Request) -> Texts:
    """The request's texts, for what is not a template."""
    return texts(request)


def _initials(name: str) -> str:
    """Two letters that stand for a person: of the first and the last name."""
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:])).upper()
