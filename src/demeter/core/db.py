"""The engine, the declarative base, and `transaction`: the only place that commits."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Engine,
    Enum,
    FetchedValue,
    MetaData,
    create_engine,
    func,
    text,
)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from demeter.core import traces
from demeter.core.errors import Conflict, Unavailable
from demeter.core.localdb import LocalDatabase
from demeter.core.lost_connections import limits_beside
from demeter.core.settings import settings

WAIT_FOR_CONNECTION_S = 10  # while all of a process are in use
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class MigrationHindered(Unavailable):
    """A migration waited too long for a lock, or took too long itself."""

    code = "migration_hindered"
    title = "A migration was hindered, and nothing was changed"
    next_action = "Stop web and workers (`demeter up`) and try again, or raise the setting named."


class SchemaTooNarrow(Conflict):
    """Rows that the database has do not fit into the schema that it is to have."""

    code = "schema_too_narrow"
    title = "Rows do not fit into that schema, and nothing was changed"
    next_action = "To go back, restore the backup that was made before the upgrade."


class Base(DeclarativeBase):
    """Base of all tables; the migrations, not this metadata, make the schema."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it from the class
        datetime: DateTime(timezone=True),
        int: BigInteger,
    }


class CreatedRow:
    """A row that knows when it was written."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ChangedRow(CreatedRow):
    """A row that changes; a trigger keeps ``updated_at``, which is null until it first does."""

    updated_at: Mapped[datetime | None] = mapped_column(server_onupdate=FetchedValue())


def pg_enum(kind: type[StrEnum], name: str) -> Enum:
    """A native PostgreSQL enum made by the migrations, stored by value."""
    return Enum(kind, name=name, create_type=False, values_callable=lambda e: [m.value for m in e])


def database_url() -> str:
    """The libpq URL in use; starts the embedded cluster where none is set."""
    configured = settings()
    if configured.database_url:
        return configured.database_url
    return LocalDatabase(configured.home).ensure_running()


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The engine of this process, made at first use; its connections are closed at the end."""
    process_engine = make_engine(database_url())
    atexit.register(process_engine.dispose)
    return process_engine


def make_engine(libpq_url: str) -> Engine:
    """An engine for a libpq URL (``postgresql://…``), with psycopg 3 and UTC sessions."""
    url = libpq_url.replace("postgres://", "postgresql://", 1)
    made = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_pre_ping=True,
        pool_timeout=WAIT_FOR_CONNECTION_S,
        connect_args=limits_beside(libpq_url, "timezone=UTC"),
        hide_parameters=True,  # what people wrote and photographed stays out of messages
    )
    if traces.is_on():
        traces.watch_statements(made)
    return made


@contextmanager
def transaction(bound_to: Engine | None = None) -> Iterator[Session]:
    """One request, task or command: commits at the end, rolls back on any error."""
    bound_to = bound_to or engine()
    for look in _before_each:
        look(bound_to)
    with (
        traces.span("transaction", **{"db.system.name": "postgresql"}),
        Session(bound_to, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


_before_each: list[Callable[[Engine], None]] = []


def before_each(look: Callable[[Engine], None]) -> None:
    """Let a look, such as at the nursery's row, come before each transaction of this process.

    It has a connection of its own: a transaction may want to begin with other words.
    """
    if look not in _before_each:
        _before_each.append(look)


def preview(session: Session, act: Callable[[], Any]) -> Any:
    """What ``act`` returns, with nothing of it kept: it runs for real and is rolled back."""
    nested = session.begin_nested()
    try:
        return act()
    finally:
        nested.rollback()
        session.expire_all()


def lock_key(session: Session, namespace: str, key: str) -> None:
    """Hold an advisory lock on a name until the transaction ends."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext(:namespace), hashtext(:key))"),
        {"namespace": namespace, "key": key},
    )


def migrate(bound_to: Engine, revision: str = "head") -> None:
    """Bring the schema to a revision, up or down (``base``: to nothing), in one transaction.

    Raises:
        MigrationHindered: a lock or a statement took longer than the settings allow; the
            schema is as it was.
        SchemaTooNarrow: rows do not fit, as those that came since an upgrade may not on the
            way down.
    """
    from alembic import command  # noqa: PLC0415  most commands migrate nothing
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations()))
    script = ScriptDirectory(str(migrations()))
    with bound_to.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('demeter.migrate'))"))
        _limit_migrations(connection)
        config.attributes["connection"] = connection
        at = _revision_of(connection)
        if revision == "base" or _is_behind(script, revision, at):
            _carry_out(command.downgrade, config, revision)
            return
        _carry_out(command.upgrade, config, revision)


def _limit_migrations(connection: Connection) -> None:
    configured = settings()
    for name, seconds in (
        ("lock_timeout", configured.migration_lock_timeout_s),
        ("statement_timeout", configured.migration_statement_timeout_s),
    ):
        connection.execute(text(f"SET LOCAL {name} = '{seconds}s'"))


def _revision_of(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def _is_behind(script: Any, revision: str, at: str | None) -> bool:
    """Whether a revision is one that the database has left behind."""
    if at is None or revision in ("head", at):
        return False
    return revision in {step.revision for step in script.iterate_revisions(at, "base")}


def _carry_out(act: Callable[[Any, str], None], config: Any, revision: str) -> None:
    try:
        act(config, revision)
    except IntegrityError as error:
        raise SchemaTooNarrow(str(error.orig)) from error
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled):
            raise MigrationHindered(_hindrance(error)) from error
        raise


def _hindrance(error: DBAPIError) -> str:
    """What took too long: the statement, shortened, by its first line that says something."""
    words = " ".join((error.statement or "").split())[:120]
    setting = (
        "DEMETER_MIGRATION_LOCK_TIMEOUT_S"
        if isinstance(error.orig, psycopg.errors.LockNotAvailable)
        else "DEMETER_MIGRATION_STATEMENT_TIMEOUT_S"
    )
    return f"it took longer than {setting} allows: {words}"


def migrations() -> Path:
    """Of the schema: beside the package in a wheel, at the top of a checkout."""
    packaged = Path(__file__).parents[1] / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "migrations"
