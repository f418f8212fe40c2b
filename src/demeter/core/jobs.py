"""The queue: jobs are rows in the same PostgreSQL, born in the transaction that needs them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from typing import Any

import procrastinate
import psycopg
from procrastinate import PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.tasks import Task
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core import job_origin, logs, traces
from demeter.core.db import database_url
from demeter.core.errors import chain
from demeter.core.queue_connector import PatientConnector
from demeter.core.settings import settings

log = logs.get(__name__)

QUEUES = ("gpu", "cpu", "io", "webhooks")
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
BEGIN_ANEW_AFTER_S = 1.0

app = procrastinate.App(
    connector=PsycopgConnector(),
    import_paths=[
        "demeter.core.blob_jobs",
        "demeter.photos.tasks",
        "demeter.photos.recovery",
        "demeter.photos.resumable.tasks",
        "demeter.review.retry",
        "demeter.webhooks.tasks",
        "demeter.ops.backup.schedule",
        "demeter.ops.retention.schedule",
    ],
)

# Jobs are written by synchronous code, also inside a worker, whose own app is asynchronous.
_outbox = procrastinate.App(connector=SyncPsycopgConnector())


def enqueue(session: Session, task: Task[..., Any, Any], **arguments: Any) -> int:
    """Queue a task in the caller's transaction: it exists if, and only if, that commits."""
    connection = session.connection().connection.driver_connection
    deferrer = _outbox.configure_task(
        task.name, queue=task.queue, priority=task.priority, connection=connection
    )
    job_id = deferrer.defer(**arguments, **job_origin.of_here())
    log.info("job_enqueued", job_id=job_id, task=task.name, **arguments)
    return job_id


def work(queues: Iterable[str] = QUEUES, *, wait: bool = True, concurrency: int = 1) -> None:
    """Run jobs of these queues until told to stop or, without ``wait``, until none is left."""
    traces.configure("demeter-worker")
    try:
        asyncio.run(_work(list(queues), wait=wait, concurrency=concurrency))
    finally:
        traces.end()


async def _work(queues: list[str], *, wait: bool, concurrency: int) -> None:
    """Work until asked to stop; a worker that a lost database ended is followed by another."""
    stopping = asyncio.Event()
    conninfo = database_url()
    while True:
        connector = PatientConnector(conninfo, concurrency + 4, stopping)
        worker = asyncio.create_task(_run_worker(connector, queues, wait, concurrency))
        if wait:
            _stop_on_signal(worker, stopping)
        try:
            await worker
        except asyncio.CancelledError:
            if not stopping.is_set():
                raise
        except (ConnectorException, psycopg.OperationalError) as error:
            if not wait:
                raise
            log.warning("worker_begins_anew", error=chain(error))
        if not wait or stopping.is_set():
            return
        await asyncio.sleep(BEGIN_ANEW_AFTER_S)


async def _run_worker(
    connector: PatientConnector, queues: list[str], wait: bool, concurrency: int
) -> None:
    configured = settings()
    with app.replace_connector(connector) as bound:
        async with bound.open_async():
            await bound.run_worker_async(
                queues=queues,
                wait=wait,
                delete_jobs="successful",  # what a job did is in the rows that it wrote
                concurrency=concurrency,
                install_signal_handlers=False,
                update_heartbeat_interval=configured.worker_heartbeat_s,
                stalled_worker_timeout=configured.worker_stalled_s,
                fetch_job_polling_interval=2.0,
                worker_middleware=[job_origin.go_on],
            )


def _stop_on_signal(worker: asyncio.Task[None], stopping: asyncio.Event) -> None:
    """Let the job in hand finish on SIGTERM or Ctrl-C; a second one ends the process."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopping.set()
        worker.cancel()
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)


def workers_alive(session: Session) -> int:
    """How many workers gave a sign of life within the time after which one counts as dead."""
    return session.execute(
        text(
            "SELECT count(*) FROM procrastinate_workers "
            "WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
        ),
        {"seconds": settings().worker_stalled_s},
    ).scalar_one()
