"""Nothing stays stuck: jobs of dead workers run again, sessions without a job get one."""

from __future__ import annotations

from typing import Any

from procrastinate import JobContext
from procrastinate.jobs import Job, Status
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.core import jobs, logs
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.settings import settings
from demeter.counts import blind_recounts
from demeter.photos import sessions
from demeter.photos.models import PhotoSession, SessionImageStatus, SessionStatus
from demeter.photos.sessions import lock_session
from demeter.photos.tasks import end_image, ml_aggregation_callback, ml_child_task, ml_parent_task

log = logs.get(__name__)

MOST_DEATHS = 4


class WorkerDied(DomainError):
    """The process that did this work died each time it was tried."""

    status = 500
    code = "worker_died"
    title = "The worker died each time"
    next_action = "Reprocess the session; if workers die again, look at their memory and logs."


@jobs.app.periodic(cron="* * * * * */5")  # seconds are the sixth field
@jobs.app.task(name="recover", queue="cpu", queueing_lock="recover", pass_context=True, priority=10)
async def recover(context: JobContext, timestamp: int) -> None:
    """Run stalled jobs again, give up on those that killed every worker, find lost sessions.

    Counts that nobody recounted blind in time are shown, and posted.
    """
    del timestamp
    silent_s = settings().worker_stalled_s
    for job in await context.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silent_s):
        await _revive(context, job)
    with transaction() as session:
        restart_lost(session)
        blind_recounts.show_expired(session)


async def _revive(context: JobContext, job: Job) -> None:
    manager = context.app.job_manager
    log.warning("job_stalled", job_id=job.id, task=job.task_name, attempts=job.attempts)
    if job.task_name == recover.name:  # the next one is on its way
        await manager.finish_job(job, status=Status.FAILED, delete_job=True)
        return
    if job.attempts + 1 < MOST_DEATHS:
        await manager.retry_job(job)
        return
    with transaction() as session:
        give_up(session, job.task_name, job.task_kwargs)
    await manager.finish_job(job, status=Status.FAILED, delete_job=False)


def give_up(session: Session, task_name: str, arguments: dict[str, Any]) -> None:
    """Bring the session of a job that kills its workers to its visible end."""
    error = WorkerDied(f"{task_name} was tried {MOST_DEATHS} times and its worker died each time")
    if task_name == ml_child_task.name:
        end_image(
            session,
            arguments["session_id"],
            arguments["session_image_id"],
            arguments["attempt"],
            error=error,
        )
    elif task_name in (ml_parent_task.name, ml_aggregation_callback.name):
        sessions.fail(session, arguments["session_id"], arguments["attempt"], error)


def restart_lost(session: Session) -> int:
    """Queue what is missing for sessions that are under way and have no job; how many.

    No path leads here: a job and its rows commit together. It is the net beneath them.
    """
    lost = session.scalars(
        select(PhotoSession.id).where(
            PhotoSession.status.in_([SessionStatus.PENDING, SessionStatus.PROCESSING]),
            text("""
            coalesce(photo_processing_sessions.updated_at, photo_processing_sessions.created_at)
                < now() - interval '60 seconds'
            AND NOT EXISTS (
                SELECT FROM procrastinate_jobs j
                WHERE j.status IN ('todo', 'doing')
                  AND j.task_name LIKE 'ml\\_%'
                  AND (j.args ->> 'session_id')::bigint = photo_processing_sessions.id)
            """),
        )
    ).all()
    for session_id in lost:
        _restart(session, session_id)
    return len(lost)


def _restart(session: Session, session_id: int) -> None:
    attempt = session.get_one(PhotoSession, session_id).attempt
    photo_session = lock_session(session, session_id, attempt)
    if photo_session is None or photo_session.status.is_end:
        return
    log.error("session_without_job", session_id=session_id, status=photo_session.status)
    arguments = {"session_id": session_id, "attempt": attempt}
    if photo_session.status is SessionStatus.PENDING:
        jobs.enqueue(session, ml_parent_task, **arguments)
        return
    waiting = [i for i in photo_session.images if not i.status.is_end]
    for image in waiting:
        image.status = SessionImageStatus.PENDING
        jobs.enqueue(session, ml_child_task, session_image_id=image.id, **arguments)
    if not waiting:
        jobs.enqueue(session, ml_aggregation_callback, **arguments)
