"""The one door to the table of movements.

Whoever writes here holds the lock of the location, taken before that of any batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.notices import Notice
from demeter.core.wording import english
from demeter.locations import retry_signal
from demeter.locations.errors import BinRetired
from demeter.locations.models import StorageLocation
from demeter.locations.rules import require_active
from demeter.stock import period_lock
from demeter.stock.changes import LedgerChange, written_movements
from demeter.stock.late_movements import (
    Change,
    StandingLot,
    changes_with_opposites,
    require_enough_plants,
)
from demeter.stock.later_counts import next_posted_count
from demeter.stock.models import MovementType, SourceType, StockMovement

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes movements, by what authority, and why; ``fact_id`` is the caller's key."""

    user_id: int
    source: SourceType
    reason: str | Notice
    fact_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class LedgerCommand:
    """Who says so, under which key, when it happened (a date alone: at its end), and why.

    ``default_reason`` is written where the person gives no reason.
    """

    movement_id: UUID
    user_id: int
    at: datetime | date | None = None
    reason: str | None = None
    default_reason: Notice | None = None

    def request(self, **content: Any) -> dict[str, Any]:
        """What was asked, as JSON: the same again under the same key is the same command."""
        default = english(self.default_reason) if self.default_reason else None
        at = self.at.isoformat() if self.at else None
        return {"at": at, "reason": self.reason or default} | content


def write_movement(session: Session, *, reason: str | Notice, **values: Any) -> int:
    """One movement; the database changes its batch in the same statement."""
    values.setdefault("movement_id", uuid4())
    return session.execute(
        insert(StockMovement).values(values | reason_columns(reason)).returning(StockMovement.id)
    ).scalar_one()


def reason_text(reason: str | Notice) -> str:
    """A person's words as they are, a notice in English."""
    return reason if isinstance(reason, str) else english(reason)


def reason_columns(reason: str | Notice) -> dict[str, Any]:
    """The columns that say why: a person's words, or a notice and the same in English."""
    notice = None if isinstance(reason, str) else reason.to_json()
    return {"reason_description": reason_text(reason), "reason_notice": notice}


def write_changes(
    session: Session,
    command: LedgerCommand,
    kind: str,
    changes: Sequence[Change],
    locations: Mapping[int, StorageLocation],
    lots: Sequence[StandingLot],
    unit_price: Decimal | None = None,
) -> LedgerChange:
    """Write changes and what they bring along; the locations are locked.

    ``lots`` are all lots of these locations, those opened for the changes too.

    Raises:
        PeriodClosed: they happened at or before a closed period's closing count.
        PlaceInactive, BinRetired: plants would change there today.
        TooFewPlants: a lot would hold less than nothing.
    """
    by_id = {lot.batch_id: lot for lot in lots}
    at = changes[0].occurred_at
    for location_id, product_id in sorted(
        {(c.location_id, by_id[c.batch_id].product_id) for c in changes}
    ):
        period_lock.require_open(session, location_id, at, product_id)
    counts_after = {key: next_posted_count(session, key, at) for key in locations}
    for change in changes:
        if counts_after[change.location_id] is None:
            _require_usable(locations[change.location_id], by_id[change.batch_id])
    rows = changes_with_opposites(changes, counts_after)
    require_enough_plants(rows, lots)
    ledger_change = write_rows(
        session, command, kind, rows, first=changes[0], unit_price=unit_price
    )
    _note_empty_containers(session, changes, counts_after)
    retry_signal.retry_later(session, locations)
    session.expire_all()
    return ledger_change


def write_rows(
    session: Session,
    command: LedgerCommand,
    kind: str,
    rows: Sequence[Change],
    *,
    first: Change,
    unit_price: Decimal | None = None,
) -> LedgerChange:
    """Write rows in their order; ``first`` gets the caller's key, the others keys made of it."""
    ids: list[int] = []
    whys: dict[int, Notice] = {}
    for number, row in enumerate(rows):
        key = command.movement_id if row is first else uuid5(command.movement_id, str(number))
        movement = write_movement(
            session,
            movement_id=key,
            batch_id=row.batch_id,
            movement_type=row.movement_type,
            quantity=row.quantity,
            transfer_id=row.transfer_id,
            user_id=command.user_id,
            source_type=SourceType.MANUAL,
            unit_price=unit_price if row.movement_type is MovementType.VENTAS else None,
            total_price=_total_price(unit_price, row),
            reason=command.reason or row.why,
            reverses_movement_id=row.reverses,
            count_id=row.count_id,
            closing_id=row.closing_id,
            fact_id=command.movement_id,
            occurred_at=row.occurred_at,
        )
        ids.append(movement)
        whys[movement] = row.why
    log.info("fact_written", kind=kind, movement_id=str(command.movement_id), rows=len(ids))
    return LedgerChange(
        movement_id=command.movement_id,
        kind=kind,
        movements=written_movements(session, ids, whys),
    )


def _total_price(unit_price: Decimal | None, row: Change) -> Decimal | None:
    if unit_price is None or row.movement_type is not MovementType.VENTAS:
        return None
    return unit_price * -row.quantity


def _require_usable(location: StorageLocation, lot: StandingLot) -> None:
    require_active(location)
    if lot.retired:
        raise BinRetired(f"bin {lot.bin_code} is retired", bin_code=lot.bin_code)


def _note_empty_containers(
    session: Session, changes: Sequence[Change], counts_after: Mapping[int, Any]
) -> None:
    """Deaths leave empty containers behind, unless a later count has seen them."""
    for change in changes:
        if change.movement_type is MovementType.MUERTE and counts_after[change.location_id] is None:
            session.execute(
                text("""
                UPDATE stock_batches SET quantity_empty_containers =
                    greatest(0, quantity_empty_containers - :quantity) WHERE id = :batch
                """),
                {"quantity": change.quantity, "batch": change.batch_id},
            )
