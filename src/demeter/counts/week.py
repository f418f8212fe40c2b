"""A week in figures: beds counted day by day, and what changed the stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.site import day_at_site, site_zone, start_of_day

DAYS = 7


@dataclass(frozen=True, slots=True)
class CountedDay:
    """Beds counted on a day at the site; a day that is yet to come has ``None``."""

    day: date
    beds: int | None
    is_today: bool


@dataclass(frozen=True, slots=True)
class WeekChanges:
    """Plants that came and went, as the ledger has them, reversals taken off.

    Their sum is what the stock of the week changed by; transplants within the nursery are none.
    """

    planted: int
    dead: int
    sold: int
    differences: int
    first_counts: int
    adjusted: int


@dataclass(frozen=True, slots=True)
class Week:
    """A week that begins on Monday."""

    days: Sequence[CountedDay]
    beds: int  # counted in the week, each once
    changes: WeekChanges

    @property
    def begins(self) -> date:
        """Its Monday."""
        return self.days[0].day

    @property
    def most(self) -> int:
        """Beds of the busiest day."""
        return max(day.beds or 0 for day in self.days)


def week_of(session: Session, now: datetime) -> Week:
    """The week in which a moment is at the site."""
    today = day_at_site(now)
    monday = today - timedelta(days=today.weekday())
    values = {"since": start_of_day(monday), "zone": site_zone().key, "now": now}
    rows = session.execute(text(_COUNTED), values).all()
    by_day = {row.day: row.beds for row in rows}
    changes = session.execute(text(_CHANGES), values).mappings().one()
    days = [monday + timedelta(days=n) for n in range(DAYS)]
    return Week(
        days=[CountedDay(d, by_day.get(d, 0) if d <= today else None, d == today) for d in days],
        beds=by_day.get(None, 0),
        changes=WeekChanges(**{name: int(value) for name, value in changes.items()}),
    )


_COUNTED = """
SELECT day, count(DISTINCT storage_location_id) AS beds FROM (
    SELECT storage_location_id, (captured_at AT TIME ZONE :zone)::date AS day
    FROM counts
    WHERE captured_at >= :since AND captured_at <= :now
      AND posted_at IS NOT NULL AND voided_at IS NULL
) AS posted
GROUP BY GROUPING SETS ((day), ())
"""

_CHANGES = """
SELECT coalesce(sum(quantity) FILTER (WHERE movement_type IN ('plantar', 'sembrar')), 0) AS planted,
       coalesce(sum(quantity) FILTER (WHERE movement_type = 'muerte'), 0) AS dead,
       coalesce(sum(quantity) FILTER (WHERE movement_type = 'ventas'), 0) AS sold,
       coalesce(sum(quantity) FILTER (WHERE movement_type = 'foto'), 0) AS differences,
       coalesce(sum(quantity) FILTER (WHERE movement_type = 'manual_init'), 0) AS first_counts,
       coalesce(sum(quantity) FILTER (WHERE movement_type = 'ajuste'), 0) AS adjusted
FROM stock_movements WHERE occurred_at >= :since AND occurred_at <= :now
"""
