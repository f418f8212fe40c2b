"""Search: a page that works without scripts, and the results alone while somebody types."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from demeter.accounts import identity
from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.search.matching import name_parts
from demeter.search.queries import Found, find
from demeter.web import render

router = APIRouter()

Words = Annotated[str, Query(max_length=200)]


@router.get("/search", **requires(Permission.SEE))
def search(request: Request, q: Words = "") -> Response:
    """The page, with what was found."""
    return render.page(request, "search/page.html", q=q, **_found(q))


@router.get("/parts/search", **requires(Permission.SEE))
def show_results(request: Request, q: Words = "") -> Response:
    """What was found, alone."""
    return render.fragment(request, "search/results.html", q=q, **_found(q))


def _found(words: str) -> dict[str, Any]:
    with transaction() as session:
        found: Found = find(
            session, words.replace("\x00", ""), with_people=identity.has(Permission.SEE)
        )
    return {"found": found, "parts": lambda text: name_parts(text, found.typed)}
