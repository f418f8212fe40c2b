"""The embedded PostgreSQL: a private cluster under DEMETER_HOME, reached by a socket only."""

from demeter.localdb.cluster import LocalDatabase, Status
from demeter.localdb.errors import LocalDatabaseFailed, PostgresProgramsMissing

__all__ = ["LocalDatabase", "LocalDatabaseFailed", "PostgresProgramsMissing", "Status"]
