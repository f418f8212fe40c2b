"""What the queue holds: how many jobs wait and for how long, who works, what failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.errors import NotFound
from demeter.core.settings import settings

log = logs.get(__name__)

SHOWN = 50


class FailedJobNotFound(NotFound):
    """No job of this number has failed."""

    code = "failed_job_not_found"
    title = "No such failed job"
    next_action = "Look at the list again: it may be under way already."


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue: jobs that wait, run and failed, and since when the oldest may start."""

    name: str
    waiting: int
    running: int
    failed: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker process by its number, its last sign of life, and how many jobs it has."""

    worker_id: int
    last_heartbeat: datetime
    is_alive: bool
    running: int


@dataclass(frozen=True, slots=True)
class JobState:
    """A job: what it is about stands in ``arguments``; ``tries`` are those before this one."""

    job_id: int
    task: str
    queue: str
    status: str
    tries: int
    arguments: dict[str, Any]
    scheduled_at: datetime | None
    changed_at: datetime | None

    @property
    def session_number(self) -> int | None:
        """The session that it is about, by the number of its row."""
        number = self.arguments.get("session_id")
        return number if isinstance(number, int) else None


def queues(session: Session, names: tuple[str, ...]) -> list[QueueState]:
    """Each queue of ours, also an empty one, in this order."""
    rows = session.execute(
        text("""
        SELECT q.name,
            count(*) FILTER (WHERE j.status = 'todo') AS waiting,
            count(*) FILTER (WHERE j.status = 'doing') AS running,
            count(*) FILTER (WHERE j.status = 'failed') AS failed,
            min(coalesce(j.scheduled_at, e.at)) FILTER (WHERE j.status = 'todo') AS oldest_at
        FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS q (name, place)
        LEFT JOIN procrastinate_jobs j ON j.queue_name = q.name
        LEFT JOIN LATERAL (
            SELECT max(at) AS at FROM procrastinate_events WHERE job_id = j.id
        ) AS e ON j.status = 'todo'
        GROUP BY q.name, q.place ORDER BY q.place
        """),
        {"names": list(names)},
    )
    return [QueueState(*row) for row in rows]


def workers(session: Session) -> list[WorkerState]:
    """Every worker that the queue knows, those that gave a sign of life last first."""
    rows = session.execute(
        text("""
        SELECT w.id, w.last_heartbeat,
            w.last_heartbeat > now() - make_interval(secs => :stalled_s) AS is_alive,
            count(j.id) AS running
        FROM procrastinate_workers w
        LEFT JOIN procrastinate_jobs j ON j.worker_id = w.id AND j.status = 'doing'
        GROUP BY w.id ORDER BY w.last_heartbeat DESC, w.id
        """),
        {"stalled_s": settings().worker_stalled_s},
    )
    return [WorkerState(*row) for row in rows]


def jobs_in(session: Session, status: str) -> list[JobState]:
    """Jobs that are ``todo``, ``doing`` or ``failed``; those changed last first, 50 at most."""
    rows = session.execute(
        text("""
        SELECT j.id, j.task_name, j.queue_name, j.status::text, j.attempts, j.args,
            j.scheduled_at, e.at
        FROM procrastinate_jobs j
        LEFT JOIN LATERAL (
            SELECT max(at) AS at FROM procrastinate_events WHERE job_id = j.id
        ) AS e ON true
        WHERE j.status = CAST(:status AS procrastinate_job_status)
        ORDER BY j.id DESC LIMIT :most
        """),
        {"status": status, "most": SHOWN},
    )
    return [JobState(*row) for row in rows]


def retry_failed(session: Session, job_id: int) -> None:
    """Queue a failed job again, at once.

    Raises:
        FailedJobNotFound: no failed job has this number.
    """
    is_failed = session.scalar(
        text(
            "SELECT true FROM procrastinate_jobs WHERE id = :job_id AND status = 'failed' "
            "FOR UPDATE"
        ),
        {"job_id": job_id},
    )
    if not is_failed:
        raise FailedJobNotFound(f"no failed job has the number {job_id}", job_id=job_id)
    session.execute(
        text("SELECT procrastinate_retry_job_v2(:job_id, now(), NULL, NULL, NULL)"),
        {"job_id": job_id},
    )
    log.info("failed_job_queued_again", job_id=job_id)
