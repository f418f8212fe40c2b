"""The job that moves accepted bytes to the object store, and pictures that are kept like photos."""

from __future__ import annotations

from sqlalchemy.orm import Session

from demeter.core import blobs, jobs
from demeter.core.db import engine
from demeter.core.retry import Backoff


@jobs.app.task(name="store_blob", queue="io", retry=Backoff(most=1000))
def store_blob(sha256: str) -> None:
    """Move accepted bytes from the inbox to the object store; waits out an outage."""
    blobs.move_to_store(engine(), sha256)


def keep_picture(session: Session, webp: bytes) -> str:
    """Accept a rendered picture like any photo; returns its key in the object store."""
    sha256 = blobs.accept(session, webp, "image/webp")
    jobs.enqueue(session, store_blob, sha256=sha256)
    return blobs.key_of(sha256)
