"""Stock today and as of any moment, by place, product or packaging."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Subquery,
    bindparam,
    func,
    literal,
    select,
    text,
    true,
)
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
PLACES = (Level.WAREHOUSE, Level.AREA, Level.LOCATION)


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

    @property
    def names_places_only(self) -> bool:
        """Whether it asks for all that stands at places."""
        named = [level for level in Level if getattr(self, level.value) is not None]
        return bool(named) and all(level in PLACES for level in named)

    def conditions(self, levels: Iterable[Level] = Level) -> list[ColumnElement[bool]]:
        """As SQL."""
        codes = {level: getattr(self, level.value) for level in levels}
        return [COLUMNS[level] == code for level, code in codes.items() if code is not None]


@dataclass(frozen=True, slots=True)
class Places:
    """How many locations a group has, how many nobody has counted, and their empties."""

    locations: int
    never_counted: int
    empty_containers: int

    @property
    def plants(self) -> int | None:
        """Where nothing is booked: none, or not known where nobody has counted."""
        return 0 if self.locations > self.never_counted else None


def stock_by(
    session: Session,
    by: Sequence[Level],
    filters: StockFilter | None = None,
    at: datetime | None = None,
) -> list[StockRead]:
    """Plants by these levels, today or as of a moment.

    Groups without any are left out, but for the places that the filter asks for: a place that
    was counted and holds nothing has 0, one that nobody counted is not known. A past moment
    may come out negative where a late fact contradicts an early count.
    """
    narrowing = filters or StockFilter()
    levels = [level for level in by if level in PLACES]
    places = _places(session, levels, narrowing, at)
    rows, places_left = [], dict(places)
    for row in _booked(session, by, narrowing, at):
        group = dict(zip(by, row, strict=False))
        place = tuple(group[level] for level in levels)
        places_left.pop(place, None)
        rows.append(
            StockRead(
                group=group,
                plants=row.plants,
                never_counted=places[place].never_counted if place in places else 0,
                empty_containers=row.empty if at is None else None,
            )
        )
    if narrowing.names_places_only:
        rows += [
            StockRead(
                group=dict.fromkeys(by) | dict(zip(levels, place, strict=True)),
                plants=of_place.plants,
                never_counted=of_place.never_counted,
                empty_containers=of_place.empty_containers
                if at is None and of_place.plants is not None
                else None,
            )
            for place, of_place in places_left.items()
        ]
        rows.sort(key=lambda row: [row.group[level] or "" for level in by])
    return rows


def total_stock(
    session: Session, filters: StockFilter | None = None, at: datetime | None = None
) -> StockRead:
    """All plants that the filter asks for; not known where nobody has counted any of its places."""
    narrowing = filters or StockFilter()
    places = _places(session, [], narrowing, at).get((), Places(0, 0, 0))
    booked = _booked(session, [], narrowing, at)
    return StockRead(
        group={},
        plants=booked[0].plants if booked else places.plants,
        never_counted=places.never_counted,
        empty_containers=None,
    )


def _booked(
    session: Session, by: Sequence[Level], filters: StockFilter, at: datetime | None
) -> Sequence[Any]:
    """What the ledger holds, group by group; groups that come to nothing are left out."""
    columns = [COLUMNS[level].label(level.value) for level in by]
    past = None if at is None else _lots_as_of(session, at, filters)
    plants = StockBatch.quantity_current if past is None else past.c.plants
    total = func.coalesce(func.sum(plants), 0)
    empty = func.sum(StockBatch.quantity_empty_containers)
    query = _with_places_and_products(select(*columns, total.label("plants"), empty.label("empty")))
    if past is not None:
        query = query.join(past, past.c.batch_id == StockBatch.id)
    return session.execute(
        query.where(*filters.conditions()).group_by(*columns).having(total != 0).order_by(*columns)
    ).all()


def _places(
    session: Session, levels: Sequence[Level], filters: StockFilter, at: datetime | None
) -> dict[tuple[str | None, ...], Places]:
    """The places that are asked about, by their codes at these levels."""
    columns = [COLUMNS[level] for level in levels]
    never = text(_NEVER_COUNTED).bindparams(bindparam("at", at, DateTime(timezone=True)))
    empty = (
        select(func.coalesce(func.sum(StockBatch.quantity_empty_containers), 0))
        .join(StorageBin, StorageBin.bin_id == StockBatch.current_storage_bin_id)
        .where(StorageBin.storage_location_id == StorageLocation.location_id)
        .scalar_subquery()
    )
    is_meant = StorageLocation.active if filters.location is None else true()
    rows = session.execute(
        select(
            *columns,
            func.count(),
            func.count().filter(never),
            func.sum(empty) if filters.names_places_only else literal(0),
        )
        .select_from(StorageLocation)
        .join(StorageArea, StorageArea.storage_area_id == StorageLocation.storage_area_id)
        .join(Warehouse, Warehouse.warehouse_id == StorageArea.warehouse_id)
        .where(is_meant, *filters.conditions(PLACES))
        .group_by(*columns)
    )
    return {
        tuple(row[: len(levels)]): Places(row[-3], row[-2], int(row[-1] or 0))
        for row in rows
        if row[-3]
    }


_NEVER_COUNTED = """
NOT EXISTS (SELECT FROM counts WHERE counts.storage_location_id = storage_locations.location_id
    AND posted_at IS NOT NULL AND voided_at IS NULL AND captured_at <= coalesce(:at, now()))
"""


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
    recent = is_recent(session, at)
    sums = (
        select(StockMovement.batch_id, func.sum(StockMovement.quantity).label("quantity"))
        .where(~until if recent else until)
        .group_by(StockMovement.batch_id)
        .subquery("sums")
    )
    change = func.coalesce(sums.c.quantity, 0)
    plants = StockBatch.quantity_current - change if recent else change
    return (
        select(StockBatch.id.label("batch_id"), plants.label("plants"))
        .join(sums, sums.c.batch_id == StockBatch.id, isouter=True)
        .subquery("moved")
    )


def is_recent(session: Session, at: datetime) -> bool:
    """Whether fewer movements are likely to lie after a moment than before it."""
    first, last = session.execute(
        select(func.min(StockMovement.occurred_at), func.max(StockMovement.occurred_at))
    ).one()
    return first is not None and at - first > last - at


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
