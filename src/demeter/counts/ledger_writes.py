"""What a count reads from the ledger and writes into it: lots as of a moment, a plan's rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig
from demeter.core.notices import Notice
from demeter.counts.models import Count
from demeter.counts.posting import LotTransfer, PlanRow, PostingLot, PostingPlan
from demeter.stock.batches import LotKind, open_lot
from demeter.stock.later_counts import next_posted_count
from demeter.stock.ledger import Author, write_movement
from demeter.stock.models import MovementType, StockBatch


@dataclass(frozen=True, slots=True)
class ExpectedLot:
    """What a location's active config says stands there: the lot that counts go to."""

    product_id: int
    product_state_id: int
    packaging_catalog_id: int | None


def expected_lot(config: LocationConfig) -> ExpectedLot:
    """The lot that a location's counts go to."""
    return ExpectedLot(
        config.product_id, config.expected_product_state_id, config.packaging_catalog_id
    )


def lots_as_of(
    session: Session, location_id: int, at: datetime, expected: ExpectedLot
) -> list[PostingLot]:
    """Every lot of a location with its stock at a moment and today, by id.

    A movement at the moment itself is before it.
    """
    rows = session.execute(
        text("""
        SELECT b.id, b.current_storage_bin_id AS bin_id, b.quantity_current AS today,
               coalesce(sum(m.quantity) FILTER (WHERE m.occurred_at <= :at), 0) AS as_of,
               b.product_id, b.product_id = :product AS counts,
               b.product_id = :product AND b.product_state_id = :state
                   AND b.packaging_catalog_id IS NOT DISTINCT FROM :packaging AS fits
        FROM stock_batches b
        JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
        LEFT JOIN stock_movements m ON m.batch_id = b.id
        WHERE s.storage_location_id = :location
        GROUP BY b.id ORDER BY b.created_at, b.id
        """),
        {
            "at": at,
            "location": location_id,
            "product": expected.product_id,
            "state": expected.product_state_id,
            "packaging": expected.packaging_catalog_id,
        },
    )
    return [
        PostingLot(
            r.id,
            r.bin_id,
            rank,
            r.as_of,
            r.today,
            fits=r.fits,
            counts=r.counts,
            product_id=r.product_id,
        )
        for rank, r in enumerate(rows)
    ]


def next_count(session: Session, count: Count) -> Count | None:
    """The first posted count of the location after this one, by moment, then by id."""
    later = next_posted_count(session, count.storage_location_id, count.captured_at, count.id)
    return session.get_one(Count, later.count_id) if later else None


def write_plan(
    session: Session,
    plan: PostingPlan,
    *,
    count: Count,
    later_count: Count | None,
    expected: ExpectedLot,
    author: Author,
    movement_type: MovementType = MovementType.FOTO,
) -> dict[int, int]:
    """Write a plan's movements; returns the first movement of each bin.

    With a ``later_count`` each row is matched by its opposite at that count, to which the
    opposite belongs, so that the later count stands.
    """
    opened_lots: dict[int, int] = {}
    first_movements: dict[int, int] = {}

    def batch(bin_id: int, batch_id: int | None) -> int:
        if batch_id is not None:
            return batch_id
        if bin_id not in opened_lots:
            opened_lots[bin_id] = open_expected_lot(session, bin_id, expected).id
        return opened_lots[bin_id]

    for row in plan.increases:
        first_movements.setdefault(
            row.bin_id, _write_foto(session, row, batch, count, count, author, movement_type)
        )
        if later_count is not None:
            _write_foto(session, _opposite(row), batch, later_count, count, author)
    for transfer in plan.transfers:
        write_lot_transfer(session, transfer, batch, author, count)
    for row in plan.decreases:
        if later_count is not None:
            _write_foto(session, _opposite(row), batch, later_count, count, author)
        first_movements.setdefault(
            row.bin_id, _write_foto(session, row, batch, count, count, author)
        )
    session.expire_all()
    return first_movements


def open_expected_lot(session: Session, bin_id: int, expected: ExpectedLot) -> StockBatch:
    """A new, empty lot of the config in a bin."""
    return open_lot(
        session,
        bin_id,
        LotKind(
            expected.product_id,
            expected.product_state_id,
            packaging_catalog_id=expected.packaging_catalog_id,
        ),
    )


def _write_foto(
    session: Session,
    row: PlanRow,
    batch: Any,
    at: Count,
    cause: Count,
    author: Author,
    movement_type: MovementType = MovementType.FOTO,
) -> int:
    return write_movement(
        session,
        batch_id=batch(row.bin_id, row.batch_id),
        movement_type=movement_type,
        quantity=row.quantity,
        user_id=author.user_id,
        source_type=author.source,
        reason=author.reason,
        processing_session_id=cause.processing_session_id,
        count_id=at.id,
        fact_id=author.fact_id,
        occurred_at=at.captured_at,
    )


def _opposite(row: PlanRow) -> PlanRow:
    return PlanRow(row.bin_id, row.batch_id, -row.quantity)


def write_lot_transfer(
    session: Session, lot_transfer: LotTransfer, batch: Any, author: Author, count: Count
) -> None:
    """An ``ajuste`` pair, dated now; ``batch`` finds or opens the lot of (bin, batch or None)."""
    transfer_id: UUID = uuid4()
    now = datetime.now(UTC)
    sides = (
        (batch(lot_transfer.giver_bin_id, lot_transfer.giver_batch_id), -lot_transfer.quantity),
        (batch(lot_transfer.taker_bin_id, lot_transfer.taker_batch_id), lot_transfer.quantity),
    )
    for batch_id, quantity in sides:
        write_movement(
            session,
            batch_id=batch_id,
            movement_type=MovementType.AJUSTE,
            quantity=quantity,
            transfer_id=transfer_id,
            user_id=author.user_id,
            source_type=author.source,
            reason=Notice("lots_settled", {"count_id": count.id}),
            processing_session_id=count.processing_session_id,
            fact_id=author.fact_id,
            occurred_at=now,
        )


def bins_holding(lots: Iterable[PostingLot]) -> set[int]:
    """The bins of lots that held plants at the lots' moment."""
    return {lot.bin_id for lot in lots if lot.as_of}
