"""The embedded PostgreSQL: a private cluster under DEMETER_HOME, reached by a socket only."""

from demeter.core.localdb.cluster import LocalDatabase, Status
from demeter.core.localdb.errors import LocalDatabaseFailed, PostgresProgramsMissing

__all__ = ["LocalDatabase", "LocalDatabaseFailed", "PostgresProgramsMissing", "Status"]
