"""What holds of closed periods (SPEC §5), as queries for where it does not."""

from __future__ import annotations

from demeter.core.checks import Check

FLOWS = {
    "planted": "sum(quantity) FILTER (WHERE movement_type = 'plantar')",
    "sown": "sum(quantity) FILTER (WHERE movement_type = 'sembrar')",
    "moved_in": "sum(quantity) FILTER (WHERE movement_type = 'transplante'"
    " AND (quantity > 0) <> (reverses_movement_id IS NOT NULL))",
    "moved_out": "-sum(quantity) FILTER (WHERE movement_type = 'transplante'"
    " AND (quantity < 0) <> (reverses_movement_id IS NOT NULL))",
    "dead": "-sum(quantity) FILTER (WHERE movement_type = 'muerte')",
    "corrections": "sum(quantity) FILTER (WHERE movement_type = 'ajuste')",
    "recorded_sales": "-sum(quantity) FILTER (WHERE movement_type = 'ventas'"
    " AND closing_id IS NULL)",
}

# Without a later count nothing is settled: the opening carries over and may still be corrected.
# Else: the movements of each location and product and the moments of its counts in one order, added
# up; a closing's flows are what was added between its two counts.
_RUNNING = f"""
WITH standing AS (
    SELECT c.*, o.captured_at AS opening_at, k.captured_at AS closing_at
    FROM period_closings c
    JOIN counts o ON o.id = c.opening_count_id
    JOIN counts k ON k.id = c.closing_count_id
    WHERE c.reopened_at IS NULL
), moved AS (
    SELECT s.storage_location_id, b.product_id, m.occurred_at AS at, false AS is_count,
        sum(quantity) AS stock,
        {", ".join(f"coalesce({sql}, 0) AS {name}" for name, sql in FLOWS.items())}
    FROM stock_movements m
    JOIN stock_batches b ON b.id = m.batch_id
    JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
    GROUP BY s.storage_location_id, b.product_id, m.occurred_at
), moments AS (
    SELECT storage_location_id, product_id, opening_at AS at FROM standing
    UNION SELECT storage_location_id, product_id, closing_at FROM standing
), running AS (
    SELECT storage_location_id, product_id, at, is_count, sum(stock) OVER so_far AS stock,
        {", ".join(f"sum({name}) OVER so_far AS {name}" for name in FLOWS)}
    FROM (
        SELECT * FROM moved
        UNION ALL
        SELECT *, true, 0{", 0" * len(FLOWS)} FROM moments
    ) AS events
    WINDOW so_far AS (PARTITION BY storage_location_id, product_id ORDER BY at)
), known AS (
    SELECT * FROM running WHERE is_count
)
"""

_NAMED = "p.code || ' of ' || l.code || ' in ' || d.code"
_JOINED = """
JOIN periods d ON d.id = c.period_id
JOIN storage_locations l ON l.location_id = c.storage_location_id
JOIN products p ON p.id = c.product_id
"""

CLOSINGS = (
    Check(
        "closing_figures",
        "a closed period's figures are those of its movements and counts",
        (
            f"""
            {_RUNNING}
            SELECT {_NAMED} AS subject,
                concat_ws(' ', o.stock, k.stock,
                    {", ".join(f"k.{name} - o.{name}" for name in FLOWS)}) AS expected,
                concat_ws(' ', c.opening_plants, c.closing_plants,
                    {", ".join(f"c.{name}" for name in FLOWS)}) AS found
            FROM standing c
            {_JOINED}
            JOIN known o ON (o.storage_location_id, o.product_id, o.at)
                = (c.storage_location_id, c.product_id, c.opening_at)
            JOIN known k ON (k.storage_location_id, k.product_id, k.at)
                = (c.storage_location_id, c.product_id, c.closing_at)
            WHERE c.opening_plants <> o.stock OR c.closing_plants <> k.stock
                OR {" OR ".join(f"c.{name} <> k.{name} - o.{name}" for name in FLOWS)}
            """,
        ),
    ),
    Check(
        "closing_pairs",
        "what closing wrote leaves stock as it was, lot by lot",
        (
            """
            SELECT 'closing ' || closing_id || ', lot ' || batch_id AS subject, 0 AS expected,
                   sum(quantity) AS found
            FROM stock_movements WHERE closing_id IS NOT NULL
            GROUP BY closing_id, batch_id HAVING sum(quantity) <> 0
            """,
        ),
    ),
    Check(
        "closing_sales",
        "closing wrote the sales that nobody had recorded, and reopening took them back",
        (
            f"""
            SELECT {_NAMED} AS subject,
                CASE WHEN c.reopened_at IS NULL
                    THEN greatest(0, coalesce(c.sales - c.recorded_sales, 0)) ELSE 0 END
                    AS expected,
                coalesce(w.sold, 0) AS found
            FROM period_closings c
            {_JOINED}
            LEFT JOIN (
                SELECT closing_id, -sum(quantity) AS sold FROM stock_movements
                WHERE closing_id IS NOT NULL AND movement_type = 'ventas' GROUP BY closing_id
            ) AS w ON w.closing_id = c.id
            WHERE coalesce(w.sold, 0) <> CASE WHEN c.reopened_at IS NULL
                THEN greatest(0, coalesce(c.sales - c.recorded_sales, 0)) ELSE 0 END
            """,
        ),
    ),
    Check(
        "closing_of_closed",
        "closings stand in closed periods only",
        (
            """
            SELECT 'closing ' || c.id || ' of period ' || d.code AS subject, 'closed' AS expected,
                   d.status AS found
            FROM period_closings c JOIN periods d ON d.id = c.period_id
            WHERE c.reopened_at IS NULL AND d.status <> 'closed'
            """,
        ),
    ),
)
