"""What a command changes in the ledger: shown before it is written, kept as its answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.notices import Notice
from demeter.core.schemas import Output
from demeter.core.wording import english
from demeter.stock.models import MovementType


class WrittenMovement(Output):
    """One movement with its lot before and after the whole change."""

    movement_id: UUID
    movement_type: MovementType
    quantity: int
    occurred_at: datetime
    batch_id: int
    batch_code: str
    bin_code: str
    location_code: str
    product_code: str
    batch_before: int
    batch_after: int
    transfer_id: UUID | None
    count_id: int | None
    reverses_movement_id: UUID | None
    why: str | None
    why_notice: Notice | None = None


class LedgerChange(Output):
    """Everything that one command writes; ``count_id`` is the count it posts, if it is one."""

    movement_id: UUID | None
    kind: str
    movements: list[WrittenMovement]
    count_id: int | None = None
    waits_for: str | None = None
    message: str | None = None
    reasons: list[Notice] = Field(default=[])
    next_action: str | None = None


def latest_movement_id(session: Session) -> int:
    """The id of the last movement written, 0 before the first."""
    return session.execute(text("SELECT coalesce(max(id), 0) FROM stock_movements")).scalar_one()


def written_movements(
    session: Session, ids: list[int], whys: dict[int, Notice] | None = None
) -> list[WrittenMovement]:
    """Movements by id, as a person reads them.

    ``whys`` say by id what a movement does, beside a person's own reason for it.
    """
    rows = session.execute(
        text("""
        SELECT m.id, m.movement_id, m.movement_type, m.quantity, m.occurred_at, m.batch_id,
               b.batch_code, s.code AS bin_code, l.code AS location_code, p.code AS product_code,
               b.quantity_current - sum(m.quantity) OVER (PARTITION BY b.id) AS batch_before,
               b.quantity_current AS batch_after, m.transfer_id, m.count_id,
               r.movement_id AS reverses_movement_id, m.reason_description AS why,
               m.reason_notice AS why_notice
        FROM stock_movements m
        JOIN stock_batches b ON b.id = m.batch_id
        JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
        JOIN storage_locations l ON l.location_id = s.storage_location_id
        JOIN products p ON p.id = b.product_id
        LEFT JOIN stock_movements r ON r.id = m.reverses_movement_id
        WHERE m.id = ANY(:ids) ORDER BY m.id
        """),
        {"ids": ids},
    ).mappings()
    return [
        WrittenMovement.model_validate(dict(row) | _why((whys or {}).get(row["id"])))
        for row in rows
    ]


def _why(notice: Notice | None) -> dict[str, Any]:
    return {"why": english(notice), "why_notice": notice} if notice else {}


def movements_since(session: Session, last_id: int, location_id: int) -> list[WrittenMovement]:
    """The movements after ``last_id`` at a location, which the caller has locked."""
    ids = session.execute(
        text("""
        SELECT m.id FROM stock_movements m
        JOIN stock_batches b ON b.id = m.batch_id
        JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
        WHERE m.id > :last AND s.storage_location_id = :location
        """),
        {"last": last_id, "location": location_id},
    ).scalars()
    return written_movements(session, list(ids.all()))
