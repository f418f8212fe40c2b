"""How a worker talks to the queue: it waits while the database is away, and loses no job by it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.connector import Notify
from procrastinate.exceptions import ConnectorException
from procrastinate.sql import queries

from demeter.core import logs
from demeter.core.lost_connections import with_limits

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 1.0
TRY_TO_CONNECT_S = 2.0
FETCH, FINISH, RETRY = queries["fetch_job"], queries["finish_job"], queries["retry_job"]
Answer = TypeVar("Answer")
log = logs.get(__name__)
# A line for each try to connect; `queue_away` says it once.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

# A connection may break after the server gave a job away and before we heard of it: nobody
# would do that job while this worker lives.
LET_GO = """
UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL
WHERE worker_id = %(worker_id)s AND status = 'doing' AND id <> ALL(%(in_hand)s)
"""


class PatientConnector(PsycopgConnector):
    """Repeats what the loss of a connection broke off, until the database answers.

    So neither a heartbeat nor the end of a job is lost to a server that recovers, and the
    worker lives. Everything asked of the queue may be asked twice but a job, which is let go
    before the next is fetched.

    Args:
        conninfo: the database's libpq URL.
        most: connections at the same time.
        stopping: set when the worker is to end: then nothing is waited for.
    """

    def __init__(self, conninfo: str, most: int, stopping: asyncio.Event) -> None:
        super().__init__(
            conninfo=with_limits(conninfo),
            min_size=1,
            max_size=most,
            timeout=TRY_TO_CONNECT_S,
            reconnect_timeout=TRY_TO_CONNECT_S,
        )
        self._stopping = stopping
        self._in_hand: set[int] = set()

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        """Carry a query out."""
        await self._patiently(
            lambda: super(PatientConnector, self).execute_query_async(query, **arguments)
        )
        if query in (FINISH, RETRY):
            self._in_hand.discard(arguments["job_id"])

    async def execute_query_one_async(self, query: str, **arguments: Any) -> dict[str, Any]:
        """The one row of a query's answer."""

        async def ask() -> dict[str, Any]:
            return await super(PatientConnector, self).execute_query_one_async(query, **arguments)

        if query != FETCH:
            return await self._patiently(ask)
        job = await self._patiently(ask, before_repeating=lambda: self._let_go(**arguments))
        if job["id"] is not None:
            self._in_hand.add(job["id"])
        return job

    async def execute_query_all_async(self, query: str, **arguments: Any) -> list[dict[str, Any]]:
        """The rows of a query's answer."""
        return await self._patiently(
            lambda: super(PatientConnector, self).execute_query_all_async(query, **arguments)
        )

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Listen for new jobs, again whenever the connection was lost."""
        channels = list(channels)
        await self._patiently(
            lambda: super(PatientConnector, self).listen_notify(on_notification, channels)
        )

    async def _let_go(self, *, worker_id: int, **_: Any) -> None:
        await super().execute_query_async(
            LET_GO,  # pyright: ignore[reportArgumentType]
            worker_id=worker_id,
            in_hand=sorted(self._in_hand),
        )

    async def _patiently(
        self,
        ask: Callable[[], Awaitable[Answer]],
        before_repeating: Callable[[], Awaitable[None]] | None = None,
    ) -> Answer:
        wait_s, is_repeated = FIRST_WAIT_S, False
        while True:
            try:
                if is_repeated and before_repeating is not None:
                    await before_repeating()
                return await ask()
            except (ConnectorException, psycopg.OperationalError) as error:
                if not is_outage(error) or self._stopping.is_set():
                    raise
                if not is_repeated:
                    log.warning("queue_away", error=str(error.__cause__ or error))
            is_repeated = True
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)


def is_outage(error: BaseException) -> bool:
    """Whether the database was out of reach; a refusal by a database that answers is none."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(cause, psycopg.InterfaceError):
        return True
    return (
        isinstance(cause, psycopg.OperationalError)
        and (
            cause.sqlstate is None  # the connection itself, or a pool that has none to give
            or cause.sqlstate[:2] in ("08", "53", "57")  # connection, resources, shutdown
        )
    )
