"""What a session did to the ledger: its movements and the lots they fill."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from demeter.locations.models import StorageBin
from demeter.photos.models import PhotoSession
from demeter.photos.schemas import BatchAnswer, BinAnswer, ContainerAnswer, MovementAnswer
from demeter.stock.models import Count, StockBatch, StockMovement


def bin_answer(found: StorageBin) -> BinAnswer:
    """A bin by id and code."""
    return BinAnswer(bin_id=found.bin_id, code=found.code)


def movements_of(
    session: Session, found: PhotoSession, counts: Sequence[Count]
) -> list[MovementAnswer]:
    """Every row of the ledger that belongs to a session or its counts, in order."""
    rows = session.scalars(
        select(StockMovement)
        .where(
            or_(
                StockMovement.processing_session_id == found.id,
                StockMovement.count_id.in_([count.id for count in counts]),
            )
        )
        .order_by(StockMovement.id)
        .options(joinedload(StockMovement.batch).joinedload(StockBatch.bin))
    )
    return [_movement(row) for row in rows]


def batches_of(
    session: Session,
    containers: Sequence[ContainerAnswer],
    movements: Sequence[MovementAnswer],
) -> list[BatchAnswer]:
    """The lots in the bins that were counted or changed, as they stand now."""
    bins = {c.bin.bin_id for c in containers if c.bin} | {m.bin.bin_id for m in movements}
    if not bins:
        return []
    rows = session.scalars(
        select(StockBatch)
        .where(StockBatch.current_storage_bin_id.in_(bins))
        .order_by(StockBatch.current_storage_bin_id, StockBatch.id)
        .options(joinedload(StockBatch.bin), joinedload(StockBatch.product))
    )
    return [
        BatchAnswer(
            batch_id=row.id,
            batch_code=row.batch_code,
            bin=bin_answer(row.bin),
            product_code=row.product.code,
            product_name=row.product.name,
            quantity_current=row.quantity_current,
        )
        for row in rows
    ]


def _movement(row: StockMovement) -> MovementAnswer:
    return MovementAnswer(
        id=row.id,
        movement_id=row.movement_id,
        movement_type=row.movement_type,
        source_type=row.source_type,
        quantity=row.quantity,
        occurred_at=row.occurred_at,
        batch_id=row.batch_id,
        batch_code=row.batch.batch_code,
        bin=bin_answer(row.batch.bin),
        reverses_movement_id=row.reverses_movement_id,
    )
