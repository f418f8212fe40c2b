"""The doctor's round: every part once, the embedded database left as it was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import Connection, Engine

from demeter.core import db
from demeter.core.errors import DomainError, chain
from demeter.core.localdb import LocalDatabase
from demeter.core.settings import settings
from demeter.ops.doctor import database, machine
from demeter.ops.doctor.findings import (
    Finding,
    Verdict,
    failure,
    finding_of,
    ok,
    short_message,
    unknown,
)

SCHEMA = "Schema"
SETUP = "Run `make setup`."
HOME = "Make it writable, or set DEMETER_HOME to a directory of your own."
STORE = "Check DEMETER_OBJECT_STORE_URL, the store's credentials, and that it answers."
SERVER = "Check DEMETER_DATABASE_URL and that the server answers."

ON_MACHINE: tuple[tuple[str, Callable[[str], Finding], str], ...] = (
    ("Python", machine.python, SETUP),
    ("Home", machine.home, HOME),
    ("Disk", machine.disk, HOME),
    ("PostgreSQL", machine.postgresql, SETUP),
    ("Models", machine.models, "Check the project out again, or install it again."),
    ("Pages", machine.pages, SETUP),
    ("Object store", machine.object_store, STORE),
    ("Cache", machine.cache, HOME),
    ("Restore", machine.restore, HOME),
)
IN_DATABASE: tuple[tuple[str, Callable[[str, Connection], Finding], str], ...] = (
    ("PostGIS", database.postgis, "Run `CREATE EXTENSION postgis` as the server's administrator."),
    (SCHEMA, database.schema, database.MIGRATE),
    ("Reference rows", database.reference_rows, database.MIGRATE),
    ("Workers", database.workers, database.MIGRATE),
    ("Backup", database.backup, database.MIGRATE),
)


def examine() -> list[Finding]:
    """Look at every part, in the order in which they stand on each other."""
    return [
        *(finding_of(part, check, mend) for part, check, mend in ON_MACHINE),
        *_examine_database(),
    ]


def _examine_database() -> list[Finding]:
    part = "Database"
    try:
        with _database_engine() as engine, engine.connect() as connection:
            where = engine.url.render_as_string()
            return [ok(part, where), *_ask(connection)]
    except DomainError as error:
        database_finding = failure(part, chain(error), error.next_action or SERVER)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was found
        database_finding = failure(part, short_message(error), SERVER)
    return [database_finding, *(unknown(part, "the database") for part, _, _ in IN_DATABASE)]


def _ask(connection: Connection) -> Iterator[Finding]:
    has_schema = True
    for part, check, mend in IN_DATABASE:
        if not has_schema:
            yield unknown(part, "the schema")
            continue
        finding = finding_of(part, partial(_call, check, connection), mend)
        connection.rollback()  # one failed question must not spoil the next
        has_schema = part != SCHEMA or finding.verdict is Verdict.OK
        yield finding


def _call(
    check: Callable[[str, Connection], Finding], connection: Connection, part: str
) -> Finding:
    return check(part, connection)


@contextmanager
def _database_engine() -> Iterator[Engine]:
    """The engine; an embedded database that did not run is stopped again afterwards."""
    configured = settings()
    embedded = None if configured.database_url else LocalDatabase(configured.home)
    was_running = embedded is None or not embedded.status().is_down
    engine = db.make_engine(db.database_url())
    try:
        yield engine
    finally:
        engine.dispose()
        if embedded is not None and not was_running:
            embedded.stop()


def is_well(findings: list[Finding]) -> bool:
    """Whether nothing failed and nothing stayed unchecked."""
    return all(f.verdict in {Verdict.OK, Verdict.WARNING} for f in findings)
