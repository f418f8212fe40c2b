"""The round of the month: which beds nobody has photographed or counted, in walking order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.site import day_at_site, start_of_day


@dataclass(frozen=True, slots=True)
class RoundBed:
    """A bed of the round; ``is_left`` where this month has no photo and no count of it."""

    code: str
    name: str
    area_name: str
    warehouse_code: str
    warehouse_name: str
    is_left: bool


@dataclass(frozen=True, slots=True)
class RoundHouse:
    """A greenhouse: its beds, and how many are left."""

    code: str
    name: str
    beds: int
    left: int

    @property
    def beds_done(self) -> int:
        """Beds that were photographed or counted."""
        return self.beds - self.left


@dataclass(frozen=True, slots=True)
class MonthlyRound:
    """The month's round; ``next_bed`` follows the last one seen, ``None`` where none is left."""

    month: date
    days_left: int
    beds: int
    left: int
    houses: Sequence[RoundHouse]
    next_bed: RoundBed | None

    @property
    def next_house(self) -> RoundHouse | None:
        """The greenhouse of the next bed."""
        code = self.next_bed.warehouse_code if self.next_bed else None
        return next((house for house in self.houses if house.code == code), None)


@dataclass(frozen=True, slots=True)
class BedBefore:
    """What grows in a bed and what its last count said; each ``None`` where not known."""

    product_name: str | None
    plants: int | None
    counted_at: datetime | None


def monthly_round(session: Session, now: datetime, user_id: int | None = None) -> MonthlyRound:
    """The round of the month of ``now``; what follows is after this person's last photo.

    Without ``user_id`` it is after the last photo or count of anybody.
    """
    today = day_at_site(now)
    month = today.replace(day=1)
    rows = session.execute(text(_BEDS), {"since": start_of_day(month), "user": user_id}).all()
    beds = [_bed(row) for row in rows]
    last = next((n for n, row in enumerate(rows) if row.is_last), -1)
    houses = [_house(list(group)) for _, group in groupby(beds, key=lambda b: b.warehouse_code)]
    return MonthlyRound(
        month=month,
        days_left=((month + timedelta(days=32)).replace(day=1) - today).days - 1,
        beds=len(beds),
        left=sum(bed.is_left for bed in beds),
        houses=houses,
        next_bed=next((bed for bed in [*beds[last + 1 :], *beds] if bed.is_left), None),
    )


def bed_before(session: Session, code: str) -> BedBefore:
    """What is known of a bed before it is photographed."""
    row = session.execute(text(_BEFORE), {"code": code}).one()
    return BedBefore(row.product_name, row.plants, row.captured_at)


def _bed(row: Any) -> RoundBed:
    return RoundBed(
        row.code, row.name, row.area_name, row.warehouse_code, row.warehouse_name, row.is_left
    )


def _house(beds: Sequence[RoundBed]) -> RoundHouse:
    first = beds[0]
    return RoundHouse(
        first.warehouse_code, first.warehouse_name, len(beds), sum(bed.is_left for bed in beds)
    )


# A photo that could not be read, or that was discarded, is none.
_BEDS = """
WITH seen AS (
    SELECT storage_location_id, captured_at AS at, counted_by_user_id AS user_id
    FROM counts WHERE captured_at >= :since AND voided_at IS NULL
    UNION ALL
    SELECT storage_location_id, captured_at, uploaded_by_user_id
    FROM photo_processing_sessions
    WHERE captured_at >= :since AND status NOT IN ('discarded', 'failed')
      AND reason_code IS DISTINCT FROM 'no_image_counted' AND storage_location_id IS NOT NULL
), last AS (
    SELECT storage_location_id FROM seen
    WHERE CAST(:user AS bigint) IS NULL OR user_id = :user ORDER BY at DESC LIMIT 1
)
SELECT l.code, l.name, a.name AS area_name, w.code AS warehouse_code, w.name AS warehouse_name,
       l.location_id NOT IN (SELECT storage_location_id FROM seen) AS is_left,
       l.location_id IN (SELECT storage_location_id FROM last) AS is_last
FROM storage_locations l
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
WHERE l.active
ORDER BY w.code, a.code, l.walk_order NULLS LAST, l.code
"""

_BEFORE = """
SELECT p.name AS product_name, k.plants, k.captured_at
FROM storage_locations l
LEFT JOIN storage_location_config c ON c.storage_location_id = l.location_id AND c.active
LEFT JOIN products p ON p.id = c.product_id
LEFT JOIN LATERAL (
    SELECT plants, captured_at FROM counts
    WHERE storage_location_id = l.location_id AND posted_at IS NOT NULL AND voided_at IS NULL
    ORDER BY captured_at DESC, id DESC LIMIT 1
) AS k ON true
WHERE l.code = :code
"""
