"""The figures of a period, location by location and product by product, from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.periods.formula import (
    TOGETHER,
    CountRef,
    ExceptionKind,
    Figures,
    Flows,
    LineException,
    line_exceptions,
)
from demeter.periods.models import Period

# One row a location and product with its opening and closing count. The opening is what the
# last closed period stored as its closing, else the location's first posted count.
WINDOWS = """
WITH standing AS (
    SELECT id, storage_location_id, captured_at, interval_low, interval_high, product_id
    FROM counts WHERE posted_at IS NOT NULL AND voided_at IS NULL AND captured_at <= :until
), firsts AS (
    SELECT DISTINCT ON (storage_location_id) * FROM standing
    ORDER BY storage_location_id, captured_at, id
), lasts AS (
    SELECT DISTINCT ON (storage_location_id) * FROM standing
    ORDER BY storage_location_id, captured_at DESC, id DESC
), stored AS (
    SELECT DISTINCT ON (c.storage_location_id, c.product_id)
           c.storage_location_id, c.product_id, k.id, k.captured_at
    FROM period_closings c
    JOIN periods p ON p.id = c.period_id
    JOIN counts k ON k.id = c.closing_count_id
    WHERE c.reopened_at IS NULL AND p.boundary_at < :boundary
    ORDER BY c.storage_location_id, c.product_id, k.captured_at DESC, k.id DESC
), products_there AS (
    SELECT DISTINCT s.storage_location_id, b.product_id
    FROM stock_batches b JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
    UNION SELECT storage_location_id, product_id FROM standing WHERE product_id IS NOT NULL
), windows AS (
    SELECT k.storage_location_id, k.product_id,
           coalesce(s.id, f.id) AS opening_id,
           coalesce(s.captured_at, f.captured_at) AS opening_at,
           CASE WHEN l.captured_at > coalesce(s.captured_at, f.captured_at) THEN l.id END
               AS closing_id,
           CASE WHEN l.captured_at > coalesce(s.captured_at, f.captured_at)
               THEN l.captured_at END AS closing_at,
           -- Without a later count the line shows what was reported until the period ends.
           CASE WHEN l.captured_at > coalesce(s.captured_at, f.captured_at)
               THEN l.captured_at ELSE :boundary END AS ends_at,
           l.product_id AS counted_product_id
    FROM products_there k
    JOIN firsts f ON f.storage_location_id = k.storage_location_id
    JOIN lasts l ON l.storage_location_id = k.storage_location_id
    LEFT JOIN stored s ON s.storage_location_id = k.storage_location_id
        AND s.product_id = k.product_id
    WHERE CAST(:locations AS bigint[]) IS NULL OR k.storage_location_id = ANY(:locations)
)
"""

FIGURES = """
SELECT w.storage_location_id, w.product_id, w.opening_id, w.opening_at, w.closing_id,
    w.closing_at, w.counted_product_id, l.code AS location_code, a.code AS area_code,
    h.code AS warehouse_code, p.code AS product_code,
    o.interval_low AS opening_low, o.interval_high AS opening_high,
    k.interval_low AS closing_low, k.interval_high AS closing_high,
    m.*
FROM windows w
JOIN storage_locations l ON l.location_id = w.storage_location_id
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses h USING (warehouse_id)
JOIN products p ON p.id = w.product_id
JOIN counts o ON o.id = w.opening_id
LEFT JOIN counts k ON k.id = w.closing_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE inside) AS movements,
        coalesce(sum(quantity) FILTER (WHERE occurred_at <= w.opening_at), 0) AS opening_plants,
        coalesce(sum(quantity) FILTER (WHERE occurred_at <= w.closing_at), 0) AS closing_plants,
        coalesce(sum(quantity) FILTER (WHERE inside AND movement_type = 'plantar'), 0) AS planted,
        coalesce(sum(quantity) FILTER (WHERE inside AND movement_type = 'sembrar'), 0) AS sown,
        coalesce(sum(quantity) FILTER (WHERE inside AND movement_type = 'transplante'
            AND (quantity > 0) <> is_reversal), 0) AS moved_in,
        coalesce(-sum(quantity) FILTER (WHERE inside AND movement_type = 'transplante'
            AND (quantity < 0) <> is_reversal), 0) AS moved_out,
        coalesce(-sum(quantity) FILTER (WHERE inside AND movement_type = 'muerte'), 0) AS dead,
        coalesce(sum(quantity) FILTER (WHERE inside AND movement_type = 'ajuste'), 0)
            AS corrections,
        coalesce(-sum(quantity) FILTER (WHERE inside AND movement_type = 'ventas'), 0)
            AS recorded_sales
    FROM (
        SELECT v.quantity, v.movement_type, v.occurred_at,
            v.reverses_movement_id IS NOT NULL AS is_reversal,
            v.occurred_at > w.opening_at AND v.occurred_at <= w.ends_at AS inside
        FROM storage_bins s
        JOIN stock_batches b ON b.current_storage_bin_id = s.bin_id
            AND b.product_id = w.product_id
        JOIN stock_movements v ON v.batch_id = b.id
        WHERE s.storage_location_id = w.storage_location_id
    ) AS moved
) AS m
ORDER BY h.code, a.code, l.code, p.code
"""

LOWEST = """
SELECT storage_location_id, product_id, min(stock) AS lowest FROM (
    SELECT w.storage_location_id, w.product_id, v.occurred_at,
        sum(sum(v.quantity)) OVER (
            PARTITION BY w.storage_location_id, w.product_id ORDER BY v.occurred_at) AS stock,
        v.occurred_at > w.opening_at AND v.occurred_at <= w.closing_at AS inside
    FROM windows w
    JOIN storage_bins s ON s.storage_location_id = w.storage_location_id
    JOIN stock_batches b ON b.current_storage_bin_id = s.bin_id AND b.product_id = w.product_id
    JOIN stock_movements v ON v.batch_id = b.id
    WHERE w.closing_id IS NOT NULL AND v.occurred_at <= w.closing_at
    GROUP BY w.storage_location_id, w.product_id, v.occurred_at, w.opening_at, w.closing_at
) AS history
WHERE inside GROUP BY storage_location_id, product_id HAVING min(stock) < 0
"""

WAITING = """
SELECT s.storage_location_id, s.id, s.captured_at
FROM photo_processing_sessions s
WHERE s.status IN ('needs_review', 'needs_config') AND s.captured_at <= :until
  AND s.reason_code NOT IN ('voided', 'period_closed') AND s.storage_location_id IS NOT NULL
