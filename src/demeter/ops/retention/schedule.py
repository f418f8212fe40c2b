"""The job that begins a look for what is no longer kept when its hour has come."""

from __future__ import annotations

from datetime import UTC, datetime

from demeter.core import backup_runs, jobs, retention_runs
from demeter.core.db import transaction
from demeter.ops.beside import start_command


@jobs.app.periodic(cron="5-59/10 * * * *")
@jobs.app.task(name="begin_retention", queue="io", queueing_lock="begin_retention")
def begin_retention(timestamp: int) -> None:
    """Every ten minutes: begin where it is due, after the day's backup where there is one."""
    del timestamp
    now = datetime.now(UTC)
    with transaction() as session:
        is_due = retention_runs.is_due(session, now) and not backup_runs.is_due(session, now)
    if is_due:
        start_command("retention")
