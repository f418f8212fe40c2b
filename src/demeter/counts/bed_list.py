"""All beds with their last count, their stock, and whether a person has to look at them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.site import day_at_site, start_of_day

LONGEST_ON_TILE = 3


class BedState(StrEnum):
    """Where a bed stands in the month's round."""

    COUNTED = "counted"
    MISSING = "missing"
    WAITS = "waits"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class BedRow:
    """A bed in use; ``plants`` is not known where nobody counted it and nothing is booked.

    ``done_at`` is when it was last counted or photographed, also where that waits; ``is_done``
    is whether that was this month.
    """

    location_id: int
    code: str
    name: str
    area_code: str
    area_name: str
    warehouse_code: str
    warehouse_name: str
    walk_order: int | None
    product_code: str | None
    product_name: str | None
    packaging_name: str | None
    counted_at: datetime | None
    counted: int | None
    interval_low: int | None
    interval_high: int | None
    plants: int | None
    waiting: int
    waiting_session: UUID | None
    done_at: datetime | None
    is_done: bool
    state: BedState

    @property
    def number(self) -> str:
        """The last number of its name, or the name's end."""
        digits = re.findall(r"\d+", self.name)
        return str(int(digits[-1])) if digits else self.name[-3:]

    @property
    def tile(self) -> str:
        """What its tile says: the name's last word where that is short, as "7" or "A1"."""
        last = self.name.split()[-1] if self.name.split() else ""
        is_short = 0 < len(last) <= LONGEST_ON_TILE and not last.startswith("0")
        return last if is_short else self.number

    @property
    def interval(self) -> tuple[int, int] | None:
        """Of the last count, while nothing came or went since."""
        if self.interval_low is None or self.interval_high is None or self.counted != self.plants:
            return None
        return self.interval_low, self.interval_high


def bed_rows(session: Session, code: str | None = None) -> list[BedRow]:
    """Every bed in use, or the one of a code, in the order in which people walk."""
    today = day_at_site(datetime.now(UTC))
    values = {"code": code, "month": start_of_day(today.replace(day=1))}
    answer = session.execute(_ROWS, values).mappings()
    rows = [BedRow(**{**row, "state": BedState(row["state"])}) for row in answer]
    return sorted(rows, key=_order)


def next_of_round(rows: Sequence[BedRow]) -> BedRow | None:
    """The bed to photograph next: the first not counted this month behind the one counted last.

    ``rows`` are all beds, in walking order; ``None`` where the round is done.
    """
    days = [(row.done_at, at) for at, row in enumerate(rows) if row.is_done and row.done_at]
    last = max(days)[1] if days else -1
    behind = [*rows[last + 1 :], *rows[: last + 1]]
    return next((row for row in behind if not row.is_done), None)


def _order(row: BedRow) -> tuple[object, ...]:
    far = row.walk_order if row.walk_order is not None else 2**31
    return (_natural(row.warehouse_code), _natural(row.area_code), far, _natural(row.code))


def _natural(code: str) -> list[tuple[int, int, str]]:
    """NAVE2 before NAVE10."""
    parts = re.findall(r"\d+|\D+", code)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


_ROWS = text("""
SELECT l.location_id, l.code, l.name, a.code AS area_code, a.name AS area_name,
       w.code AS warehouse_code, w.name AS warehouse_name, l.walk_order,
       p.code AS product_code, p.name AS product_name, k.name AS packaging_name,
       n.captured_at AS counted_at, n.plants AS counted, n.interval_low, n.interval_high,
       coalesce(nullif(b.plants, 0), CASE WHEN n.id IS NOT NULL THEN 0 END)::int AS plants,
       coalesce(f.waiting, 0)::int + coalesce(h.waiting, 0)::int AS waiting,
       f.session_id AS waiting_session,
       greatest(n.captured_at, f.captured_at, h.captured_at) AS done_at,
       (greatest(n.captured_at, f.captured_at, h.captured_at) >= :month) IS TRUE AS is_done,
       CASE WHEN f.waiting > 0 OR h.waiting > 0 THEN 'waits'
            WHEN n.id IS NULL THEN 'never'
            WHEN n.captured_at >= :month THEN 'counted'
            ELSE 'missing' END AS state
FROM storage_locations l
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
LEFT JOIN storage_location_config c
    ON c.storage_location_id = l.location_id AND c.active
LEFT JOIN products p ON p.id = c.product_id
LEFT JOIN packaging_catalog k ON k.id = c.packaging_catalog_id
LEFT JOIN LATERAL (
    SELECT id, captured_at, plants, interval_low, interval_high FROM counts
    WHERE storage_location_id = l.location_id AND posted_at IS NOT NULL AND voided_at IS NULL
    ORDER BY captured_at DESC, id DESC LIMIT 1
) AS n ON true
LEFT JOIN (
    SELECT s.storage_location_id, sum(x.quantity_current) AS plants
    FROM stock_batches x JOIN storage_bins s ON s.bin_id = x.current_storage_bin_id
    GROUP BY s.storage_location_id
) AS b ON b.storage_location_id = l.location_id
LEFT JOIN (
    SELECT storage_location_id, count(*) AS waiting,
           max(captured_at) AS captured_at,
           (array_agg(session_id ORDER BY captured_at DESC))[1] AS session_id
    FROM photo_processing_sessions
    WHERE status IN ('needs_review', 'needs_config', 'failed')
    GROUP BY storage_location_id
) AS f ON f.storage_location_id = l.location_id
LEFT JOIN (
    SELECT storage_location_id, count(*) AS waiting, max(captured_at) AS captured_at FROM counts
    WHERE waits_for IS NOT NULL AND voided_at IS NULL AND processing_session_id IS NULL
    GROUP BY storage_location_id
) AS h ON h.storage_location_id = l.location_id
WHERE l.active AND (CAST(:code AS text) IS NULL OR l.code = :code)
""")
