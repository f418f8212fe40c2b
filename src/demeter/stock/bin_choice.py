"""Where plants go: a bin that was named, one found by its category, or a new one by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.locations.bins import default_bin_type
from demeter.locations.models import (
    BinStatus,
    StorageBin,
    StorageBinType,
    StorageLocation,
)
from demeter.stock.batches import LotKind
from demeter.stock.late_movements import StandingLot
from demeter.vision.values import ContainerType


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to: a location, and a bin of it or the category of one."""

    location_id: int
    bin_id: int | None = None
    category: ContainerType | None = None


def choose_bin(
    session: Session,
    location: StorageLocation,
    place: Destination,
    lots: Sequence[StandingLot],
    kind: LotKind,
) -> StorageBin:
    """The bin that plants of a kind go to: named, else found by category, else made.

    Found is the one that holds most of the kind today, else the one made first.
    """
    if place.bin_id is not None:
        return session.get_one(StorageBin, place.bin_id)
    candidates = _active(session, location, place.category)
    if not candidates:
        return make_bin(session, location, place.category or ContainerType.SEGMENT)
    plants_held = {c.bin_id: 0 for c in candidates}
    for lot in lots:
        if lot.bin_id in plants_held and lot.kind == kind.key:
            plants_held[lot.bin_id] += lot.today
    return max(candidates, key=lambda c: (plants_held[c.bin_id], -c.bin_id))


def make_bin(session: Session, location: StorageLocation, category: ContainerType) -> StorageBin:
    """A bin made by hand; its code is ``{location}-HAND-{CATEGORY}-{time}``."""
    new_bin = StorageBin(
        storage_location_id=location.location_id,
        storage_bin_type_id=default_bin_type(session, category).bin_type_id,
        code=f"{location.code}-HAND-{category.value}-{datetime.now(UTC):%Y%m%d%H%M%S%f}".upper(),
        label=f"{category.value.replace('_', ' ').title()} by hand",
    )
    session.add(new_bin)
    session.flush()
    return new_bin


def _active(
    session: Session, location: StorageLocation, category: ContainerType | None
) -> list[StorageBin]:
    query = select(StorageBin).where(
        StorageBin.storage_location_id == location.location_id,
        StorageBin.status == BinStatus.ACTIVE,
    )
    if category is not None:
        query = query.join(StorageBinType).where(StorageBinType.category == category)
    return list(session.scalars(query.order_by(StorageBin.bin_id)))
