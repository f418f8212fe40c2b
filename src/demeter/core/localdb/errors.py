"""What can go wrong with the embedded PostgreSQL."""

from __future__ import annotations

from demeter.core.errors import Unavailable


class PostgresProgramsMissing(Unavailable):
    """No PostgreSQL with PostGIS was found on this machine."""

    code = "postgres_programs_missing"
    title = "PostgreSQL with PostGIS is not installed"
    next_action = "Run `make setup`, or set DEMETER_DATABASE_URL to a server that has PostGIS."


class LocalDatabaseFailed(Unavailable):
    """The embedded PostgreSQL cannot be made, started or stopped."""

    code = "local_database_failed"
    title = "The embedded database does not run"
    next_action = "Run `demeter doctor`; it checks each part and says how to mend it."
