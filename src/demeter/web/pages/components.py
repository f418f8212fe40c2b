"""The page of components: what all pages are made of, for who builds one more."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.photos.models import SessionStatus
from demeter.web import render

router = APIRouter()

COLOURS = ("paper", "card", "ink", "leaf", "sun", "clay", "alarm", "sky", "focus")


@router.get("/components", **requires(Permission.SEE))
def show_components(request: Request) -> Response:
    """Each component once, drawn by the styles that the pages load."""
    return render.page(request, "components.html", colours=COLOURS, statuses=list(SessionStatus))