ORDER BY s.id
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One location and product of a period, with what has to be explained."""

    location_id: int
    location_code: str
    area_code: str
    warehouse_code: str
    product_id: int
    product_code: str
    figures: Figures
    exceptions: tuple[LineException, ...]

    @property
    def key(self) -> tuple[int, int]:
        """Location and product."""
        return (self.location_id, self.product_id)


def last_closing_moment(period: Period) -> datetime:
    """The last moment at which a count can still close the period."""
    return period.boundary_at + timedelta(hours=period.grace_hours)


def period_lines(
    session: Session, period: Period, locations: list[int] | None = None
) -> list[Line]:
    """Every location and product with an opening count, by place and product code.

    A product that is neither there nor moved nor counted in the period has no line.
    """
    parameters = {
        "until": last_closing_moment(period),
        "boundary": period.boundary_at,
        "locations": locations,
    }
    rows = session.execute(text(WINDOWS + FIGURES), parameters).mappings().all()
    lowest = {
        (row.storage_location_id, row.product_id): int(row.lowest)
        for row in session.execute(text(WINDOWS + LOWEST), parameters)
    }
    waiting: dict[int, list[Any]] = {}
    for row in session.execute(text(WAITING), {"until": last_closing_moment(period)}):
        waiting.setdefault(row.storage_location_id, []).append(row)
    return [_line(row, lowest, waiting) for row in rows if _has_figures(row)]


def _has_figures(row: Any) -> bool:
    return bool(
        row["movements"]
        or row["opening_plants"]
        or row["closing_plants"]
        or row["product_id"] == row["counted_product_id"]
    )


def _line(row: Any, lowest: dict[tuple[int, int], int], waiting: dict[int, list[Any]]) -> Line:
    figures = Figures(
        opening=CountRef(
            row["opening_id"],
            row["opening_at"],
            int(row["opening_plants"]),
            row["opening_low"],
            row["opening_high"],
        ),
        closing=_closing(row),
        flows=Flows(
            **{
                name: int(row[name])
                for name in (
                    "planted",
                    "sown",
                    "moved_in",
                    "moved_out",
                    "dead",
                    "corrections",
                    "recorded_sales",
                )
            }
        ),
    )
    key = (row["storage_location_id"], row["product_id"])
    waiting_ids = [
        photo_session.id
        for photo_session in waiting.get(row["storage_location_id"], [])
        if photo_session.captured_at > row["opening_at"]
    ]
    return Line(
        location_id=key[0],
        location_code=row["location_code"],
        area_code=row["area_code"],
        warehouse_code=row["warehouse_code"],
        product_id=key[1],
        product_code=row["product_code"],
        figures=figures,
        exceptions=tuple(line_exceptions(figures, lowest=lowest.get(key), waiting=waiting_ids)),
    )


def _closing(row: Any) -> CountRef | None:
    if row["closing_id"] is None:
        return None
    return CountRef(
        row["closing_id"],
        row["closing_at"],
        int(row["closing_plants"]),
        row["closing_low"],
        row["closing_high"],
    )


def may_be_explained_together(line: Line, exception: LineException) -> bool:
    """Whether an exception may be explained together with others of its greenhouse."""
    return exception.kind in TOGETHER and any(
        other.kind is ExceptionKind.WITHIN_INTERVAL for other in line.exceptions
    )
