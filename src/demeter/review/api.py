"""What a person decides about a session, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.accounts.models import User
from demeter.catalog.schemas import LocationConfigCreate
from demeter.core.fields import IS_NUMBER
from demeter.core.http.commands import run_once
from demeter.core.http.idempotency import Once, OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.photos import location_guess, session_detail
from demeter.photos.models import PhotoSession
from demeter.photos.schemas import SessionRead
from demeter.review import session_decisions
from demeter.stock import lookup

router = APIRouter(
    prefix="/api/v1/photos/sessions/{session_id}",
    tags=["decisions"],
    responses=PROBLEMS | {409: PROBLEM},
)

Decide = Callable[[Session, User], PhotoSession]
Text = Field(default=None, max_length=2000, pattern=r"^[^\x00]*$")


class Decision(BaseModel):
    """Who decides; the service user where nobody is named."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = Field(default=None, max_length=150, pattern=r"^[^\x00]+$")


class Acceptance(Decision):
    """Why the count is right although something spoke against it."""

    note: str | None = Text


class Discard(Decision):
    """Why nothing is to be made of these photos."""

    reason: str = Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*\S[^\x00]*$")


def _named_by(way: Literal["code", "id"]) -> dict[str, Any]:
    """For the OpenAPI document: the location is named so, and not in the other way."""
    other = "id" if way == "code" else "code"
    return {
        "required": [f"location_{way}"],
        "properties": {
            f"location_{way}": {"not": {"type": "null"}},
            f"location_{other}": {"type": "null"},
        },
    }


class LocationChoice(Decision):
    """The location, by one of its names."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [_named_by("code"), _named_by("id")]})

    location_code: str | None = Field(
        default=None, pattern="^[A-Z0-9_-]{1,50}$", examples=["NAVE1-C03"]
    )
    location_id: Annotated[int, Field(ge=1, lt=2**53), IS_NUMBER] | None = None

    @model_validator(mode="after")
    def _is_named(self) -> LocationChoice:
        if (self.location_code is None) == (self.location_id is None):
            raise ValueError("name the location by location_code or by location_id")
        return self


@router.post(
    "/accept", summary="Accept the count as it is; it is posted once", **requires(Permission.DECIDE)
)
def accept(session_id: UUID, once: OnceOnly, body: Acceptance | None = None) -> SessionRead:
    """What spoke against it is kept with your name and note."""
    acceptance = body or Acceptance()
    return _decide_once(
        once,
        acceptance,
        lambda session, user: session_decisions.accept(session, session_id, user, acceptance.note),
    )


@router.post(
    "/confirm-empty",
    summary="The photo shows an empty bed: post zero",
    **requires(Permission.DECIDE),
)
def confirm_empty(session_id: UUID, once: OnceOnly, body: Decision | None = None) -> SessionRead:
    """For photos in which no container was found."""
    return _decide_once(
        once,
        body or Decision(),
        lambda session, user: session_decisions.confirm_empty(session, session_id, user),
    )


@router.post(
    "/location",
    status_code=202,
    summary="Say which location the photo shows",
    **requires(Permission.REPORT),
)
def choose_location(session_id: UUID, once: OnceOnly, body: LocationChoice) -> SessionRead:
    """Counting begins with that."""

    def choose(session: Session, user: User) -> PhotoSession:
        if body.location_code is not None:
            location = location_guess.by_code(session, body.location_code)
        else:
            location = location_guess.by_id(session, body.location_id or 0)
        return session_decisions.choose_location(session, session_id, user, location)

    return _decide_once(once, body, choose)


@router.post(
    "/reprocess",
    status_code=202,
    summary="Count the stored photos anew",
    **requires(Permission.DECIDE),
)
def reprocess(session_id: UUID, once: OnceOnly, body: Decision | None = None) -> SessionRead:
    """A new attempt; stock is not added twice."""
    return _decide_once(
        once,
        body or Decision(),
        lambda session, user: session_decisions.reprocess(session, session_id, user),
    )


@router.post("/post", summary="Try again to post what was counted", **requires(Permission.DECIDE))
def retry_posting(session_id: UUID, once: OnceOnly, body: Decision | None = None) -> SessionRead:
    """After a configuration was set, say; nothing is counted anew."""
    return _decide_once(
        once,
        body or Decision(),
        lambda session, user: session_decisions.retry_posting(session, session_id, user),
    )


@router.post(
    "/config",
    summary="Say what grows at the session's location",
    **requires(Permission.DECIDE),
)
def configure(session_id: UUID, once: OnceOnly, body: LocationConfigCreate) -> SessionRead:
    """A count that waited for that is posted; nothing is counted anew."""

    def set_config(session: Session, user: User) -> PhotoSession:
        growing = lookup.growing(session, body.product_code, body.state, body.packaging_sku)
        return session_decisions.configure(
            session, session_id, user, growing, framed_whole=body.framed_whole
        )

    return _decide_once(once, body, set_config)


@router.post("/discard", summary="Put a session aside", **requires(Permission.REPORT))
def discard(session_id: UUID, once: OnceOnly, body: Discard) -> SessionRead:
    """One that waits or failed, such as a wrong photo; nothing is posted, its evidence stays.

    The same photos again are answered by it.
    """
    return _decide_once(
        once,
        body,
        lambda session, user: session_decisions.discard(session, session_id, user, body.reason),
    )


@router.post("/restore", summary="Take a discarded session back", **requires(Permission.REPORT))
def restore(session_id: UUID, once: OnceOnly, body: Decision | None = None) -> SessionRead:
    """It waits for what it waited for before."""
    return _decide_once(
        once,
        body or Decision(),
        lambda session, user: session_decisions.restore(session, session_id, user),
    )


def _decide_once(once: Once, decision: Decision | LocationConfigCreate, decide: Decide) -> Any:
    """Carry a decision out once; the session as it stands then."""

    def act(session: Session) -> SessionRead:
        decided = decide(session, acting_user(session, decision.user))
        session.flush()
        session.expire_all()
        return session_detail.answer(session, session_detail.find(session, decided.session_id))

    return run_once(once, decision, act)
