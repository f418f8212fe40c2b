"""The job that moves accepted bytes to the object store, and pictures that are kept like photos."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core import blob_drops, blobs, jobs, logs, step_times
from demeter.core.db import engine
from demeter.core.retry import Backoff

MOST_AT_ONCE = 500
log = logs.get(__name__)


# Hundreds wait while the store is away, and each is tried again within a minute: photos to be
# counted, whose bytes are in the inbox, stand before them.
@jobs.app.task(name="store_blob", queue="io", retry=Backoff(later_priority=-5))
def store_blob(sha256: str) -> None:
    """Move accepted bytes from the inbox to the object store; waits out an outage."""
    with step_times.measure("store"):
        blobs.move_to_store(engine(), sha256)


def keep_picture(session: Session, webp: bytes) -> str:
    """Accept a rendered picture like any photo; returns its key in the object store."""
    sha256 = blobs.accept(session, webp, "image/webp")
    jobs.enqueue(session, store_blob, sha256=sha256)
    return blobs.key_of(sha256)


def restart_unstored(session: Session) -> int:
    """Queue the job of bytes that lie in the inbox without one; how many were queued.

    Those that came again after they had been let go wait here for an hour. Else no path leads
    here: bytes and job commit together. It is the net beneath them.
    """
    unstored = session.execute(
        text(f"""
        SELECT b.sha256, d.returned_at IS NOT NULL AS is_returned
        FROM blob_inbox b LEFT JOIN dropped_blobs d ON d.sha256 = b.sha256
        WHERE (d.returned_at < now() - {blob_drops.KEPT_TWICE}) IS NOT FALSE
          AND b.created_at < now() - interval '60 seconds'
          AND NOT EXISTS (
            SELECT FROM procrastinate_jobs j
            WHERE j.status IN ('todo', 'doing') AND j.task_name = :task
              AND j.args ->> 'sha256' = b.sha256)
        LIMIT :most
        """),  # noqa: S608  our own words
        {"task": store_blob.name, "most": MOST_AT_ONCE},
    ).all()
    for sha256, is_returned in unstored:
        if not is_returned:
            log.error("blob_without_job", sha256=sha256)
        jobs.enqueue(session, store_blob, sha256=sha256)
    return len(unstored)
