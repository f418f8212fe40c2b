"""Nothing stays stuck: jobs of dead workers run again, sessions without a job get one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from procrastinate import JobContext
from procrastinate.jobs import Job, Status
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.core import job_deaths, jobs, logs
from demeter.core.blob_jobs import restart_unstored
from demeter.core.crash_points import step
from demeter.core.db import transaction
from demeter.core.errors import DomainError, chain
from demeter.core.retry import may_pass
from demeter.core.settings import settings
from demeter.counts import blind_recounts
from demeter.photos import sessions
from demeter.photos.models import PhotoSession, SessionImageStatus, SessionStatus
from demeter.photos.sessions import lock_session
from demeter.photos.tasks import end_image, ml_aggregation_callback, ml_child_task, ml_parent_task

log = logs.get(__name__)

MOST_DEATHS = 4
LONGEST_WAIT_S = 300


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
    try:
        for job in await _stalled_jobs(context):
            await _revive(context, job)
        with transaction() as session:
            restart_lost(session)
            restart_unstored(session)
            retry_after_outage(session)
            blind_recounts.show_expired(session)
    except Exception as error:
        if not may_pass(error):
            raise
        log.warning("recovery_postponed", error=chain(error))  # the next one is on its way


async def _stalled_jobs(context: JobContext) -> list[Job]:
    """Jobs of workers that gave no sign of life, twice: a database that was away hides all."""
    configured = settings()

    async def ask() -> dict[int | None, Job]:
        silent_s = configured.worker_stalled_s
        manager = context.app.job_manager
        jobs_found = await manager.get_stalled_jobs(seconds_since_heartbeat=silent_s)
        return {job.id: job for job in jobs_found}

    suspects = await ask()
    if not suspects:
        return []
    await asyncio.sleep(1.5 * configured.worker_heartbeat_s)
    return [job for job_id, job in (await ask()).items() if job_id in suspects]


async def _revive(context: JobContext, job: Job) -> None:
    """Run a job of a dead worker again, later each time; a session is given up at some time."""
    manager = context.app.job_manager
    assert job.id is not None
    if job.queueing_lock is not None:  # of a clock: the next one is on its way
        await manager.finish_job(job, status=Status.FAILED, delete_job=True)
        return
    with transaction() as session:
        deaths = job_deaths.note(session, job.id)
        is_given_up = deaths >= MOST_DEATHS and give_up(session, job.task_name, job.task_kwargs)
    step("recovery.death_noted")
    log.warning("job_stalled", job_id=job.id, task=job.task_name, deaths=deaths)
    if is_given_up:
        await manager.finish_job(job, status=Status.FAILED, delete_job=False)
        return
    wait = timedelta(seconds=min(LONGEST_WAIT_S, 30 * max(0, deaths - 1)))
    await manager.retry_job(job, retry_at=datetime.now(UTC) + wait)


def give_up(session: Session, task_name: str, arguments: dict[str, Any]) -> bool:
    """Bring the session of a job that kills its workers to its visible end.

    Returns whether there is such an end; without one, as for bytes that are to be stored, a
    job is never given up.
    """
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
    else:
        return False
    return True


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


def retry_after_outage(session: Session) -> int:
    """Count images again that had failed by an outage alone; how many sessions.

    An outage is waited out now (`core.retry`); these are of a time when it was not.
    """
    session_ids = session.scalars(
        select(PhotoSession.id).where(
            PhotoSession.status == SessionStatus.NEEDS_REVIEW,
            PhotoSession.reason_code.in_(["image_failed", "no_image_counted"]),
            text("""
            (SELECT bool_and(i.error_code = 'object_store_unavailable')
             FROM photo_session_images i
             WHERE i.session_id = photo_processing_sessions.id AND i.status = 'failed')
            """),
        )
    ).all()
    for session_id in session_ids:
        _count_failed_again(session, session_id)
    return len(session_ids)


def _count_failed_again(session: Session, session_id: int) -> None:
    photo_session = sessions.lock_by_id(session, session_id)
    if photo_session.status is not SessionStatus.NEEDS_REVIEW:
        return
    photo_session.attempt += 1
    photo_session.status = SessionStatus.PROCESSING
    sessions.clear_reason(photo_session)
    for image in photo_session.images:
        image.attempt = photo_session.attempt
        if image.status is SessionImageStatus.FAILED:
            image.status, image.progress = SessionImageStatus.PENDING, 0.0
            jobs.enqueue(
                session,
                ml_child_task,
                session_id=session_id,
                session_image_id=image.id,
                attempt=photo_session.attempt,
            )
    log.info("session_counted_again", session_id=session_id)
