"""What holds of counts (SPEC §3.5), as queries for where it does not."""

from __future__ import annotations

from demeter.core.checks import Check

STANDING = "c.posted_at IS NOT NULL AND c.voided_at IS NULL"

# Counts that are posted as they stand: what a person corrected since and what waits is told by
# the session or the count, not by the ledger.
POSTED_AND_FINAL = f"""
{STANDING} AND c.waits_for IS NULL AND NOT EXISTS (
    SELECT FROM photo_processing_sessions p
    WHERE p.id = c.processing_session_id AND p.status <> 'completed')
"""

# A container's answer: a person's, else the machine's; a bin that was not seen holds none.
ANSWERS = """
SELECT id, count_id, attempt, bin_id, ledger_before, difference,
       coalesce(human_corrected, machine_detected + coalesce(machine_estimated, 0), 0) AS answer
FROM container_counts
"""

COUNTS = (
    Check(
        "count_stands",
        "stock as of each posted count is that count",
        (
            # One pass: movements and counts of a location by moment, added up; what happened
            # at a count's own moment is before it. Of counts at one moment the last one stands.
            f"""
            SELECT 'count ' || id || ' of ' || code AS subject, plants AS expected, stock AS found
            FROM (
                SELECT id, plants, storage_location_id,
                       sum(quantity) OVER (PARTITION BY storage_location_id ORDER BY at) AS stock,
                       max(id) OVER (PARTITION BY storage_location_id, at) AS last_id
                FROM (
                    SELECT s.storage_location_id, m.occurred_at AS at, m.quantity,
                           NULL::bigint AS id, NULL::integer AS plants
                    FROM stock_movements m
                    JOIN stock_batches b ON b.id = m.batch_id
                    JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
                    UNION ALL
                    SELECT c.storage_location_id, c.captured_at, 0, c.id, c.plants
                    FROM counts c WHERE {STANDING}
                ) AS events
            ) AS history
            JOIN storage_locations l ON l.location_id = history.storage_location_id
            WHERE id = last_id AND stock <> plants
            """,
        ),
    ),
    Check(
        "count_rows",
        "each row of a count is of its location and its moment",
        (
            """
            SELECT m.movement_id AS subject,
                   CASE WHEN c.id IS NULL THEN 'a count' ELSE concat_ws(' ', 'count', c.id, 'at',
                       c.storage_location_id, c.captured_at) END AS expected,
                   concat_ws(' ', m.movement_type, 'at', s.storage_location_id, m.occurred_at)
                       AS found
            FROM stock_movements m
            JOIN stock_batches b ON b.id = m.batch_id
            JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
            LEFT JOIN counts c ON c.id = m.count_id
            WHERE m.movement_type IN ('foto', 'manual_init')
              AND (c.id IS NOT NULL OR m.movement_type = 'foto')
              AND (c.id IS NULL OR c.storage_location_id <> s.storage_location_id
                   OR c.captured_at < m.occurred_at
                   OR (m.closing_id IS NULL AND c.captured_at <> m.occurred_at))
            """,
        ),
    ),
    Check(
        "count_void",
        "nothing is left of a count that was taken back",
        (
            """
            SELECT 'count ' || c.id || ', lot ' || m.batch_id AS subject, 0 AS expected,
                   sum(m.quantity) AS found
            FROM counts c JOIN stock_movements m ON m.count_id = c.id
            WHERE c.voided_at IS NOT NULL
            GROUP BY c.id, m.batch_id HAVING sum(m.quantity) <> 0
            """,
        ),
    ),
    Check(
        "count_plants",
        "a posted count is the sum of its containers",
        (
            f"""
            SELECT 'count ' || c.id AS subject, coalesce(sum(k.answer), 0) AS expected,
                   c.plants AS found
            FROM counts c LEFT JOIN ({ANSWERS}) AS k
                ON k.count_id = c.id AND k.attempt = c.posted_attempt
            WHERE {POSTED_AND_FINAL}
            GROUP BY c.id HAVING c.plants <> coalesce(sum(k.answer), 0)
            """,
        ),
    ),
    Check(
        "container_difference",
        "a container's difference is its count less what the ledger held",
        (
            f"""
            SELECT 'container ' || k.id || ' of count ' || c.id AS subject,
                   k.answer - k.ledger_before AS expected, k.difference AS found
            FROM counts c JOIN ({ANSWERS}) AS k
                ON k.count_id = c.id AND k.attempt = c.posted_attempt
            WHERE {POSTED_AND_FINAL} AND k.ledger_before + k.difference <> k.answer
            """,
        ),
    ),
    Check(
        "session_end",
        "a completed session has its count posted, and a location's latest session is posted",
        (
            f"""
            SELECT 'session ' || p.id AS subject, 'a posted count' AS expected,
                   'none' AS found
            FROM photo_processing_sessions p
            WHERE p.status = 'completed' AND NOT EXISTS (
                SELECT FROM counts c WHERE c.processing_session_id = p.id AND {STANDING})
            """,
            f"""
            SELECT 'location ' || l.code AS subject, 'a posted session' AS expected,
                   l.photo_session_id AS found
            FROM storage_locations l
            WHERE l.photo_session_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM counts c WHERE c.processing_session_id = l.photo_session_id
                    AND c.storage_location_id = l.location_id AND {STANDING})
            """,
        ),
    ),
)
