"""What holds of lots and movements (SPEC §4), as queries for where it does not."""

from __future__ import annotations

from demeter.core.checks import Check

LOTS = (
    Check(
        "lot_quantity",
        "a lot's quantity is the sum of its movements",
        (
            """
            SELECT b.batch_code AS subject, coalesce(m.total, 0) AS expected,
                   b.quantity_current AS found
            FROM stock_batches b LEFT JOIN (
                SELECT batch_id, sum(quantity) AS total FROM stock_movements GROUP BY batch_id
            ) AS m ON m.batch_id = b.id
            WHERE b.quantity_current <> coalesce(m.total, 0)
            """,
        ),
    ),
    Check(
        "lot_initial",
        "a lot began with its first movement",
        (
            """
            SELECT b.batch_code AS subject, m.first[2] AS expected, b.quantity_initial AS found
            FROM (
                SELECT batch_id, min(ARRAY[id, quantity]) AS first
                FROM stock_movements GROUP BY batch_id
            ) AS m JOIN stock_batches b ON b.id = m.batch_id
            WHERE m.first[2] > 0 AND b.quantity_initial <> m.first[2]
            """,
        ),
    ),
    Check(
        "movement_bin",
        "a movement goes into or out of its lot's bin, as its sign says",
        (
            """
            SELECT m.movement_id AS subject, b.current_storage_bin_id AS expected,
                   concat_ws(' ', CASE WHEN m.is_inbound THEN 'into' ELSE 'out of' END,
                       CASE WHEN m.is_inbound THEN m.destination_bin_id ELSE m.source_bin_id END,
                       'quantity', m.quantity) AS found
            FROM stock_movements m JOIN stock_batches b ON b.id = m.batch_id
            WHERE m.is_inbound <> (m.quantity > 0) OR b.current_storage_bin_id IS DISTINCT FROM
                CASE WHEN m.is_inbound THEN m.destination_bin_id ELSE m.source_bin_id END
            """,
        ),
    ),
    Check(
        "movement_sign",
        "a movement's sign is that of its type",
        (
            """
            SELECT m.movement_id AS subject, m.movement_type AS expected, m.quantity AS found
            FROM stock_movements m
            WHERE m.reverses_movement_id IS NULL
              AND m.movement_type NOT IN ('foto', 'ajuste', 'transplante')
              AND (m.quantity > 0) <> (m.movement_type IN ('plantar', 'sembrar', 'manual_init'))
            """,
        ),
    ),
)

MOVES = (
    Check(
        "transfer_sum",
        "a transfer makes and loses no plants",
        (
            """
            SELECT transfer_id AS subject, 0 AS expected, sum(quantity) AS found
            FROM stock_movements WHERE transfer_id IS NOT NULL
            GROUP BY transfer_id HAVING sum(quantity) <> 0
            """,
        ),
    ),
    Check(
        "transfer_places",
        "a transplant joins two locations, any other transfer stays in one; of one product",
        (
            """
            SELECT t.transfer_id AS subject,
                   CASE WHEN min(t.movement_type) = 'transplante' THEN 'two locations'
                        ELSE 'one location' END || ', one product' AS expected,
                   count(DISTINCT s.storage_location_id) || ' locations, '
                       || count(DISTINCT b.product_id) || ' products' AS found
            FROM stock_movements t
            JOIN stock_batches b ON b.id = t.batch_id
            JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
            WHERE t.transfer_id IS NOT NULL
            GROUP BY t.transfer_id
            HAVING count(DISTINCT b.product_id) <> 1 OR min(t.movement_type) <> max(t.movement_type)
                OR count(DISTINCT s.storage_location_id)
                    <> CASE WHEN min(t.movement_type) = 'transplante' THEN 2 ELSE 1 END
            """,
        ),
    ),
    Check(
        "reversal",
        "a reversal takes its movement back, no more and no less",
        (
            """
            SELECT r.movement_id AS subject,
                   concat_ws(' ', m.movement_type, -m.quantity, 'of lot', m.batch_id) AS expected,
                   concat_ws(' ', r.movement_type, r.quantity, 'of lot', r.batch_id) AS found
            FROM stock_movements r JOIN stock_movements m ON m.id = r.reverses_movement_id
            WHERE (r.movement_type, r.quantity, r.batch_id)
                <> (m.movement_type, -m.quantity, m.batch_id)
            """,
        ),
    ),
)
