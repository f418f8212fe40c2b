"""A bed's months: what was counted, and every movement behind it, a line for each fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.site import day_at_site, start_of_day


@dataclass(frozen=True, slots=True)
class BedCount:
    """A count, posted or void or both; ``change`` is what it wrote, 0 where stock agreed."""

    count_id: int
    session_id: UUID | None
    photos: int
    captured_at: datetime
    created_at: datetime
    posted_at: datetime | None
    voided_at: datetime | None
    void_reason: str | None
    unit: str | None
    plants: int | None
    interval_low: int | None
    interval_high: int | None
    by: str
    user_id: int
    change: int

    @property
    def at(self) -> datetime:
        """When it stands in the bed's history."""
        return self.captured_at

    @property
    def interval(self) -> tuple[int, int] | None:
        """Its bounds, where they are known and hold its number."""
        low, high = self.interval_low, self.interval_high
        if low is None or high is None or self.plants is None or not low <= self.plants <= high:
            return None
        return low, high


@dataclass(frozen=True, slots=True)
class BedFact:
    """What one report did at the bed.

    ``reason`` is a person's own; ``other_bed`` is where transplanted plants went or came from.
    """

    movement_id: UUID
    movement_type: str
    quantity: int
    occurred_at: datetime
    created_at: datetime
    by: str
    user_id: int
    reason: str | None
    lots: tuple[int, ...]
    other_bed: str | None
    other_code: str | None
    is_reversal: bool
    is_undone: bool
    is_closing: bool

    @property
    def at(self) -> datetime:
        """When it stands in the bed's history."""
        return self.occurred_at


@dataclass(frozen=True, slots=True)
class BedMonth:
    """A month: its last count, the one before it, and all that happened, latest first."""

    first_day: date
    count: BedCount | None
    before: int | None
    entries: tuple[BedCount | BedFact, ...]


def bed_counts(session: Session, location_id: int) -> list[BedCount]:
    """Counts of a bed that were posted or voided, latest first."""
    rows = session.execute(text(_COUNTS), {"location": location_id}).mappings()
    return [BedCount(**row) for row in rows]


def bed_facts(session: Session, location_id: int, since: datetime) -> list[BedFact]:
    """What was reported at a bed from a moment on, and what undid it; latest first."""
    values = {"location": location_id, "since": since}
    rows = session.execute(text(_FACTS), values).mappings()
    return [_fact(row) for row in rows]


def first_of_months(months: int, now: datetime | None = None) -> list[date]:
    """The first days of this month at the site and of those before it, oldest first."""
    today = day_at_site(now or datetime.now(UTC))
    numbers = [today.year * 12 + today.month - 1 - back for back in reversed(range(months))]
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def bed_months(session: Session, location_id: int, months: int) -> list[BedMonth]:
    """The last months of a bed, this one included, oldest first."""
    days = first_of_months(months)
    counts = bed_counts(session, location_id)
    facts = bed_facts(session, location_id, start_of_day(days[0]))
    return months_of(days, counts, facts)


def months_of(
    days: Sequence[date], counts: Sequence[BedCount], facts: Sequence[BedFact]
) -> list[BedMonth]:
    """Counts and facts by the month in which they were, at the site; both latest first."""
    entries: dict[date, list[BedCount | BedFact]] = {day: [] for day in days}
    for entry in (*counts, *facts):
        month = day_at_site(entry.at).replace(day=1)
        if month in entries:
            entries[month].append(entry)
    standing = [count for count in counts if count.voided_at is None]
    return [_month(day, entries[day], standing) for day in days]


def _month(day: date, entries: list[BedCount | BedFact], standing: Sequence[BedCount]) -> BedMonth:
    last = next((c for c in standing if day_at_site(c.at).replace(day=1) == day), None)
    before = next((c.plants for c in standing if day_at_site(c.at) < day), None)
    ordered = sorted(entries, key=lambda entry: (entry.at, entry.created_at), reverse=True)
    return BedMonth(day, last, before, tuple(ordered))


def _fact(row: Any) -> BedFact:
    return BedFact(**{**row, "lots": tuple(row["lots"])})


_COUNTS = """
SELECT c.id AS count_id, f.session_id,
       (SELECT count(*)::int FROM photo_session_images i WHERE i.session_id = f.id) AS photos,
       c.captured_at, c.created_at, c.posted_at, c.voided_at, c.void_reason, c.unit, c.plants,
       c.interval_low, c.interval_high,
       coalesce(nullif(concat_ws(' ', u.first_name, u.last_name), ''), u.username) AS by,
       u.id AS user_id,
       (SELECT coalesce(sum(m.quantity), 0)::int FROM stock_movements m
        WHERE m.count_id = c.id) AS change
FROM counts c
JOIN users u ON u.id = c.counted_by_user_id
LEFT JOIN photo_processing_sessions f ON f.id = c.processing_session_id
WHERE c.storage_location_id = :location
  AND (c.posted_at IS NOT NULL OR c.voided_at IS NOT NULL)
ORDER BY c.captured_at DESC, c.id DESC
"""

# Rows of one fact are one line: a death may take from several lots.
_FACTS = """
SELECT (array_agg(m.movement_id ORDER BY m.id))[1] AS movement_id,
       m.movement_type::text AS movement_type, sum(m.quantity)::int AS quantity,
       m.occurred_at, min(m.created_at) AS created_at,
       coalesce(nullif(concat_ws(' ', u.first_name, u.last_name), ''), u.username) AS by,
       u.id AS user_id,
       max(m.reason_description) FILTER (WHERE m.reason_notice IS NULL) AS reason,
       array_agg(DISTINCT b.id) AS lots,
       max(o.name) AS other_bed, max(o.code) AS other_code,
       bool_or(m.reverses_movement_id IS NOT NULL) AS is_reversal,
       bool_or(EXISTS (SELECT FROM stock_movements r WHERE r.reverses_movement_id = m.id))
           AS is_undone,
       bool_or(m.closing_id IS NOT NULL) AS is_closing
FROM storage_locations l
JOIN storage_bins s ON s.storage_location_id = l.location_id
JOIN stock_batches b ON b.current_storage_bin_id = s.bin_id
JOIN stock_movements m ON m.batch_id = b.id
JOIN users u ON u.id = m.user_id
LEFT JOIN LATERAL (
    SELECT p.name, p.code FROM stock_movements x
    JOIN stock_batches y ON y.id = x.batch_id
    JOIN storage_bins z ON z.bin_id = y.current_storage_bin_id
    JOIN storage_locations p ON p.location_id = z.storage_location_id
    WHERE x.transfer_id = m.transfer_id AND p.location_id <> l.location_id LIMIT 1
) AS o ON m.transfer_id IS NOT NULL
WHERE l.location_id = :location AND m.count_id IS NULL AND m.occurred_at >= :since
GROUP BY coalesce(m.fact_id, m.transfer_id, m.movement_id), m.movement_type, m.occurred_at, u.id
ORDER BY m.occurred_at DESC, min(m.id) DESC
"""
