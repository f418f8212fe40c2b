"""The caller's ``movement_id`` is the key: the same again is answered as the first time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from demeter.core.settings import settings
from demeter.stock.changes import LedgerChange
from demeter.stock.errors import HappenedInFuture, MovementIdReused
from demeter.stock.models import LedgerRequest, StockMovement

PATIENCE = timedelta(minutes=5)  # clocks of phones run ahead a little


def answer_once(
    session: Session,
    movement_id: UUID,
    kind: str,
    request: dict[str, Any],
    user_id: int,
    act: Callable[[], LedgerChange],
) -> LedgerChange:
    """Carry ``act`` out under this key, or answer as the first time.

    Two calls with one key at the same moment wait for each other on the key's row, which is
    taken before any location's lock.

    Raises:
        MovementIdReused: the key stands for other content.
    """
    new_key = session.scalar(
        insert(LedgerRequest)
        .values(movement_id=movement_id, kind=kind, request=request, user_id=user_id)
        .on_conflict_do_nothing()
        .returning(LedgerRequest.movement_id)
    )
    if new_key is None:
        return _first_answer(session, movement_id, kind, request, user_id)
    _require_unused(session, movement_id)
    change = act()
    session.get_one(LedgerRequest, movement_id).answer = change.model_dump(mode="json")
    session.flush()
    return change


def _first_answer(
    session: Session, movement_id: UUID, kind: str, request: dict[str, Any], user_id: int
) -> LedgerChange:
    first = session.scalars(
        select(LedgerRequest)
        .where(LedgerRequest.movement_id == movement_id)
        .execution_options(populate_existing=True)
    ).one()
    if (first.kind, first.request, first.user_id) != (kind, request, user_id):
        raise MovementIdReused(
            f"{movement_id} was first used for {first.kind} {first.request}",
            movement_id=str(movement_id),
            first_kind=first.kind,
        )
    return LedgerChange.model_validate(first.answer)


def _require_unused(session: Session, movement_id: UUID) -> None:
    movement_type = session.scalar(
        select(StockMovement.movement_type).where(StockMovement.movement_id == movement_id)
    )
    if movement_type is not None:
        raise MovementIdReused(
            f"{movement_id} is a movement of kind {movement_type}", movement_id=str(movement_id)
        )


def moment_of(when: datetime | date | None) -> datetime:
    """When it happened, in UTC; none is now.

    A date alone is the end of that day at the site, or now where that day is not over: what is
    reported after it on the same day is later.

    Raises:
        HappenedInFuture: it is yet to come; today without a time is not.
    """
    now = datetime.now(UTC)
    zone = ZoneInfo(settings().time_zone)
    if when is None:
        return now
    if not isinstance(when, datetime):
        if when > now.astimezone(zone).date():
            raise HappenedInFuture(f"{when} is in the future", given=when.isoformat())
        return min(datetime.combine(when, time.max, zone).astimezone(UTC), now)
    moment = when if when.tzinfo else when.replace(tzinfo=zone)
    if moment > now + PATIENCE:
        raise HappenedInFuture(f"{moment.isoformat()} is in the future", given=when.isoformat())
    return moment.astimezone(UTC)
