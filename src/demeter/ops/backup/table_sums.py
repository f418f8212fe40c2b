"""What the tables hold, as numbers that can be compared: rows, and a sum of their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from psycopg import Connection, sql

from demeter.ops.backup.manifest import TableSum

# What the ledger is: what was counted, what moved, what was closed.
LEDGER = (
    "stock_batches", "stock_movements", "counts", "container_counts", "count_corrections",
    "periods", "period_closings", "period_events", "period_explanations",
)  # fmt: skip

# As text the same everywhere: these are set for the session before any sum is taken.
TEXT_SETTINGS = """
SET TIME ZONE 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
SET extra_float_digits = 1; SET bytea_output = 'hex'; SET jit = off;
"""

# The first 60 bits of each row's SHA-256, added: no order, no sorting, one pass.
SUM = """
SELECT count(*), coalesce(sum(('x' || left(encode(sha256(convert_to(t::text, 'UTF8')), 'hex'), 15)
    )::bit(60)::bigint::numeric), 0)
FROM public.{} AS t
"""

OWN_TABLES = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT EXISTS (
    SELECT FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname
"""


def own_tables(connection: Connection) -> list[str]:
    """Every table that no extension brought."""
    return [row[0] for row in connection.execute(OWN_TABLES)]


def table_sums(connection: Connection) -> Iterator[tuple[str, TableSum]]:
    """Each table with its sum, in the connection's transaction."""
    for name in own_tables(connection):
        row = connection.execute(sql.SQL(SUM).format(sql.Identifier(name))).fetchone()
        assert row is not None
        yield name, TableSum(rows=row[0], digest=str(row[1]))


def ledger_hash(tables: Mapping[str, TableSum]) -> str:
    """One hash of what the ledger's tables hold."""
    lines = [f"{n} {tables[n].rows} {tables[n].digest}" for n in LEDGER if n in tables]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_statement(name: str, expected: TableSum) -> sql.Composed:
    """A statement that fails, with the table's name, where it holds anything else."""
    body = sql.SQL("""
DECLARE rows bigint; digest numeric;
BEGIN
    SELECT * INTO rows, digest FROM ({sum}) AS s (a, b);
    IF rows <> {rows} OR digest <> {digest}::numeric THEN
        RAISE EXCEPTION 'table % differs from the backup: % rows, not %', {name}, rows, {rows};
    END IF;
END""").format(
        sum=sql.SQL(SUM).format(sql.Identifier(name)),
        rows=sql.Literal(expected.rows),
        digest=sql.Literal(expected.digest),
        name=sql.Literal(name),
    )
    return sql.SQL("DO $check${}$check$;\n").format(body)
