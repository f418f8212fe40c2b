"""The gallery: photos by what one looks for, one photo with all that is known, many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.accounts.models import User
from demeter.accounts.queries import usernames
from demeter.catalog.queries import growing_choices
from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.moments import parse_typed
from demeter.core.permissions import Permission
from demeter.photos import gallery
from demeter.photos.gallery import PhotoFilters
from demeter.photos.models import SessionStatus
from demeter.review import batches
from demeter.review.batches import BatchOutcome
from demeter.web import render

router = APIRouter(prefix="/gallery")

ON_A_PAGE = 60
Text = Annotated[str, Query(max_length=200)]
FormText = Annotated[str, Form(max_length=2000)]
Ids = Annotated[list[UUID], Form(max_length=200)]
NOBODY: list[UUID] = []
Cursor = Annotated[str | None, Query(max_length=40)]


@router.get("", **requires(Permission.SEE))
def show_gallery(
    request: Request,
    cursor: Cursor = None,
    from_day: Text = "",
    to_day: Text = "",
    place_code: Text = "",
    status: Text = "",
    username: Text = "",
    product_code: Text = "",
    text: Text = "",
) -> Response:
    """Photos, last received first, and the form that narrows them."""
    filters = PhotoFilters(
        from_day=_day(from_day),
        to_day=_day(to_day),
        place_code=_clean(place_code),
        status=SessionStatus(status) if status in list(SessionStatus) else None,
        username=_clean(username),
        product_code=_clean(product_code),
        text=_clean(text),
    )
    return _page(request, filters, cursor)


@router.get("/{image_id}", **requires(Permission.SEE))
def show_photo(request: Request, image_id: UUID) -> Response:
    """One photo: its file, its place, what its camera wrote, and what became of it."""
    with transaction() as session:
        return render.page(
            request, "gallery/photo.html", photo=gallery.image_detail(session, image_id)
        )


@router.post("/discard", **requires(Permission.REPORT))
def discard_photos(request: Request, session_id: Ids = NOBODY, reason: FormText = "") -> Response:
    """Put the chosen ones aside."""
    said = _clean(reason)
    return _decided(
        request, "discard", lambda s, user: batches.discard_all(s, session_id, user, said)
    )


@router.post("/reprocess", **requires(Permission.DECIDE))
def reprocess_photos(request: Request, session_id: Ids = NOBODY) -> Response:
    """Count the chosen ones anew."""
    return _decided(
        request, "reprocess", lambda s, user: batches.reprocess_all(s, session_id, user)
    )


def _decided(
    request: Request, act: str, decide: Callable[[Session, User], BatchOutcome]
) -> Response:
    with transaction() as session:
        outcome = decide(session, acting_user(session))
    return _page(request, PhotoFilters(), None, act=act, outcome=outcome)


def _page(
    request: Request,
    filters: PhotoFilters,
    cursor: str | None,
    *,
    act: str | None = None,
    outcome: BatchOutcome | None = None,
) -> Response:
    with transaction() as session:
        page = gallery.find_photos(session, filters, limit=ON_A_PAGE, cursor=cursor)
        choices = growing_choices(session)
        people = usernames(session)
    asked = {name: value for name, value in asdict(filters).items() if value}
    older = urlencode(asked | {"cursor": page.next_cursor}) if page.next_cursor else None
    return render.page(
        request,
        "gallery/list.html",
        act=act,
        outcome=outcome,
        photos=page.items,
        older=older,
        filters=filters,
        is_filtered=bool(asked),
        statuses=list(SessionStatus),
        products=choices.products,
        people=people,
    )


def _day(typed: str) -> date | None:
    words = _clean(typed)
    if not words:
        return None
    when = parse_typed(words)
    return when.date() if isinstance(when, datetime) else when


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()
