"""Figures of the whole installation, read from the database when somebody asks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from prometheus_client.core import Metric
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core import backup_runs, jobs
from demeter.core.settings import settings
from demeter.core.step_times import BOUNDS_S
from demeter.monitoring.families import Row, gauge, histogram
from demeter.monitoring.own_process import SHIPPED_FILES, shipped_hashes

WAITING = ["needs_location", "needs_config", "needs_review", "failed"]


def figures(session: Session) -> Iterator[Metric]:
    """Every figure; each is one short query."""
    yield from _queues(session)
    yield from _sessions(session)
    yield from _inbox(session)
    yield from _models(session)
    yield from _webhooks(session)
    yield from _backups(session)
    yield _steps(session)
    yield _periods(session)
    yield gauge(
        "demeter_database_size_bytes",
        "How large the database is.",
        rows=[(_one(session, "SELECT pg_database_size(current_database())"),)],
    )
    yield gauge(
        "demeter_clock_ahead_seconds",
        "How far this process's clock is ahead of the database's.",
        rows=[(time.time() - _one(session, "SELECT extract(epoch FROM clock_timestamp())"),)],
    )


def _one(session: Session, query: str) -> float:
    return float(session.execute(text(query)).scalar_one())


def _rows(session: Session, query: str, **values: object) -> list[Row]:
    return [tuple(row) for row in session.execute(text(query), values)]


def _queues(session: Session) -> Iterator[Metric]:
    """A job that was never scheduled for later may start since its first event."""
    states = _rows(
        session,
        """
        SELECT q.name, s.name, count(j.id) FROM unnest(CAST(:queues AS text[])) AS q (name)
        CROSS JOIN unnest('{todo,doing,failed}'::procrastinate_job_status[]) AS s (name)
        LEFT JOIN procrastinate_jobs j ON j.queue_name = q.name AND j.status = s.name
        GROUP BY 1, 2
        """,
        queues=list(jobs.QUEUES),
    )
    yield gauge("demeter_queue_jobs", "Jobs of a queue by state.", ("queue", "state"), states)
    oldest = _rows(
        session,
        """
        SELECT q.name, coalesce(extract(epoch FROM clock_timestamp() - least(
            (SELECT min(scheduled_at) FROM procrastinate_jobs
             WHERE queue_name = q.name AND status = 'todo' AND scheduled_at <= now()),
            (SELECT min(e.at) FROM procrastinate_events e WHERE e.job_id =
                (SELECT min(id) FROM procrastinate_jobs
                 WHERE queue_name = q.name AND status = 'todo' AND scheduled_at IS NULL))
        )), 0)
        FROM unnest(CAST(:queues AS text[])) AS q (name)
        """,
        queues=list(jobs.QUEUES),
    )
    about = "How long the job that may start longest has waited; 0 where none waits."
    yield gauge("demeter_queue_oldest_seconds", about, ("queue",), oldest)
    alive = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - :silent"
    silent = f"{settings().worker_stalled_s} seconds"
    workers = _rows(session, alive.replace(":silent", "CAST(:silent AS interval)"), silent=silent)
    yield gauge("demeter_workers_alive", "Workers with a recent sign of life.", rows=workers)
    deaths = _rows(session, "SELECT coalesce(sum(deaths), 0) FROM job_deaths")
    about = "How often workers died over the jobs that are still there."
    yield gauge("demeter_job_deaths", about, rows=deaths)


def _sessions(session: Session) -> Iterator[Metric]:
    """Most are completed and without a reason: their number comes from the index alone."""
    rows = _rows(
        session,
        """
        SELECT status::text, '' AS reason, count(*) FROM photo_processing_sessions
        WHERE status IN ('pending', 'processing', 'completed') GROUP BY 1
        UNION ALL
        SELECT status::text, reason_code, count(*) FROM photo_processing_sessions
        WHERE status IN ('failed', 'needs_location', 'needs_config', 'needs_review', 'discarded')
        GROUP BY 1, 2
        """,
    )
    about = "Sessions by where they stand and why; who waits for a person has a reason."
    yield gauge("demeter_sessions", about, ("status", "reason"), rows)
    waiting = _rows(
        session,
        """
        SELECT reason_code, count(*),
            extract(epoch FROM clock_timestamp() - min(coalesce(updated_at, created_at)))
        FROM photo_processing_sessions
        WHERE status = ANY(CAST(:waiting AS session_status[])) GROUP BY 1
        """,
        waiting=WAITING,
    )
    yield gauge(
        "demeter_sessions_waiting",
        "Sessions that wait for a person, by reason.",
        ("reason",),
        [(reason, number) for reason, number, _ in waiting],
    )
    yield gauge(
        "demeter_sessions_waiting_oldest_seconds",
        "How long the longest of them has waited.",
        ("reason",),
        [(reason, age) for reason, _, age in waiting],
    )
    under_way = _rows(
        session,
        """
        SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)
        FROM photo_processing_sessions
        WHERE status IN ('pending', 'processing') AND attempt = 1
        """,
    )
    about = "Since when the oldest session is under way; 0 where none is."
    yield gauge("demeter_sessions_under_way_oldest_seconds", about, rows=under_way)


def _inbox(session: Session) -> Iterator[Metric]:
    """`octet_length` reads no body: a row knows how long its own is."""
    rows = _rows(
        session,
        """
        SELECT count(*), coalesce(sum(octet_length(body)), 0),
            coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0) FROM blob_inbox
        """,
    )
    number, size_bytes, age = rows[0]
    about = "Accepted files that are not yet in the object store."
    yield gauge("demeter_inbox_files", about, rows=[(number,)])
    yield gauge("demeter_inbox_bytes", "Their bytes.", rows=[(size_bytes,)])
    about = "How long the oldest of them has lain there."
    yield gauge("demeter_inbox_oldest_seconds", about, rows=[(age,)])


def _models(session: Session) -> Iterator[Metric]:
    rows = _rows(
        session,
        """
        SELECT t.task, m.name, m.sha256 FROM unnest('{detect,segment}'::vision_task[]) AS t (task)
        LEFT JOIN LATERAL (
            SELECT vision_model_id FROM vision_model_activations a
            WHERE a.task = t.task ORDER BY id DESC LIMIT 1
        ) AS a ON true
        LEFT JOIN vision_models m ON m.id = a.vision_model_id
        """,
    )
    hashes = shipped_hashes()
    facts = [
        (task, name or "shipped", sha256 or hashes.get(SHIPPED_FILES[task], ""), 1)
        for task, name, sha256 in rows
    ]
    about = "The model at work for a task: its name, and the hash of its file."
    yield gauge("demeter_model_info", about, ("task", "name", "sha256"), facts)


def _webhooks(session: Session) -> Iterator[Metric]:
    rows = _rows(
        session,
        """
        SELECT e.name, count(d.id),
            coalesce(extract(epoch FROM clock_timestamp() - min(d.created_at)), 0),
            (e.disabled_at IS NOT NULL)::int
        FROM webhook_endpoints e LEFT JOIN webhook_deliveries d
            ON d.webhook_endpoint_id = e.id AND d.status = 'waiting' AND e.is_active
        GROUP BY e.id
        """,
    )
    about = "Messages on their way to an endpoint."
    yield gauge("demeter_webhook_waiting", about, ("endpoint",), [row[:2] for row in rows])
    about = "How long the oldest of them has waited."
    oldest = [(name, age) for name, _, age, _ in rows]
    yield gauge("demeter_webhook_oldest_seconds", about, ("endpoint",), oldest)
    about = "Whether an endpoint was switched off after failing for long."
    disabled = [(name, is_disabled) for name, _, _, is_disabled in rows]
    yield gauge("demeter_webhook_disabled", about, ("endpoint",), disabled)


def _backups(session: Session) -> Iterator[Metric]:
    """Where a place is set: without a whole backup the age is without end."""
    state = backup_runs.backup_state(session)
    age = state.age.total_seconds() if state.age is not None else math.inf
    about = "How long ago the last whole backup began; nothing where no place is set."
    ages = [(age,)] if state.is_wanted else []
    yield gauge("demeter_backup_age_seconds", about, rows=ages)
    missing = [(state.last.missing,)] if state.last is not None else []
    about = "Photos that the last backup could not have."
    yield gauge("demeter_backup_missing_files", about, rows=missing)


def _steps(session: Session) -> Metric:
    rows = _rows(
        session,
        "SELECT step, outcome, within_s, steps, seconds FROM step_times ORDER BY 1, 2, 3",
    )
    about = (
        "Seconds of the steps of photos that ended, of all workers since the installation: "
        "wait, count, overlap, record, store, and the whole session by how it ended."
    )
    return histogram("demeter_step_seconds", about, ("step", "outcome"), BOUNDS_S, rows)


def _periods(session: Session) -> Metric:
    rows = _rows(
        session,
        """
        SELECT coalesce(extract(epoch FROM
            now() - min(boundary_at + make_interval(hours => grace_hours::int))), 0)
        FROM periods WHERE status <> 'closed'
            AND boundary_at + make_interval(hours => grace_hours::int) < now()
        """,
    )
    about = "How long a period could have been closed and was not; 0 where none waits."
    return gauge("demeter_period_overdue_seconds", about, rows=rows)
