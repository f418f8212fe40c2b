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

from sqlalchemy import (
    BigInteger,
    DateTime,
    Engine,
    Enum,
    FetchedValue,
    MetaData,
    create_engine,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from demeter.core.localdb import LocalDatabase
from demeter.core.settings import settings

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


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
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC"},
        hide_parameters=True,  # what people wrote and photographed stays out of messages
    )


@contextmanager
def transaction(bound_to: Engine | None = None) -> Iterator[Session]:
    """One request, task or command: commits at the end, rolls back on any error."""
    bound_to = bound_to or engine()
    for look in _before_each:
        look(bound_to)
    with Session(bound_to, expire_on_commit=False) as session, session.begin():
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
    """Bring the schema to a revision, up or (``base``) down, in one transaction."""
    from alembic import command  # noqa: PLC0415  most commands migrate nothing
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations()))
    with bound_to.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('demeter.migrate'))"))
        config.attributes["connection"] = connection
        if revision == "base":
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def migrations() -> Path:
    """Of the schema: beside the package in a wheel, at the top of a checkout."""
    packaged = Path(__file__).parents[1] / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "migrations"
