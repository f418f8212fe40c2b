"""What a person is told of an error of the database, once, in the server's own sentence."""

from __future__ import annotations

import errno

import psycopg
from psycopg.errors import (
    DiskFull,
    ProgramLimitExceeded,
    ReadOnlySqlTransaction,
    UndefinedColumn,
    UndefinedTable,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from demeter.core.errors import DomainError, InvalidInput, Unavailable, error_sentence


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer."""

    code = "database_unavailable"
    title = "The database does not answer"
    next_action = "Try again in a moment; `demeter doctor` says what is wrong."


class DatabaseReadOnly(Unavailable):
    """PostgreSQL answers and takes no changes."""

    code = "database_read_only"
    title = "The database takes no changes"
    next_action = "Ask an administrator: the server is a standby, or set to read only."


class StorageFull(Unavailable):
    """A disk has no room left."""

    status = 507
    code = "storage_full"
    title = "A disk is full"
    next_action = "Free some space, then send it again; nothing of this was kept."
    retry_after_s = 60


class SchemaOutdated(Unavailable):
    """The database has not been migrated to what this code expects."""

    code = "schema_outdated"
    title = "The database's schema is not up to date"
    next_action = "Run: demeter db migrate"


UNREACHED = "PostgreSQL could not be reached"
FULL = (errno.ENOSPC, errno.EDQUOT)


def refusal_of(error: BaseException) -> DomainError | None:
    """The refusal that an error amounts to; ``None`` for a fault of the program."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, OSError):
        return _refusal_of_system(error)
    if isinstance(error, NoConnectionFree):
        return DatabaseUnavailable("every connection to PostgreSQL is in use")
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.Error):
        return _refusal_of_database(cause)
    return DatabaseUnavailable(UNREACHED) if isinstance(error, OperationalError) else None


def _refusal_of_system(error: OSError) -> DomainError | None:
    if error.errno in FULL:
        place = f" at {error.filename}" if error.filename else ""
        return StorageFull(f"{error.strerror}{place}")
    return None


def _refusal_of_database(error: psycopg.Error) -> DomainError | None:
    sentence = error_sentence(error)
    if isinstance(error, DiskFull):
        return StorageFull(f"PostgreSQL: {sentence}")
    if isinstance(error, ReadOnlySqlTransaction):
        return DatabaseReadOnly(f"PostgreSQL: {sentence}")
    if isinstance(error, UndefinedTable | UndefinedColumn):
        return SchemaOutdated(sentence)
    # Beneath the checks of what comes in: a text or number that no column can hold.
    if isinstance(error, psycopg.DataError | ProgramLimitExceeded):
        return InvalidInput(f"PostgreSQL cannot hold this: {sentence}")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return DatabaseUnavailable(f"{UNREACHED}: {sentence}")
    return None
