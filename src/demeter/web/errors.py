"""Errors as pages: what happened, and what to do now."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from demeter.accounts.errors import NotSignedIn
from demeter.core.http.guards import SAFE
from demeter.web import render
from demeter.web.pages import door

TRY_AGAIN_S = 5


def page(request: Request, problem: dict[str, Any]) -> Response:
    """A problem in the person's language; where the code has no text, as it was raised."""
    if problem["code"] == NotSignedIn.code and request.method in SAFE:
        return RedirectResponse(door.login_path(request.url.path), status_code=303)
    words = render.words_of(request)
    code = problem["code"]
    tries_again = problem["status"] == HTTPStatus.SERVICE_UNAVAILABLE and request.method in SAFE
    answer = render.page(
        request,
        "error.html",
        status_code=problem["status"],
        problem=problem,
        heading=words.get(f"error.{code}.title", problem["title"]),
        action=words.get(f"error.{code}.action", problem.get("next_action", "")),
        tries_again=tries_again,
    )
    if tries_again:  # also without scripts: the page comes by itself once it can
        answer.headers["refresh"] = str(TRY_AGAIN_S)
    return answer
