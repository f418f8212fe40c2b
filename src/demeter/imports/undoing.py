"""Taking an import back, as long as nothing rests on what it wrote."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.accounts.models import User
from demeter.core import db
from demeter.core.db import Base
from demeter.core.imports.journal import JournalEntry, plain
from demeter.imports.errors import ImportInUse, ImportNotOpen
from demeter.imports.models import ImportRun, ImportStatus
from demeter.imports.service import LOCK, kind_of

SRID = 4326


def undo_import(session: Session, run: ImportRun, by: User) -> None:
    """Delete what an import made and give back what it changed. Again, it changes nothing.

    Raises:
        ImportNotOpen: it was not carried out.
        ImportInUse: something rests on a row of it, or somebody changed one since.
    """
    identity.require(kind_of(run).permission)
    if run.status == ImportStatus.UNDONE:
        return
    if run.status != ImportStatus.APPLIED:
        raise ImportNotOpen(f"import {run.id} is {run.status}", import_id=run.id, status=run.status)
    db.lock_key(session, LOCK, "apply")
    entries = [JournalEntry(**entry) for entry in run.journal]
    _require_unused(session, [entry for entry in entries if entry.before is None])
    session.execute(text("SET LOCAL demeter.accept_outside = 'on'"))
    for entry in reversed(entries):
        _undo(session, entry)
        if entry.before is not None:
            session.flush()
    session.flush()
    session.execute(text("SET LOCAL demeter.accept_outside = 'off'"))
    run.status = ImportStatus.UNDONE
    run.undone_at = datetime.now(UTC)
    run.undone_by_user_id = by.id
    session.flush()
    session.refresh(run)


def _require_unused(session: Session, made: list[JournalEntry]) -> None:
    """Refuse where a row outside the import points at one of its rows."""
    keys: dict[str, list[int]] = defaultdict(list)
    for entry in made:
        keys[entry.table].append(entry.key)
    held: dict[str, int] = {}
    for table, of_table in keys.items():
        for other, column, other_key in session.execute(text(_REFERENCES), {"table": table}):
            count = session.scalar(
                text(
                    f"SELECT count(*) FROM {other} WHERE {column} = ANY(:keys)"  # noqa: S608  names of the schema
                    f" AND NOT {other_key} = ANY(:own)"
                ),
                {"keys": of_table, "own": keys.get(other, [])},
            )
            if count:
                held[other] = held.get(other, 0) + int(count)
    if held:
        named = ", ".join(f"{count} of {table}" for table, count in sorted(held.items()))
        raise ImportInUse(f"what was imported is in use: {named}", held_by=held)


def _undo(session: Session, entry: JournalEntry) -> None:
    kind = _class_of(entry.table)
    row = session.get(kind, entry.key)
    if row is None:
        if entry.before is None:
            return
        raise ImportInUse(f"{entry.table} {entry.key} is gone", held_by={entry.table: 1})
    if entry.before is None:
        session.delete(row)
        return
    changed = [n for n, value in entry.after.items() if plain(getattr(row, n)) != value]
    if changed:
        raise ImportInUse(
            f"{entry.table} {entry.key} was changed since: {', '.join(changed)}",
            held_by={entry.table: 1},
        )
    for name, value in entry.before.items():
        setattr(row, name, _restored(kind, name, value))


def _restored(kind: Any, name: str, value: Any) -> Any:
    """A value of the journal as its column takes it."""
    column = inspect(kind).columns[name].type
    if value is None:
        return None
    if isinstance(column, Geometry):
        return WKBElement(bytes.fromhex(value), srid=SRID)
    python_type = column.python_type
    if python_type is Decimal:
        return Decimal(str(value))
    return date.fromisoformat(value) if python_type is date else value


def _class_of(table: str) -> Any:
    return next(
        mapper.class_
        for mapper in Base.registry.mappers
        if mapper.local_table is not None and mapper.class_.__tablename__ == table
    )


_REFERENCES = """
SELECT c.conrelid::regclass::text, a.attname, k.attname
FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
JOIN pg_index i ON i.indrelid = c.conrelid AND i.indisprimary
JOIN pg_attribute k ON k.attrelid = c.conrelid AND k.attnum = i.indkey[0]
WHERE c.contype = 'f' AND c.confrelid = CAST(:table AS regclass)
"""
