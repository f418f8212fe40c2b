"""The page of QR labels: which greenhouse, which sheet."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.locations import place_list
from demeter.locations.labels import FORMATS
from demeter.web import render

router = APIRouter(prefix="/labels")


@router.get("", **requires(Permission.SEE))
def show_labels(request: Request) -> Response:
    """The form; the PDF comes from the API."""
    with transaction() as session:
        places = place_list.places(session)
    houses = [place for place in places if place.level == "warehouse" and place.active]
    return render.page(request, "labels/labels.html", houses=houses, formats=list(FORMATS))
