"""One bed: its number, what waits, its photo, its lots, and its months with every movement."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid5

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.review import session_decisions
from demeter.stock import commands, lookup, reversals
from demeter.stock.errors import NameNotFound
from demeter.stock.schemas import LedgerCommandCreate
from demeter.web import render
from demeter.web.bed_page import bed_view
from demeter.web.short_dates import ShortDates

router = APIRouter(prefix="/beds/{code}")

Id = Annotated[UUID | None, Query()]


@router.get("", **requires(Permission.SEE))
def show_bed(
    request: Request,
    code: str,
    photo: Annotated[int, Query(ge=1, le=1000)] = 1,
    months: Annotated[int, Query(ge=1, le=60)] = 6,
    month: Annotated[str, Query(max_length=7)] = "",
    done: Id = None,
    undone: Id = None,
    discarded: Id = None,
    voided: bool = False,
    moved: Annotated[str, Query(max_length=50)] = "",
) -> Response:
    """A bed; what was just done there comes in the address, for the toast that undoes it."""
    toast = {"done": done, "undone": undone, "discarded": discarded, "voided": voided}
    try:
        with transaction() as session:
            bed = lookup.location(session, code)
            view = bed_view(session, bed, months=months, month=month, photo=photo)
            return _page(request, view=view, bed=bed, toast=toast | {"moved": moved})
    except NameNotFound as error:
        nearest = error.context["nearest"]
        return render.page(request, "beds/none.html", status_code=404, code=code, nearest=nearest)


def _page(request: Request, **values: Any) -> Response:
    words = render.words_of(request)
    return render.page(
        request, "beds/bed.html", short=ShortDates(words), word_of=mid_sentence, **values
    )


@router.post("/movements/{movement_id}/undo", **requires(Permission.REPORT))
def undo_report(request: Request, code: str, movement_id: UUID) -> Response:
    """Take a report back, by its reversal; the same again has the same answer."""
    reason = render.words_of(request)("beds.undo_reason")
    with transaction() as session:
        bed = lookup.location(session, code)
        key = uuid5(movement_id, f"undo {acting_user(session).id}")
        body = LedgerCommandCreate(movement_id=key, reason=reason)
        reversals.undo(session, commands.command_from(session, body), movement_id)
        return redirect(bed.code, undone=movement_id)


@router.post("/photos/{session_id}/restore", **requires(Permission.REPORT))
def restore_photo(code: str, session_id: UUID) -> Response:
    """Take a discarded photo back."""
    with transaction() as session:
        bed = lookup.location(session, code)
        session_decisions.restore(session, session_id, acting_user(session))
        return redirect(bed.code)


def redirect(code: str, request: Request | None = None, **said: object) -> Response:
    """To a bed's page, which says what was done; a sheet's script is told where to go."""
    query = f"?{urlencode(said)}" if said else ""
    there = f"/beds/{quote(code, safe='')}{query}"
    if request is not None and is_sheet(request):
        return Response(status_code=204, headers={"hx-redirect": there})
    return RedirectResponse(there, status_code=303)


def is_sheet(request: Request) -> bool:
    """Whether a script asks, which puts the answer over the page."""
    return request.headers.get("hx-request") == "true"


def mid_sentence(name: str) -> str:
    """A bed's name within a sentence: "Claro 7" is "claro 7", "A1" stays."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name
