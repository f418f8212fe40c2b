"""Which failures may pass, and when a job that met one is tried again."""

from __future__ import annotations

import psycopg
from procrastinate import RetryDecision
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy
from sqlalchemy.exc import DBAPIError

from demeter.core.errors import Unavailable

LONGEST_WAIT_S = 60
DISK_FULL = psycopg.errors.DiskFull
PASSING = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.AdminShutdown,
    psycopg.errors.CrashShutdown,
    psycopg.errors.CannotConnectNow,
    psycopg.errors.TooManyConnections,
    DISK_FULL,
)


def may_pass(error: BaseException) -> bool:
    """Whether the same work may succeed later: outages, lost connections, lock conflicts.

    What was raised because of such a failure ("the bins could not be made") may pass, too.
    """
    current: BaseException | None = error
    while current is not None:
        if _is_passing(current):
            return True
        current = current.__cause__
    return False


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and _is_passing(error.orig))
    # Without a code of the server's it is the connection that failed.
    return isinstance(error, (Unavailable, *PASSING)) or type(error) is psycopg.OperationalError


class Backoff(BaseRetryStrategy):
    """Again after 2, 4, 8 … seconds for what can pass, for as long as it takes.

    Waiting for an outage is no failure of the job, so the number of tries has no limit; what
    cannot pass is not tried again.

    Args:
        later_priority: of every try but the first; ``None``: as it was queued.
    """

    def __init__(self, later_priority: int | None = None) -> None:
        self._later_priority = later_priority

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Procrastinate's question after a failure."""
        if not may_pass(exception):
            return None
        wait_s = min(2 ** min(job.attempts + 1, 10), LONGEST_WAIT_S)
        return RetryDecision(retry_in={"seconds": wait_s}, priority=self._later_priority)
