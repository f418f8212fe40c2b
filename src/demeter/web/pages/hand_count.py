"""Counting by hand: the bins of a bed, a number for each, through the same act as the API's."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from demeter.core.db import transaction
from demeter.core.errors import DomainError, InvalidInput
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.counts import commands, queries
from demeter.counts.beds import WalkedBed, bins_to_count, walk
from demeter.counts.schemas import BinCount, HandCountCreate
from demeter.stock import lookup
from demeter.stock.count_units import unit_to_count_in
from demeter.vision.values import CountUnit
from demeter.web import render

router = APIRouter(prefix="/count/hand")

NOT_COUNTED = ("", "—", "-")
Code = Annotated[str, Form(max_length=200)]
Bed = Annotated[str, Query(max_length=50, pattern=r"^[^\x00]*$")]


class NoNumberTyped(InvalidInput):
    """Nothing was counted: every field was left open."""

    code = "no_number_typed"
    title = "No number was written"
    next_action = "Write at least one number; 0 means counted, and empty."


class NumberUnclear(InvalidInput):
    """What was written is no whole number of plants."""

    code = "number_unclear"
    title = "This is not a number of plants"
    next_action = "Write digits alone, for example 124."


@router.get("", **requires(Permission.REPORT))
def show_form(
    request: Request, bed: Bed = "", counted: Annotated[int, Query(ge=0, lt=2**53)] = 0
) -> Response:
    """The bins of a bed to be counted; ``counted`` is the count that was just written."""
    return _page(request, bed.strip().upper(), counted=counted)


@router.post("", **requires(Permission.REPORT))
def write_count(
    request: Request,
    bed: Code,
    movement_id: Annotated[UUID, Form()],
    bin_code: Annotated[list[str] | None, Form()] = None,
    plants: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """What was counted; fields left open are not counted."""
    typed = plants or []
    try:
        body = _count_of(bed, movement_id, bin_code or [], typed)
        with transaction() as session:
            change = commands.count_by_hand(session, body)
    except DomainError as error:
        return _page(request, bed, typed=typed, error=error, movement_id=movement_id)
    return RedirectResponse(f"/count/hand?bed={bed}&counted={change.count_id}", status_code=303)


def _count_of(bed: str, movement_id: UUID, bins: list[str], typed: list[str]) -> HandCountCreate:
    numbers = [_number(words) for words in typed]
    if all(number is None for number in numbers):
        raise NoNumberTyped(f"no number was written for {bed}")
    whole = None if bins else numbers[0]
    by_bin = [
        BinCount(bin_code=code, plants=number)
        for code, number in zip(bins, numbers, strict=False)
        if number is not None
    ]
    try:
        return HandCountCreate(
            movement_id=movement_id, location_code=bed, plants=whole, bins=by_bin
        )
    except ValidationError as error:
        raise NumberUnclear(f"{bed}: {error.errors()[0]['msg']}") from error


def _number(words: str) -> int | None:
    plain = words.strip()
    if plain in NOT_COUNTED:
        return None
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 8):  # noqa: PLR2004  ten millions
        raise NumberUnclear(f"{plain!r} is no number of plants")
    return int(plain)


def _page(
    request: Request,
    bed: str,
    *,
    counted: int = 0,
    typed: list[str] | None = None,
    error: DomainError | None = None,
    movement_id: UUID | None = None,
) -> Response:
    with transaction() as session:
        beds = walk(session)
        location = lookup.location(session, bed) if bed else None
        return render.page(
            request,
            "count/hand.html",
            status_code=error.status if error else 200,
            beds=beds,
            bed=next((each for each in beds if location and each.code == location.code), None),
            next_bed=_next(beds, bed),
            bins=bins_to_count(session, bed) if location else [],
            counts_places=location is not None
            and unit_to_count_in(session, location.location_id) is CountUnit.CONTAINERS,
            count=queries.count(session, counted) if counted else None,
            typed=typed or [],
            movement_id=movement_id or uuid4(),
            problem=error.problem() if error else None,
        )


def _next(beds: list[WalkedBed], code: str) -> WalkedBed | None:
    codes = [each.code for each in beds]
    at = codes.index(code) + 1 if code in codes else len(beds)
    return beds[at] if at < len(beds) else None
