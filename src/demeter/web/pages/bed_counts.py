"""Counts of a bed that were wrong: taken back, or moved to the bed that the photos show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.counts.queries import count as count_of
from demeter.counts.schemas import CountId, CountMove
from demeter.locations.bed_names import bed_named, beds_around
from demeter.locations.models import StorageLocation
from demeter.photos import session_detail
from demeter.review import count_decisions, session_decisions
from demeter.stock import lookup
from demeter.stock.bed_changes import preview_beds
from demeter.stock.changes import LedgerChange
from demeter.stock.schemas import LedgerCommandCreate
from demeter.web import render
from demeter.web.pages.bed import is_sheet, mid_sentence, redirect
from demeter.web.short_dates import ShortDates

router = APIRouter(prefix="/beds/{code}")

Words = Annotated[str, Form(max_length=2000)]
Act = Annotated[str, Form(pattern="^(show|write)$")]
Key = Annotated[UUID | None, Form()]


@router.get("/counts/{count_id}/void", **requires(Permission.REPORT))
def ask_void(request: Request, code: str, count_id: CountId) -> Response:
    """What taking the count back would do."""
    return _void(request, code, count_id, uuid4(), "", act="show")


@router.post("/counts/{count_id}/void", **requires(Permission.REPORT))
def void_count(
    request: Request, code: str, count_id: CountId, key: Key = None, reason: Words = "",
    act: Act = "show",
) -> Response:  # fmt: skip
    """Take the count back."""
    return _void(request, code, count_id, key or uuid4(), _clean(reason), act=act)


def _void(
    request: Request, code: str, count_id: int, key: UUID, reason: str, *, act: str
) -> Response:
    words = render.words_of(request)
    body = LedgerCommandCreate(movement_id=key, reason=reason or words("beds.void_reason"))

    def change(session: Session) -> LedgerChange:
        return count_decisions.void_count(session, count_id, body)

    values = {"key": key, "reason": reason}
    return _decide(request, code, count_id, "void", change, {"voided": "true"}, values, act)


@router.get("/counts/{count_id}/move", **requires(Permission.REPORT))
def ask_move(request: Request, code: str, count_id: CountId) -> Response:
    """Which bed the photos show."""
    values: dict[str, Any] = {"key": uuid4(), "to": ""}
    return _decide(request, code, count_id, "move", None, {}, values, "show")


@router.post("/counts/{count_id}/move", **requires(Permission.REPORT))
def move_count(
    request: Request, code: str, count_id: CountId, key: Key = None, to: Words = "",
    to_near: Words = "", act: Act = "show",
) -> Response:  # fmt: skip
    """Show what moving it would do, or move it."""
    values: dict[str, Any] = {"key": key or uuid4(), "to": _clean(to) or _clean(to_near)}
    reason = render.words_of(request)("beds.move_reason")
    said: dict[str, str] = {}

    def change(session: Session) -> LedgerChange:
        there = bed_named(session, values["to"], lookup.location(session, code))
        said["moved"], values["there"] = there.code, there
        body = CountMove(movement_id=values["key"], reason=reason, location_code=there.code)
        return count_decisions.move_count(session, count_id, body)

    return _decide(request, code, count_id, "move", change, said, values, act)


def _decide(
    request: Request,
    code: str,
    count_id: int,
    kind: str,
    change: Callable[[Session], LedgerChange] | None,
    said: dict[str, str],
    values: dict[str, Any],
    act: str,
) -> Response:
    """Show a decision about a count, or carry it out; a refusal is shown in the form."""
    try:
        with transaction() as session:
            bed = lookup.location(session, code)
            if change is not None and act == "write":
                change(session)
                return redirect(bed.code, request, **said)
            outcome = None
            if change is not None:
                outcome = preview_beds(
                    session, lambda: change(session), lambda: _named(bed, values)
                )
            return _page(request, session, bed, count_id, kind, values | {"outcome": outcome})
    except DomainError as error:
        with transaction() as session:
            bed = lookup.location(session, code)
            return _page(request, session, bed, count_id, kind, values, error)


def _named(bed: StorageLocation, values: dict[str, Any]) -> list[str]:
    return [bed.code, *([values["there"].code] if "there" in values else [])]


def _page(
    request: Request,
    session: Session,
    bed: StorageLocation,
    count_id: int,
    kind: str,
    values: dict[str, Any],
    error: DomainError | None = None,
) -> Response:
    outcome = values.get("outcome")
    return _rendered(
        request,
        "count",
        {
            "kind": kind,
            "bed": bed,
            "count": count_of(session, count_id),
            "near": beds_around(session, bed) if kind == "move" else [],
            "beds": outcome.beds if outcome else [],
            "outcome": outcome.change if outcome else None,
        }
        | {name: values.get(name) for name in ("key", "reason", "to", "there")},
        error,
    )


@router.get("/photos/{session_id}/discard", **requires(Permission.REPORT))
def ask_discard(request: Request, code: str, session_id: UUID) -> Response:
    """Whether a photo that waits is to be put aside."""
    return _discard_page(request, code, session_id)


@router.post("/photos/{session_id}/discard", **requires(Permission.REPORT))
def discard_photo(request: Request, code: str, session_id: UUID, reason: Words = "") -> Response:
    """Put a photo that waits aside; its evidence stays."""
    said = _clean(reason) or render.words_of(request)("beds.discard_reason")
    try:
        with transaction() as session:
            bed = lookup.location(session, code)
            session_decisions.discard(session, session_id, acting_user(session), said)
            return redirect(bed.code, request, discarded=session_id)
    except DomainError as error:
        return _discard_page(request, code, session_id, error)


def _discard_page(
    request: Request, code: str, session_id: UUID, error: DomainError | None = None
) -> Response:
    with transaction() as session:
        bed = lookup.location(session, code)
        read = session_detail.answer(session, session_detail.find(session, session_id))
        return _rendered(request, "discard", {"bed": bed, "s": read}, error)


def _rendered(
    request: Request, name: str, values: dict[str, Any], error: DomainError | None
) -> Response:
    words = render.words_of(request)
    return render.page(
        request,
        f"beds/{name}_part.html" if is_sheet(request) else f"beds/{name}.html",
        status_code=error.status if error else 200,
        problem=error.problem() if error else None,
        short=ShortDates(words),
        word_of=mid_sentence,
        **values,
    )


def _clean(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())
