"""What a session counted and wrote: its containers, their movements and lots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from demeter.core.notices import read_notice
from demeter.counts.models import ContainerCount, Count
from demeter.locations.models import StorageBin
from demeter.photos.models import PhotoSession
from demeter.photos.schemas import (
    BinReference,
    Interval,
    SessionBatch,
    SessionContainer,
    SessionCount,
    SessionMovement,
)
from demeter.stock.models import StockBatch, StockMovement
from demeter.vision.values import CountUnit


def interval(row: PhotoSession | ContainerCount) -> Interval | None:
    """Both bounds of a row's 90 % interval, or ``None``."""
    if row.interval_low is None or row.interval_high is None:
        return None
    return row.interval_low, row.interval_high


def counts_of(session: Session, photo_session: PhotoSession) -> list[Count]:
    """Its counts, the newest first, with their containers and bins."""
    return list(
        session.scalars(
            select(Count)
            .where(Count.processing_session_id == photo_session.id)
            .order_by(Count.attempt.desc(), Count.id.desc())
            .options(selectinload(Count.containers).joinedload(ContainerCount.bin))
        )
    )


def containers_of(counts: list[Count]) -> list[ContainerCount]:
    """Of the newest count; what was seen first, in reading order."""
    if not counts:
        return []
    rows = [row for row in counts[0].containers if row.attempt in (None, counts[0].attempt)]
    return sorted(rows, key=lambda r: (not r.seen, r.container_index or 0, r.id))


def container_answer(row: ContainerCount, movements: dict[int, Any]) -> SessionContainer:
    """One container as it was counted, with the movement that its count made."""
    names = (
        "image_id seen container_type machine_detected machine_estimated machine_empty "
        "unknown_reason human_corrected answer residual_share confidence ledger_before difference"
    )
    return SessionContainer.model_validate(
        {name: getattr(row, name) for name in names.split()}
        | {
            "index": row.container_index,
            "unknown_notice": read_notice(row.unknown_notice or row.unknown_reason),
            "interval_90": interval(row),
            "bin": bin_answer(row.bin) if row.bin else None,
            "movement": movements.get(row.stock_movement_id or 0),
        }
    )


def count_answer(count: Count) -> SessionCount:
    """A count in figures."""
    return SessionCount(
        count_id=count.id,
        attempt=count.attempt,
        unit=CountUnit(count.unit) if count.unit else None,
        containers=sum(row.seen for row in count.containers),
        posted_at=count.posted_at,
        voided_at=count.voided_at,
    )


def in_common(rows: list[ContainerCount], name: str) -> dict[str, Any]:
    """What all containers have in common; they were counted by one run."""
    common: dict[str, Any] = {}
    for row in rows:
        common |= getattr(row, name)
    return common


def bin_answer(storage_bin: StorageBin) -> BinReference:
    """A bin by id and code."""
    return BinReference(bin_id=storage_bin.bin_id, code=storage_bin.code)


def movements_of(
    session: Session, photo_session: PhotoSession, counts: Sequence[Count]
) -> list[SessionMovement]:
    """Every row of the ledger that belongs to a session or its counts, in order."""
    rows = session.scalars(
        select(StockMovement)
        .where(
            or_(
                StockMovement.processing_session_id == photo_session.id,
                StockMovement.count_id.in_([count.id for count in counts]),
            )
        )
        .order_by(StockMovement.id)
        .options(joinedload(StockMovement.batch).joinedload(StockBatch.bin))
    )
    return [_movement(row) for row in rows]


def batches_of(
    session: Session,
    containers: Sequence[SessionContainer],
    movements: Sequence[SessionMovement],
) -> list[SessionBatch]:
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
        SessionBatch(
            batch_id=row.id,
            batch_code=row.batch_code,
            bin=bin_answer(row.bin),
            product_code=row.product.code,
            product_name=row.product.name,
            quantity_current=row.quantity_current,
        )
        for row in rows
    ]


def _movement(row: StockMovement) -> SessionMovement:
    return SessionMovement(
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
