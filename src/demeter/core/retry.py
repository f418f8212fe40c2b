"""Which failures may pass, and when a job that met one is tried again."""

from __future__ import annotations

import psycopg
from procrastinate import JobContext, RetryDecision
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy
from sqlalchemy.exc import DBAPIError

from demeter.core.errors import Unavailable

MAX_ATTEMPTS = 4


def may_pass(error: BaseException) -> bool:
    """Whether the same work may succeed later: outages, lost connections, lock conflicts."""
    if isinstance(error, DBAPIError):
        cause = error.orig
        return (
            error.connection_invalidated
            or isinstance(
                cause,
                psycopg.errors.SerializationFailure
                | psycopg.errors.DeadlockDetected
                | psycopg.errors.LockNotAvailable
                | psycopg.errors.AdminShutdown
                | psycopg.errors.CrashShutdown
                | psycopg.errors.CannotConnectNow
                | psycopg.errors.DiskFull
                | psycopg.errors.TooManyConnections,
            )
            or type(cause) is psycopg.OperationalError
        )
    return isinstance(error, Unavailable | psycopg.OperationalError)


class Backoff(BaseRetryStrategy):
    """Again after 2, 4, 8 … seconds for what can pass; not at all for what cannot."""

    def __init__(self, most: int = MAX_ATTEMPTS) -> None:
        self.most = most

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Procrastinate's question after a failure."""
        if not may_pass(exception) or job.attempts + 1 >= self.most:
            return None
        return RetryDecision(retry_in={"seconds": min(2 ** (job.attempts + 1), 300)})


def is_last_try(context: JobContext, error: BaseException) -> bool:
    """Whether this failure is the job's end, so that its session must be told."""
    assert context.job is not None
    return not may_pass(error) or context.job.attempts + 1 >= MAX_ATTEMPTS
