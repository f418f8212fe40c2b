"""Who holds a row: the database's own foreign keys say it, so none is forgotten."""

from __future__ import annotations

from typing import Any

from sqlalchemy import column, func, select, table, text
from sqlalchemy.orm import Session

_REFERRING = text("""
SELECT c.conrelid::regclass::text AS referring, a.attname AS attribute
FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.confrelid = CAST(:held AS regclass) AND c.confdeltype IN ('a', 'r')
ORDER BY 1, 2
""")


def holders(session: Session, table_name: str, number: Any) -> dict[str, int]:
    """How many rows of which tables keep a row from being deleted.

    What the database itself would delete or empty with it holds nothing.
    """
    counts: dict[str, int] = {}
    for referring, attribute in session.execute(_REFERRING, {"held": table_name}):
        query = (
            select(func.count()).select_from(table(referring)).where(column(attribute) == number)
        )
        rows = session.scalar(query) or 0
        if rows:
            counts[referring] = counts.get(referring, 0) + rows
    return counts
