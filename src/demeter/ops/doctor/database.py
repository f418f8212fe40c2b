"""Checks that ask the database: reached, of the right shape, filled, worked on."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from demeter.core import backup_runs, db
from demeter.core.settings import settings
from demeter.core.wording import english
from demeter.ops.doctor.findings import Finding, failure, ok, warning

MIGRATE = "Run `demeter db migrate`."
REFERENCE = {  # what every nursery starts with: the least number of rows
    "product_states": 11,
    "product_sizes": 6,
    "product_categories": 1,
    "product_families": 1,
    "storage_bin_types": 1,
}
BACKUP = "Run `demeter backup`; set DEMETER_BACKUP_PLACE, and one is made each day."
WORKER = "Run `demeter up`, or `demeter worker` beside the web server."


def postgis(part: str, connection: Connection) -> Finding:
    """The extension is there."""
    version = connection.execute(text("SELECT postgis_lib_version()")).scalar_one()
    server = connection.execute(text("SHOW server_version")).scalar_one()
    return ok(part, f"PostGIS {version} in PostgreSQL {server}")


def schema(part: str, connection: Connection) -> Finding:
    """The schema is the one that this code was written for."""
    version_table = connection.execute(text("SELECT to_regclass('alembic_version')")).scalar()
    if version_table is None:
        return failure(part, "the database is empty", MIGRATE)
    at = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    from alembic.script import ScriptDirectory  # noqa: PLC0415  other commands wait for it

    head = ScriptDirectory(str(db.migrations())).get_current_head()
    if at != head:
        return failure(part, f"at {at}, this code wants {head}", MIGRATE)
    return ok(part, f"at {at}")


def reference_rows(part: str, connection: Connection) -> Finding:
    """The rows that every nursery starts with, and the service user by its name."""
    short = [
        f"{table} has {count} of {least}"
        for table, least in REFERENCE.items()
        if (count := _count(connection, table)) < least
    ]
    service = settings().service_user
    query = text("SELECT count(*) FROM users WHERE username = :name AND is_active")
    if not connection.execute(query, {"name": service}).scalar_one():
        short.append(f"no active user {service}")
    if short:
        mend = "Put them back: the last migration's SQL has them."
        return failure(part, "; ".join(short), mend)
    return ok(part, f"{len(REFERENCE)} tables and the user {service}")


def backup(part: str, connection: Connection) -> Finding:
    """There is a backup of the last day, where one is wanted, and it has every photo."""
    with Session(connection) as session:
        state = backup_runs.backup_state(session)
    if state.failure is not None:
        return failure(part, english(state.failure), BACKUP)
    if state.age is None:
        found = "none was made yet"
        return failure(part, found, BACKUP) if state.is_wanted else warning(part, found, BACKUP)
    assert state.last is not None
    found = f"{state.last.name}, {state.age.total_seconds() / 3600:.0f} hours old, "
    found += f"{state.last.blobs} photos and pictures, at {state.last.place}"
    if state.last.missing:
        return warning(part, f"{found}; {state.last.missing} missing", "demeter verify --deep")
    return failure(part, found, BACKUP) if state.is_old else ok(part, found)


def _count(connection: Connection, table: str) -> int:
    return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608


def workers(part: str, connection: Connection) -> Finding:
    """Somebody works on what waits; nobody is needed while nothing waits."""
    alive = connection.execute(
        text(
            "SELECT count(*) FROM procrastinate_workers "
            "WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
        ),
        {"seconds": settings().worker_stalled_s},
    ).scalar_one()
    waiting = connection.execute(
        text("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
    ).scalar_one()
    state = f"workers alive: {alive}, jobs to do: {waiting}"
    if alive:
        return ok(part, state)
    return failure(part, state, WORKER) if waiting else warning(part, state, WORKER)
