"""The ledger recomputed: what must hold, as queries that find the rows for which it does not.

All of it is done in the database, in one read: memory there is bounded by ``WORK_MEM`` a sort,
and here by the examples that are kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

WORK_MEM = "64MB"
EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Check:
    """Something that holds in a sound ledger.

    Each query gives the rows for which it does not: ``subject``, ``expected`` and ``found``.
    """

    code: str
    title: str
    queries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is not as it must be."""

    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found: how many things are wrong, and the first of them."""

    code: str
    title: str
    wrong: int
    examples: tuple[Mismatch, ...]
    seconds: float


def run(session: Session, checks: Iterable[Check]) -> Iterator[CheckResult]:
    """Carry out checks one after the other; nothing is written."""
    session.execute(text(f"SET LOCAL work_mem = '{WORK_MEM}'"))
    session.execute(text("SET LOCAL jit = off"))
    for check in checks:
        yield _carry_out(session, check)


def _carry_out(session: Session, check: Check) -> CheckResult:
    started = time.monotonic()
    wrong, examples = 0, []
    for query in check.queries:
        rows = session.execute(
            text(f"""
            WITH wrong AS ({query})
            SELECT count(*) OVER () AS total, subject::text AS subject,
                   coalesce(expected::text, 'none') AS expected,
                   coalesce(found::text, 'none') AS found
            FROM wrong ORDER BY subject LIMIT :most
            """),  # noqa: S608  the queries are this program's own
            {"most": EXAMPLES},
        ).all()
        wrong += rows[0].total if rows else 0
        examples += [Mismatch(row.subject, row.expected, row.found) for row in rows]
    seconds = time.monotonic() - started
    return CheckResult(check.code, check.title, wrong, tuple(examples[:EXAMPLES]), seconds)


def references(session: Session) -> Check:
    """Every foreign key of the schema leads to a row, also one that was written past it."""
    keys = session.execute(text(_KEYS)).all()
    return Check(
        "references",
        "every row that is named is there",
        tuple(
            f"""
            SELECT '{key.child}.{key.child_column} of row ' || c.{key.child_key} AS subject,
                   '{key.parent}' AS expected, c.{key.child_column} AS found
            FROM {key.child} c
            WHERE c.{key.child_column} IS NOT NULL AND NOT EXISTS (
                SELECT FROM {key.parent} p WHERE p.{key.parent_column} = c.{key.child_column})
            """  # noqa: S608  names from the catalog, quoted there
            for key in keys
        ),
    )


# Foreign keys of one column, with the first column of the child's primary key to name its row.
_KEYS = """
SELECT quote_ident(child.relname) AS child, quote_ident(own.attname) AS child_column,
       quote_ident(parent.relname) AS parent, quote_ident(theirs.attname) AS parent_column,
       quote_ident(named.attname) AS child_key
FROM pg_constraint f
JOIN pg_class child ON child.oid = f.conrelid
JOIN pg_class parent ON parent.oid = f.confrelid
JOIN pg_attribute own ON own.attrelid = f.conrelid AND own.attnum = f.conkey[1]
JOIN pg_attribute theirs ON theirs.attrelid = f.confrelid AND theirs.attnum = f.confkey[1]
JOIN pg_constraint k ON k.conrelid = f.conrelid AND k.contype = 'p'
JOIN pg_attribute named ON named.attrelid = k.conrelid AND named.attnum = k.conkey[1]
WHERE f.contype = 'f' AND cardinality(f.conkey) = 1
  AND f.connamespace = current_schema()::regnamespace AND child.relname NOT LIKE 'procrastinate%'
ORDER BY child.relname, own.attname
"""
