"""An upgrade before it happens: its migrations, what they lock, and whether a way back is there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, text

from demeter.core import db
from demeter.core.errors import DomainError
from demeter.core.settings import settings
from demeter.ops.backup.place import place_of
from demeter.ops.backup.repository import open_repository

YOUNG = timedelta(days=1)
ROOM = 2  # times the database: a migration may write each row again, and its log beside it

# What a statement of a migration touches, as it begins; read from the migration's own text.
TOUCHES = re.compile(
    r"\b(?P<verb>ALTER TABLE(?: ONLY)?|DROP TABLE|UPDATE|DELETE FROM|INSERT INTO|"
    r"CREATE (?:UNIQUE )?INDEX \w+ ON|CREATE (?:CONSTRAINT )?TRIGGER \w+[^;]*? ON|LOCK TABLE)"
    r"\s+(?:IF EXISTS )?(?P<table>[a-z_0-9]+)"
)
CREATES = re.compile(r"\bCREATE TABLE (?:IF NOT EXISTS )?([a-z_0-9]+)")
EXCLUSIVE = ("ALTER TABLE", "DROP TABLE", "LOCK TABLE")  # nobody reads meanwhile


@dataclass(frozen=True, slots=True)
class TouchedTable:
    """A table that a migration changes: how many rows there are, and who waits meanwhile."""

    table: str
    rows: int
    is_closed: bool  # to readers, too; else only to those who write


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """One migration that is to run, and what it touches as far as its text tells."""

    revision: str
    title: str
    tables: tuple[TouchedTable, ...]


@dataclass(frozen=True, slots=True)
class UpgradeConcern:
    """Something to know before an upgrade; ``is_hindrance`` forbids it."""

    sentence: str
    is_hindrance: bool


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """What an upgrade would do."""

    at: str | None
    head: str
    steps: tuple[MigrationStep, ...]
    concerns: tuple[UpgradeConcern, ...]

    @property
    def may_go_on(self) -> bool:
        """Whether nothing forbids it."""
        return not any(concern.is_hindrance for concern in self.concerns)


def plan_upgrade(bound_to: Engine) -> UpgradePlan:
    """Look, and change nothing."""
    script = ScriptDirectory(str(db.migrations()))
    head = script.get_current_head()
    assert head is not None
    with bound_to.connect() as connection:
        at = current_revision(connection)
        known = {revision.revision for revision in script.walk_revisions()}
        if at is not None and at not in known:
            return UpgradePlan(at, head, (), (_later(at, head),))
        steps = tuple(_step(connection, revision) for revision in _to_run(script, at, head))
        concerns = tuple(_concerns(connection, steps)) if steps and at else ()
    return UpgradePlan(at, head, steps, concerns)


def current_revision(connection: Connection) -> str | None:
    """Of the database; ``None`` where it is empty."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def _later(at: str, head: str) -> UpgradeConcern:
    sentence = f"The database is at {at}, which this code does not know: it knows up to {head}. "
    return UpgradeConcern(
        f"{sentence}Install the version that was here last, or a later one.", is_hindrance=True
    )


def _to_run(script: ScriptDirectory, at: str | None, head: str) -> list[Script]:
    return list(reversed(list(script.iterate_revisions(head, at or "base"))))


def _step(connection: Connection, revision: Script) -> MigrationStep:
    source = Path(revision.path).read_text()
    upwards = source.split("def downgrade", maxsplit=1)[0]
    own = set(CREATES.findall(upwards))
    closed: dict[str, bool] = {}
    for match in TOUCHES.finditer(upwards):
        table = match["table"]
        if table not in own:
            is_closed = match["verb"].startswith(EXCLUSIVE)
            closed[table] = closed.get(table, False) or is_closed
    tables = tuple(
        TouchedTable(table, rows, is_closed)
        for table, is_closed in sorted(closed.items())
        if (rows := _rows(connection, table)) is not None
    )
    return MigrationStep(revision.revision, revision.doc, tables)


def _rows(connection: Connection, table: str) -> int | None:
    """As the planner knows them, which is nearly right; ``None`` where there is no such table."""
    rows = connection.scalar(
        text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:table)"),
        {"table": table},
    )
    return None if rows is None else max(0, rows)


def _concerns(connection: Connection, steps: tuple[MigrationStep, ...]) -> Iterator[UpgradeConcern]:
    yield _backup_concern()
    yield _room_concern(connection)
    busy = sum(table.rows for step in steps for table in step.tables if table.is_closed)
    if busy:
        sentence = f"While it runs, tables with {busy:,} rows are closed to pages and workers."
        yield UpgradeConcern(f"{sentence} Stop Demeter, or let it wait.", is_hindrance=False)


def _backup_concern() -> UpgradeConcern:
    """The way back: a whole backup of the last day, at the place that is set."""
    address = settings().backup_place
    if address is None:
        sentence = "No place for backups is set (DEMETER_BACKUP_PLACE), so no way back is known."
        return UpgradeConcern(sentence, is_hindrance=True)
    try:
        manifest = open_repository(place_of(address)).pick(None)
    except DomainError as error:
        return UpgradeConcern(f"No backup to go back to: {error.message}.", is_hindrance=True)
    hours = manifest.age_s / 3600
    is_old = manifest.age_s > YOUNG.total_seconds()
    sentence = f"The last backup, {manifest.name}, is {hours:.1f} hours old"
    return UpgradeConcern(f"{sentence}{'; run `demeter backup`' if is_old else ''}.", is_old)


def _room_concern(connection: Connection) -> UpgradeConcern:
    size = connection.scalar(text("SELECT pg_database_size(current_database())")) or 0
    if settings().database_url:
        sentence = f"The database has {size / 1e9:.2f} GB; the room of its server is not known."
        return UpgradeConcern(sentence, is_hindrance=False)
    free = shutil.disk_usage(settings().home).free
    sentence = f"The database has {size / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free"
    is_short = free < ROOM * size
    return UpgradeConcern(
        f"{sentence}{f'; {ROOM} times the database are wanted' if is_short else ''}.", is_short
    )
