"""All figures as Prometheus reads them, within a time: a scrape must never hang."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from threading import Lock

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from sqlalchemy import text

from demeter.core import logs
from demeter.core.db import transaction
from demeter.core.errors import chain
from demeter.core.http import traffic
from demeter.monitoring import own_process, queries
from demeter.monitoring.families import gauge

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PATIENCE_S = 2.0  # with the database
STATEMENT_MS = 1000
log = logs.get(__name__)


class DatabaseReader:
    """Asks the database beside the request, one question at a time.

    A database that hangs holds one thread and not every scrape: while an earlier question is
    open, the answer is that the database does not answer.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")
        self._lock = Lock()
        self._open: Future[list[Metric]] | None = None

    def read(self) -> list[Metric]:
        """The figures with ``demeter_database_up``; that alone, 0, where none come in time."""
        begin = time.perf_counter()
        metrics = self._ask()
        seconds = time.perf_counter() - begin
        about = "Whether the database answered this scrape."
        is_up = gauge("demeter_database_up", about, rows=[(int(metrics is not None),)])
        about = "How long the database took for this scrape."
        return [
            is_up,
            gauge("demeter_database_scrape_seconds", about, rows=[(seconds,)]),
            *(metrics or []),
        ]

    def _ask(self) -> list[Metric] | None:
        with self._lock:
            if self._open is not None and not self._open.done():
                return None
            question = self._open = self._pool.submit(_read)
        try:
            return question.result(PATIENCE_S)
        except NotInTime:
            log.warning("metrics_without_database", error=f"no answer in {PATIENCE_S} s")
        except Exception as error:  # noqa: BLE001  whatever it is, the scrape goes on
            log.warning("metrics_without_database", error=chain(error))
        return None


def _read() -> list[Metric]:
    with transaction() as session:
        session.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_MS}"))
        session.execute(text("SET TRANSACTION READ ONLY"))
        return list(queries.figures(session))


_database = DatabaseReader()


class Collected:
    """Figures that were collected a moment ago, as a collector."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        """As the library asks for them."""
        return self._metrics


def exposition() -> bytes:
    """What this process and the database know now."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(Collected(own_process.figures()))
    registry.register(Collected(_database.read()))
    return generate_latest(traffic.registry) + generate_latest(registry)
