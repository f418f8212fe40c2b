"""The caller's ``movement_id`` is the key: the same again is answered as the first time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from demeter.stock.changes import LedgerChange
from demeter.stock.errors import MovementIdReused
from demeter.stock.models import LedgerRequest, StockMovement


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
