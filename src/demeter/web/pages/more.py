"""The phone's page of everything that is not on its bar."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.web import render

router = APIRouter()


@router.get("/more", **requires(Permission.SEE))
def show_more(request: Request) -> Response:
    """The rest of the navigation, and one's own page."""
    return render.page(request, "more.html")
