"""What is decided on a page of the review: carried out, and the next one is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse
from pydantic import Field
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.accounts.models import User
from demeter.core.db import transaction
from demeter.core.fields import IS_DIGITS
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.counts.queries import standing_count
from demeter.counts.schemas import CountMove
from demeter.photos import location_guess
from demeter.photos.queries import NEEDS_A_PERSON
from demeter.photos.sessions import lock_by_uuid
from demeter.review import (
    corrections,
    count_decisions,
    decision_log,
    growing_here,
    queries,
    queue,
    session_decisions,
)
from demeter.review.errors import CorrectionRefused
from demeter.stock import lookup
from demeter.stock.ledger import LedgerCommand
from demeter.stock.schemas import LedgerCommandCreate
from demeter.web import render
from demeter.web.review_undo import MOVED, RESTORED

router = APIRouter(prefix="/review/{session_id}")

Note = Annotated[str, Form(max_length=2000)]
Code = Annotated[str, Form(max_length=200)]
Whole = Annotated[int, Field(ge=0, le=1_000_000), IS_DIGITS]
Act = Callable[[Session, User], object]


class ReviewForm:
    """What every form of the page carries: which state was seen, and which queue is walked."""

    def __init__(
        self,
        session_id: UUID,
        seen: Annotated[str, Form(max_length=64)] = "",
        only: Annotated[str, Form(pattern=r"^[a-z_]{0,60}$")] = "",
    ) -> None:
        self.session_id, self.seen, self.only = session_id, seen, only

    def decide(self, did: str, act: Act, **told: str) -> RedirectResponse:
        """Carry an act out, unless somebody was faster, and go on with the next session."""
        with transaction() as session:
            user = acting_user(session)
            photo_session = lock_by_uuid(session, self.session_id)
            place = queue.place_of(session, self.session_id, self.only)
            next_id = place.next_id if place else None
            if self.seen and self.seen != decision_log.seen_version(session, photo_session):
                return self._go_on(next_id, "elsewhere", **told)
            act(session, user)
            session.flush()
            if photo_session.status in NEEDS_A_PERSON and did not in MOVED:
                return self._go_on(self.session_id, "still", **told)
        return self._go_on(next_id, did, **told)

    def _go_on(self, session_id: UUID | None, did: str, **told: str) -> RedirectResponse:
        facts = {"did": did, "of": str(self.session_id)} | told
        facts |= {"reason": self.only} if self.only else {}
        path = f"/review/{session_id}" if session_id else "/review"
        return RedirectResponse(f"{path}?{urlencode(facts)}", status_code=303)


Decides = Annotated[ReviewForm, Depends()]


@router.post("/accept", **requires(Permission.DECIDE))
def accept(form: Decides, note: Note = "") -> RedirectResponse:
    """The count is right."""
    of = form.session_id
    return form.decide(
        "accept", lambda s, user: session_decisions.accept(s, of, user, _plain(note) or None)
    )


@router.post("/confirm-empty", **requires(Permission.DECIDE))
def confirm_empty(form: Decides) -> RedirectResponse:
    """The bed is empty."""
    of = form.session_id
    return form.decide(
        "confirm_empty", lambda s, user: session_decisions.confirm_empty(s, of, user)
    )


@router.post("/discard", **requires(Permission.REPORT))
def discard(form: Decides, reason: Note) -> RedirectResponse:
    """Nothing is to be made of these photos."""
    of = form.session_id
    return form.decide(
        "discard", lambda s, user: session_decisions.discard(s, of, user, _plain(reason))
    )


@router.post("/another-photo", **requires(Permission.REPORT))
def ask_for_another(request: Request, form: Decides) -> RedirectResponse:
    """These photos are put aside, and the bed is one that was not photographed."""
    of, why = form.session_id, render.words_of(request)("review.another_reason")
    return form.decide("another_photo", lambda s, user: session_decisions.discard(s, of, user, why))


@router.post("/reprocess", **requires(Permission.DECIDE))
def reprocess(form: Decides) -> RedirectResponse:
    """Count the photos anew."""
    of = form.session_id
    return form.decide("reprocess", lambda s, user: session_decisions.reprocess(s, of, user))


@router.post("/post", **requires(Permission.DECIDE))
def retry_posting(form: Decides) -> RedirectResponse:
    """Try again to post."""
    of = form.session_id
    return form.decide("post", lambda s, user: session_decisions.retry_posting(s, of, user))


@router.post("/repost", **requires(Permission.DECIDE))
def repost(form: Decides) -> RedirectResponse:
    """A count that was taken back is tried once more."""

    def act(session: Session, _: User) -> None:
        body = LedgerCommandCreate(movement_id=uuid4())
        count_decisions.repost_count(session, _last_count(session, form.session_id), body)

    return form.decide("post", act)


@router.post("/location", **requires(Permission.REPORT))
def choose_location(form: Decides, location_code: Code) -> RedirectResponse:
    """The photo shows this bed; it is counted."""

    def act(session: Session, user: User) -> None:
        location = location_guess.by_code(session, _plain(location_code).upper())
        session_decisions.choose_location(session, form.session_id, user, location)

    return form.decide("location", act)


@router.post("/move", **requires(Permission.REPORT))
def move(request: Request, form: Decides, location_code: Code, was: Code = "") -> RedirectResponse:
    """The count is of another bed."""
    why = render.words_of(request)("review.move_reason")

    def act(session: Session, _: User) -> None:
        _move(session, form.session_id, _plain(location_code).upper(), why)

    return form.decide("move", act, was=_plain(was))


@router.post("/config", **requires(Permission.DECIDE))
def say_growing(
    form: Decides, product_code: Code, state: Code, packaging_sku: Code = "", did: Code = "config"
) -> RedirectResponse:
    """What grows there; the count that waited for it is posted."""

    def act(session: Session, user: User) -> None:
        growing = lookup.growing(
            session, _plain(product_code), _plain(state), _plain(packaging_sku) or None
        )
        growing_here.say_growing(session, form.session_id, user, growing)

    return form.decide("grow_held" if did == "grow-held" else "config", act)


@router.post("/correct", **requires(Permission.DECIDE))
def correct(
    form: Decides,
    index: Annotated[list[Whole], Form(max_length=1000)],
    plants: Annotated[list[Whole], Form(max_length=1000)],
    note: Note = "",
) -> RedirectResponse:
    """Numbers of whole containers, by their index; the count is posted with them."""
    if len(index) != len(plants):
        raise CorrectionRefused("each container has one number")
    numbers = dict(zip(index, plants, strict=True))

    def act(session: Session, user: User) -> None:
        _correct(session, form.session_id, user, numbers, _plain(note) or None)

    return form.decide("correct", act)


@router.post("/blind-recount", **requires(Permission.REPORT))
def recount_blind(
    form: Decides, plants: Annotated[int, Form(ge=0, le=1_000_000), IS_DIGITS]
) -> RedirectResponse:
    """A person's own number, before the machine's is shown."""
    of = form.session_id
    return form.decide(
        "blind_recount", lambda s, user: session_decisions.recount_blind(s, of, user, plants, {})
    )


@router.post("/undo", **requires(Permission.REPORT))
def undo(
    request: Request, form: Decides, did: Annotated[str, Form(max_length=60)], was: Code = ""
) -> RedirectResponse:
    """Take the decision back that the page has just said; its session is shown again."""
    why = render.words_of(request)("review.undo_reason")
    with transaction() as session:
        user = acting_user(session)
        if did in RESTORED:
            session_decisions.restore(session, form.session_id, user)
        elif did in MOVED:
            _move(session, form.session_id, _plain(was), why)
        else:
            body = LedgerCommandCreate(movement_id=uuid4(), reason=why)
            count_id = _standing_count(session, form.session_id)
            count_decisions.void_count(session, count_id, body)
    return RedirectResponse(
        f"/review/{form.session_id}?did=undone&of={form.session_id}", status_code=303
    )


def _correct(
    session: Session, session_id: UUID, user: User, numbers: dict[int, int], note: str | None
) -> None:
    count = queries.require_count(session, lock_by_uuid(session, session_id))
    changed = {
        row.id: numbers[row.container_index]
        for row in count.containers
        if row.container_index in numbers and numbers[row.container_index] != row.answer
    }
    command = LedgerCommand(uuid4(), user.id, None, note)
    edits = corrections.Edits(changed)
    corrections.correct_count(session, command, count.id, edits, accept=True)


def _move(session: Session, session_id: UUID, location_code: str, why: str) -> None:
    body = CountMove(movement_id=uuid4(), location_code=location_code, reason=why)
    count_decisions.move_count(session, _standing_count(session, session_id), body)


def _standing_count(session: Session, session_id: UUID) -> int:
    return queries.require_count(session, lock_by_uuid(session, session_id)).id


def _last_count(session: Session, session_id: UUID) -> int:
    """The session's count that stands, else the last that was taken back."""
    photo_session = lock_by_uuid(session, session_id)
    count = standing_count(session, photo_session.id)
    return count.id if count is not None else queries.last_count_id(session, photo_session)


def _plain(text: str) -> str:
    return text.replace("\x00", "").strip()
