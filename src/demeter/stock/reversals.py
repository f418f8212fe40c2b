"""A wrong movement is undone by its reversal, once, with a reason; nothing is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid5

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.core.notices import Notice
from demeter.core.permissions import Permission
from demeter.locations import lock
from demeter.locations.models import StorageBin
from demeter.stock import request_keys
from demeter.stock.batches import standing_lots
from demeter.stock.changes import LedgerChange
from demeter.stock.errors import NameNotFound, NotUndoable, ReasonMissing
from demeter.stock.late_movements import Change
from demeter.stock.ledger import LedgerCommand, write_changes
from demeter.stock.models import MovementType, StockBatch, StockMovement
from demeter.stock.own_reports import FOR, require_own
from demeter.stock.schemas import LotEntryRead, MovementRead

OF_COUNTS = (MovementType.FOTO, MovementType.MANUAL_INIT)


def undo(session: Session, command: LedgerCommand, movement_id: UUID) -> LedgerChange:
    """Reverse a movement with all that was written with it: lots, both sides of a transfer.

    The reversal is dated when the movement was, and stands under the same rules: where a
    count follows, it gets its own opposite there.

    Raises:
        NameNotFound: there is no such movement.
        NotUndoable: it belongs to a count or a closing, is a reversal, or is undone already.
        ReasonMissing: no reason is given.
        NoLongerOwn: a worker may not, as `own_reports.require_own` says.
    """
    if not (command.reason or "").strip():
        raise ReasonMissing("undoing a movement says its reason")

    def act() -> LedgerChange:
        lock.lock_locations(
            session, _locations(session, _movements_to_reverse(session, movement_id))
        )
        rows = _movements_to_reverse(session, movement_id)
        location_of = {row.batch_id: _location_of(session, row.batch_id) for row in rows}
        require_own(
            session,
            reporter_id=rows[0].user_id,
            reported_at=rows[0].created_at,
            location_ids=set(location_of.values()),
        )
        _require_undoable(session, rows)
        locations = lock.lock_locations(session, location_of.values())
        at = rows[0].occurred_at
        lots = [lot for key in locations for lot in standing_lots(session, key, at)]
        changes = [_reversal(command, row, location_of[row.batch_id]) for row in rows]
        return write_changes(session, command, "undo", changes, locations, lots)

    request = command.request(undoes=str(movement_id))
    return request_keys.answer_once(
        session, command.movement_id, "undo", request, command.user_id, act
    )


def may_undo(movement: MovementRead | LotEntryRead) -> bool:
    """Whether who acts may undo a movement, as far as the movement itself tells.

    A worker's own report is still refused once its bed was counted again.
    """
    if movement.movement_type in OF_COUNTS or movement.written_by_closing:
        return False
    if movement.reverses_movement_id is not None or movement.undone_by is not None:
        return False
    if identity.has(Permission.DECIDE):
        return True
    reporter, reported_at = (
        (movement.by, movement.told_at)
        if isinstance(movement, LotEntryRead)
        else (movement.user, movement.created_at)
    )
    acting = identity.current()
    is_own = acting is not None and acting.username == reporter
    is_fresh = datetime.now(UTC) - reported_at <= FOR
    return identity.has(Permission.REPORT) and is_own and is_fresh


def _movements_to_reverse(session: Session, movement_id: UUID) -> list[StockMovement]:
    """The movement with its companions: the same fact, and the same transfers."""
    movement = session.scalar(select(StockMovement).where(StockMovement.movement_id == movement_id))
    if movement is None:
        raise NameNotFound(
            f"there is no movement {movement_id}", kind="movement", name=str(movement_id)
        )
    if movement.movement_type in OF_COUNTS:
        return [movement]
    companions = [StockMovement.id == movement.id]
    if movement.fact_id is not None:
        companions.append(StockMovement.fact_id == movement.fact_id)
    if movement.transfer_id is not None:
        companions.append(StockMovement.transfer_id == movement.transfer_id)
    return list(
        session.scalars(
            select(StockMovement)
            .where(or_(*companions), StockMovement.movement_type.not_in(OF_COUNTS))
            .order_by(StockMovement.id)
        )
    )


def _require_undoable(session: Session, rows: Sequence[StockMovement]) -> None:
    first = rows[0]
    if first.movement_type in OF_COUNTS:
        raise NotUndoable(
            f"{first.movement_id} belongs to count {first.count_id}: correct or void the count",
            count_id=first.count_id,
        )
    if first.closing_id is not None:
        raise NotUndoable(
            f"{first.movement_id} was written by closing a period: reopen the period",
            closing_id=first.closing_id,
        )
    if any(row.reverses_movement_id is not None for row in rows):
        raise NotUndoable(f"{first.movement_id} is a reversal: report the movement again instead")
    undone = session.scalar(
        select(StockMovement.movement_id).where(
            StockMovement.reverses_movement_id.in_([row.id for row in rows])
        )
    )
    if undone is not None:
        raise NotUndoable(
            f"{first.movement_id} is undone already, by {undone}", undone_by=str(undone)
        )


def _locations(session: Session, rows: Sequence[StockMovement]) -> list[int]:
    return [_location_of(session, row.batch_id) for row in rows]


def _location_of(session: Session, batch_id: int) -> int:
    return session.scalars(
        select(StorageBin.storage_location_id)
        .join(StockBatch, StockBatch.current_storage_bin_id == StorageBin.bin_id)
        .where(StockBatch.id == batch_id)
    ).one()


def _reversal(command: LedgerCommand, row: StockMovement, location_id: int) -> Change:
    transfer = (
        uuid5(command.movement_id, str(row.transfer_id)) if row.transfer_id is not None else None
    )
    return Change(
        row.batch_id,
        location_id,
        row.movement_type,
        -row.quantity,
        row.occurred_at,
        why=Notice("undoes", {"movement_id": str(row.movement_id)}),
        transfer_id=transfer,
        reverses=row.id,
    )
