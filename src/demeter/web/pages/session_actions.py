"""The buttons on a session's page: each carries one decision out and shows the page again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.accounts.models import User
from demeter.core.db import transaction
from demeter.core.fields import IS_DIGITS
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.photos import location_guess
from demeter.photos.models import PhotoSession
from demeter.review import session_decisions
from demeter.stock import lookup

router = APIRouter(prefix="/sessions/{session_id}")

Note = Annotated[str, Form(max_length=2000)]
Code = Annotated[str, Form(max_length=200, pattern=r"^[^\x00]*$")]


@router.post("/accept", **requires(Permission.DECIDE))
def accept(session_id: UUID, note: Note = "") -> RedirectResponse:
    """The count is right."""
    said = note.replace("\x00", "").strip() or None
    return _decided(session_id, lambda s, user: session_decisions.accept(s, session_id, user, said))


@router.post("/confirm-empty", **requires(Permission.DECIDE))
def confirm_empty(session_id: UUID) -> RedirectResponse:
    """The bed is empty."""
    return _decided(
        session_id, lambda s, user: session_decisions.confirm_empty(s, session_id, user)
    )


@router.post("/location", **requires(Permission.REPORT))
def choose_location(
    session_id: UUID, location_code: Annotated[str, Form(max_length=50)]
) -> RedirectResponse:
    """The photo shows this location."""
    code = location_code.replace("\x00", "").strip().upper()

    def act(session: Session, user: User) -> PhotoSession:
        return session_decisions.choose_location(
            session, session_id, user, location_guess.by_code(session, code)
        )

    return _decided(session_id, act)


@router.post("/reprocess", **requires(Permission.DECIDE))
def reprocess(session_id: UUID) -> RedirectResponse:
    """Count the photos anew."""
    return _decided(session_id, lambda s, user: session_decisions.reprocess(s, session_id, user))


@router.post("/post", **requires(Permission.DECIDE))
def post(session_id: UUID) -> RedirectResponse:
    """Try again to post."""
    return _decided(
        session_id, lambda s, user: session_decisions.retry_posting(s, session_id, user)
    )


@router.post("/config", **requires(Permission.DECIDE))
def configure(
    session_id: UUID,
    product_code: Code,
    state: Code,
    packaging_sku: Code = "",
    framed_whole: Annotated[str, Form(max_length=5)] = "",
) -> RedirectResponse:
    """What grows at the location of the photos."""

    def act(session: Session, user: User) -> PhotoSession:
        growing = lookup.growing(session, product_code, state, packaging_sku or None)
        return session_decisions.configure(
            session, session_id, user, growing, framed_whole=bool(framed_whole)
        )

    return _decided(session_id, act)


@router.post("/discard", **requires(Permission.REPORT))
def discard(session_id: UUID, reason: Note) -> RedirectResponse:
    """Nothing is to be made of these photos."""
    plain = reason.replace("\x00", "")
    return _decided(
        session_id, lambda s, user: session_decisions.discard(s, session_id, user, plain)
    )


@router.post("/restore", **requires(Permission.REPORT))
def restore(session_id: UUID) -> RedirectResponse:
    """Take a discarded session back."""
    return _decided(session_id, lambda s, user: session_decisions.restore(s, session_id, user))


@router.post("/blind-recount", **requires(Permission.REPORT))
def blind_recount(
    session_id: UUID,
    plants: Annotated[int, Form(ge=0, le=1_000_000), IS_DIGITS],
) -> RedirectResponse:
    """A person's own number, before the machine's is shown."""
    return _decided(
        session_id,
        lambda s, user: session_decisions.recount_blind(s, session_id, user, plants, {}),
    )


def _decided(session_id: UUID, act: Callable[[Session, User], object]) -> RedirectResponse:
    with transaction() as session:
        act(session, acting_user(session))
    return RedirectResponse(f"/sessions/{session_id}", status_code=303)
