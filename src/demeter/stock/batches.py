"""Lots: what stands where, found by what it is of, or opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from demeter.locations.models import StorageBin
from demeter.stock.late_movements import StandingLot
from demeter.stock.models import StockBatch


@dataclass(frozen=True, slots=True)
class LotKind:
    """What a lot is of."""

    product_id: int
    product_state_id: int
    product_size_id: int | None = None
    packaging_catalog_id: int | None = None

    @property
    def key(self) -> tuple[int, int, int | None, int | None]:
        """As `StandingLot.kind`."""
        return (
            self.product_id,
            self.product_state_id,
            self.product_size_id,
            self.packaging_catalog_id,
        )


def standing_lots(session: Session, location_id: int, at: datetime) -> list[StandingLot]:
    """Every lot of a location, oldest first, with its stock at a moment and today."""
    rows = session.execute(
        text("""
        SELECT b.id AS batch_id, b.batch_code, s.bin_id, s.code AS bin_code,
               s.status = 'retired' AS retired, s.storage_location_id AS location_id,
               b.product_id, b.product_state_id, b.product_size_id, b.packaging_catalog_id,
               coalesce(sum(m.quantity) FILTER (WHERE m.occurred_at <= :at), 0)::int AS as_of,
               b.quantity_current AS today
        FROM stock_batches b
        JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
        LEFT JOIN stock_movements m ON m.batch_id = b.id
        WHERE s.storage_location_id = :location
        GROUP BY b.id, s.bin_id ORDER BY b.created_at, b.id
        """),
        {"location": location_id, "at": at},
    ).mappings()
    return [StandingLot(**row) for row in rows]


def youngest_lot(lots: Sequence[StandingLot], bin_id: int, kind: LotKind) -> StandingLot | None:
    """The youngest lot of a kind in a bin, depleted or not."""
    return next(
        (lot for lot in reversed(lots) if lot.bin_id == bin_id and lot.kind == kind.key), None
    )


def open_lot(session: Session, bin_id: int, kind: LotKind) -> StockBatch:
    """A new, empty lot in a bin; its code counts the lots of the bin."""
    storage_bin = session.get_one(StorageBin, bin_id)
    number = session.scalar(select(func.count()).where(StockBatch.current_storage_bin_id == bin_id))
    lot = StockBatch(
        batch_code=f"{storage_bin.code}-L{(number or 0) + 1}",
        current_storage_bin_id=bin_id,
        product_id=kind.product_id,
        product_state_id=kind.product_state_id,
        product_size_id=kind.product_size_id,
        packaging_catalog_id=kind.packaging_catalog_id,
        has_packaging=kind.packaging_catalog_id is not None,
    )
    session.add(lot)
    session.flush()
    return lot
