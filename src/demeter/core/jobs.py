"""The queue: jobs are rows in the same PostgreSQL, born in the transaction that needs them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import procrastinate
from procrastinate import PsycopgConnector, SyncPsycopgConnector
from procrastinate.tasks import Task
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.db import database_url
from demeter.core.settings import settings

log = logs.get(__name__)

QUEUES = ("gpu", "cpu", "io")

app = procrastinate.App(
    connector=PsycopgConnector(),
    import_paths=[
        "demeter.core.blob_jobs",
        "demeter.photos.tasks",
        "demeter.photos.recovery",
        "demeter.review.retry",
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
    job_id = deferrer.defer(**arguments)
    log.info("job_enqueued", job_id=job_id, task=task.name, **arguments)
    return job_id


def work(queues: Iterable[str] = QUEUES, *, wait: bool = True, concurrency: int = 1) -> None:
    """Run jobs of these queues until told to stop or, without ``wait``, until none is left."""
    asyncio.run(_work(list(queues), wait=wait, concurrency=concurrency))


async def _work(queues: list[str], *, wait: bool, concurrency: int) -> None:
    configured = settings()
    connector = PsycopgConnector(conninfo=database_url(), min_size=1, max_size=concurrency + 4)
    with app.replace_connector(connector) as bound:
        async with bound.open_async():
            await bound.run_worker_async(
                queues=queues,
                wait=wait,
                delete_jobs="successful",  # what a job did is in the rows that it wrote
                concurrency=concurrency,
                install_signal_handlers=wait,
                update_heartbeat_interval=configured.worker_heartbeat_s,
                stalled_worker_timeout=configured.worker_stalled_s,
                fetch_job_polling_interval=2.0,
            )


def workers_alive(session: Session) -> int:
    """How many workers gave a sign of life within the time after which one counts as dead."""
    return session.execute(
        text(
            "SELECT count(*) FROM procrastinate_workers "
            "WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
        ),
        {"seconds": settings().worker_stalled_s},
    ).scalar_one()
