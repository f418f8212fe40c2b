"""The nursery's name, language and time zone, for its admins."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from demeter.accounts.own_nursery import change_nursery, read_nursery
from demeter.accounts.schemas import NurseryUpdate
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.core.settings import settings
from demeter.web import render

router = APIRouter(prefix="/nursery")

Text = Annotated[str, Form(max_length=150)]


@router.get("", **requires(Permission.ADMINISTER))
def show_nursery(request: Request, changed: bool = False) -> Response:
    """What can be changed of it."""
    return _page(request, changed=changed)


@router.post("", **requires(Permission.ADMINISTER))
def update_nursery(
    request: Request,
    name: Text = "",
    language: Annotated[str, Form(pattern="^(es|en)$")] = "es",
    time_zone: Text = "",
) -> Response:
    """All three at once, as the form has them."""
    values = {"name": _clean(name), "language": language, "time_zone": _clean(time_zone)}
    if not values["name"]:
        return _page(request, values=values, fault="people.name_missing")
    try:
        with transaction() as session:
            change_nursery(session, NurseryUpdate.model_validate(values))
    except DomainError as error:
        return _page(request, values=values, error=error)
    return RedirectResponse("/nursery?changed=true", status_code=303)


def _page(
    request: Request,
    *,
    values: dict[str, str] | None = None,
    changed: bool = False,
    fault: str | None = None,
    error: DomainError | None = None,
) -> Response:
    if values is None:
        with transaction() as session:
            values = read_nursery(session).model_dump(exclude={"updated_at"})
    return render.page(
        request,
        "nursery.html",
        status_code=error.status if error else 422 if fault else 200,
        values=values,
        zones=sorted(zone for zone in available_timezones() if "/" in zone),
        zone_is_set=settings().time_zone,
        changed=changed,
        fault=fault,
        problem=error.problem() if error else None,
    )


def _clean(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())
