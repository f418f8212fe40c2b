"""Stock today and as of any moment, by place, product or packaging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, func, select
from sqlalchemy.orm import Session

from demeter.catalog.models import Packaging, Product, ProductState
from demeter.locations.models import StorageArea, StorageBin, StorageLocation, Warehouse
from demeter.stock.models import StockBatch, StockMovement
from demeter.stock.schemas import Level, StockRead

COLUMNS: dict[Level, Any] = {
    Level.WAREHOUSE: Warehouse.code,
    Level.AREA: StorageArea.code,
    Level.LOCATION: StorageLocation.code,
    Level.BIN: StorageBin.code,
    Level.LOT: StockBatch.batch_code,
    Level.PRODUCT: Product.code,
    Level.STATE: ProductState.name,
    Level.PACKAGING: Packaging.sku,
}


@dataclass(frozen=True, slots=True)
class StockFilter:
    """Codes that narrow the stock asked for; ``None`` leaves open."""

    warehouse: str | None = None
    area: str | None = None
    location: str | None = None
    bin: str | None = None
    lot: str | None = None
    product: str | None = None
    state: str | None = None
    packaging: str | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether it asks for a small part of the nursery."""
        return any((self.area, self.location, self.bin, self.lot))

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        codes = {level: getattr(self, level.value) for level in Level}
        return [COLUMNS[level] == code for level, code in codes.items() if code is not None]


def stock_by(
    session: Session,
    by: Sequence[Level],
    filters: StockFilter | None = None,
    at: datetime | None = None,
) -> list[StockRead]:
    """Plants by these levels, today or as of a moment; groups without any are left out.

    A past moment may come out negative where a late fact contradicts an early count.
    """
    narrowing = filters or StockFilter()
    columns = [COLUMNS[level].label(level.value) for level in by]
    past = None if at is None else _lots_as_of(session, at, narrowing)
    plants = StockBatch.quantity_current if past is None else past.c.plants
    total = func.coalesce(func.sum(plants), 0)
    empty = func.sum(StockBatch.quantity_empty_containers)
    query = _with_places_and_products(select(*columns, total.label("plants"), empty.label("empty")))
    if past is not None:
        query = query.join(past, past.c.batch_id == StockBatch.id)
    rows = session.execute(
        query.where(*narrowing.conditions())
        .group_by(*columns)
        .having(total != 0)
        .order_by(*columns)
    )
    return [
        StockRead(
            group=dict(zip(by, row, strict=False)),
            plants=row.plants,
            empty_containers=row.empty if at is None else None,
        )
        for row in rows
    ]


def _lots_as_of(session: Session, at: datetime, filters: StockFilter) -> Subquery:
    """Each lot's stock at a moment: the sum of its movements up to it.

    Of the whole nursery, and of a recent moment, today's quantity less what moved since is
    fewer rows.
    """
    until = StockMovement.occurred_at <= at
    if filters.is_narrow:
        plants = (
            select(func.coalesce(func.sum(StockMovement.quantity), 0))
            .where(StockMovement.batch_id == StockBatch.id, until)
            .scalar_subquery()
        )
        lots = _with_places_and_products(
            select(StockBatch.id.label("batch_id"), plants.label("plants"))
        )
        return lots.where(*filters.conditions()).subquery("moved")
    first, last = session.execute(
        select(func.min(StockMovement.occurred_at), func.max(StockMovement.occurred_at))
    ).one()
    is_recent = first is not None and at - first > last - at
    sums = (
        select(StockMovement.batch_id, func.sum(StockMovement.quantity).label("quantity"))
        .where(~until if is_recent else until)
        .group_by(StockMovement.batch_id)
        .subquery("sums")
    )
    change = func.coalesce(sums.c.quantity, 0)
    plants = StockBatch.quantity_current - change if is_recent else change
    return (
        select(StockBatch.id.label("batch_id"), plants.label("plants"))
        .join(sums, sums.c.batch_id == StockBatch.id, isouter=True)
        .subquery("moved")
    )


def _with_places_and_products(query: Any) -> Any:
    return (
        query.select_from(StockBatch)
        .join(StorageBin, StorageBin.bin_id == StockBatch.current_storage_bin_id)
        .join(StorageLocation, StorageLocation.location_id == StorageBin.storage_location_id)
        .join(StorageArea, StorageArea.storage_area_id == StorageLocation.storage_area_id)
        .join(Warehouse, Warehouse.warehouse_id == StorageArea.warehouse_id)
        .join(Product, Product.id == StockBatch.product_id)
        .join(ProductState, ProductState.product_state_id == StockBatch.product_state_id)
        .join(Packaging, Packaging.id == StockBatch.packaging_catalog_id, isouter=True)
    )
