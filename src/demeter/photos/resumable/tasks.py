"""The job that lets go of uploads that nobody finished."""

from __future__ import annotations

from demeter.core import jobs
from demeter.core.db import transaction
from demeter.photos.resumable import service


@jobs.app.periodic(cron="17 * * * *")
@jobs.app.task(name="drop_old_uploads", queue="io", queueing_lock="drop_old_uploads")
def drop_old_uploads(timestamp: int) -> None:
    """Each hour: what was begun more than a day ago goes."""
    del timestamp
    with transaction() as session:
        service.drop_old(session)
