"""What a person decides about a session, over HTTP; the deciding is in `review`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from demeter.accounts.models import User, find_user
from demeter.core.db import transaction
from demeter.core.http.idempotency import Once, OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.photos import location_guess, session_detail
from demeter.photos.models import PhotoSession
from demeter.photos.schemas import SessionAnswer
from demeter.review import session_decisions

router = APIRouter(
    prefix="/api/v1/photos/sessions/{session_id}",
    tags=["decisions"],
    responses=PROBLEMS | {409: PROBLEM},
)

Act = Callable[[Session, User], PhotoSession]
Text = Field(default=None, max_length=2000, pattern=r"^[^\x00]*$")


class Decision(BaseModel):
    """Who decides; the service user where nobody is named."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = Field(default=None, max_length=150, pattern=r"^[^\x00]+$")


class Acceptance(Decision):
    """Why the count is right although something spoke against it."""

    note: str | None = Text


class Place(Decision):
    """The location, by one of its names."""

    location_code: str | None = Field(
        default=None, pattern="^[A-Z0-9_-]{1,50}$", examples=["NAVE1-C03"]
    )
    location_id: int | None = Field(default=None, ge=1, lt=2**63)

    @model_validator(mode="after")
    def _is_named(self) -> Place:
        if (self.location_code is None) == (self.location_id is None):
            raise ValueError("name the location by location_code or by location_id")
        return self


@router.post("/accept", summary="Accept the count as it is; it is posted once")
def accept(session_id: UUID, once: OnceOnly, body: Acceptance | None = None) -> SessionAnswer:
    """What spoke against it is kept with your name and note."""
    said = body or Acceptance()
    return _decided(
        once,
        said,
        lambda session, user: session_decisions.accept(session, session_id, user, said.note),
    )


@router.post("/confirm-empty", summary="The photo shows an empty bed: post zero")
def confirm_empty(session_id: UUID, once: OnceOnly, body: Decision | None = None) -> SessionAnswer:
    """For photos in which no container was found."""
    return _decided(
        once,
        body or Decision(),
        lambda session, user: session_decisions.confirm_empty(session, session_id, user),
    )


@router.post("/location", status_code=202, summary="Say which location the photo shows")
def choose_location(session_id: UUID, once: OnceOnly, body: Place) -> SessionAnswer:
    """Counting begins with that."""

    def act(session: Session, user: User) -> PhotoSession:
        if body.location_code is not None:
            place = location_guess.by_code(session, body.location_code)
        else:
            place = location_guess.by_id(session, body.location_id or 0)
        return session_decisions.choose_location(session, session_id, user, place)

    return _decided(once, body, act)


@router.post("/reprocess", status_code=202, summary="Count the stored photos anew")
def reprocess(session_id: UUID, once: OnceOnly, body: Decision | None = None) -> SessionAnswer:
    """A new attempt; stock is not added twice."""
    return _decided(
        once,
        body or Decision(),
        lambda session, user: session_decisions.reprocess(session, session_id, user),
    )


@router.post("/post", summary="Try again to post what was counted")
def post(session_id: UUID, once: OnceOnly, body: Decision | None = None) -> SessionAnswer:
    """After a configuration was set, say; nothing is counted anew."""
    return _decided(
        once,
        body or Decision(),
        lambda session, user: session_decisions.retry_posting(session, session_id, user),
    )


def _decided(once: Once, said: Decision, act: Act) -> Any:
    """Carry a decision out, once, in one transaction, and tell how the session stands then."""
    with transaction() as session:

        def decide() -> SessionAnswer:
            found = act(session, find_user(session, said.user))
            session.flush()
            session.expire_all()
            return session_detail.answer(session, session_detail.find(session, found.session_id))

        return once.answer(session, said.model_dump(), decide)
