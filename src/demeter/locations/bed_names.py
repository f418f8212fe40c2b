"""A bed by what people call it, and the beds around one."""

from __future__ import annotations

import re

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from demeter.locations.errors import BedNameUnclear
from demeter.locations.models import StorageArea, StorageLocation

MOST_NAMED = 6


def bed_named(session: Session, words: str, near: StorageLocation) -> StorageLocation:
    """The bed in use of this code, name or number; of several of a name, the nearest.

    A name or number alone means one of the same area, then of the same greenhouse.

    Raises:
        BedNameUnclear: there is none, or several elsewhere.
    """
    typed = " ".join(words.replace("\x00", "").split())
    is_number = typed.isdigit()
    pattern = rf"(^|\D)0*{int(typed)}$" if is_number else rf"^{re.escape(typed)}$"
    query = _beds().where(
        or_(
            StorageLocation.code == typed.upper(),
            StorageLocation.name.regexp_match(pattern, "i"),
        )
    )
    beds = list(session.scalars(query)) if typed else []
    for group in (
        [bed for bed in beds if bed.code == typed.upper()],
        [bed for bed in beds if bed.storage_area_id == near.storage_area_id],
        [bed for bed in beds if bed.area.warehouse_id == near.area.warehouse_id],
        beds,
    ):
        if len(group) == 1:
            return group[0]
    codes = [bed.code for bed in beds[:MOST_NAMED]]
    raise BedNameUnclear(f"{typed!r} names {len(beds)} beds", name=typed, codes=codes)


def beds_around(session: Session, bed: StorageLocation, limit: int = 6) -> list[StorageLocation]:
    """The beds in use beside one in the order in which people walk, of its area."""
    order = func.abs(func.coalesce(StorageLocation.walk_order, 0) - (bed.walk_order or 0))
    query = _beds().where(
        StorageLocation.storage_area_id == bed.storage_area_id,
        StorageLocation.location_id != bed.location_id,
    )
    rows = session.scalars(query.order_by(order, StorageLocation.code).limit(limit))
    return sorted(rows, key=lambda row: (row.walk_order or 0, row.code))


def _beds() -> Select[StorageLocation]:
    return (
        select(StorageLocation)
        .join(StorageLocation.area)
        .join(StorageArea.warehouse)
        .where(StorageLocation.active)
        .options(contains_eager(StorageLocation.area).contains_eager(StorageArea.warehouse))
    )
