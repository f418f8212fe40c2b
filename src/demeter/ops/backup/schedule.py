"""The job that begins a backup when its hour has come."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

from demeter.core import backup_runs, jobs
from demeter.core.db import transaction
from demeter.ops.beside import start_command


@jobs.app.periodic(cron="*/10 * * * *")
@jobs.app.task(name="begin_backup", queue="io", queueing_lock="begin_backup")
def begin_backup(timestamp: int) -> None:
    """Every ten minutes: begin the day's backup where it is due.

    It runs as a process of its own beside the worker: it takes minutes, and photos are not to
    wait for it. Only one runs at a time, whoever begins it.
    """
    del timestamp
    with transaction() as session:
        is_due = backup_runs.is_due(session, datetime.now(UTC))
    if is_due:
        start_backup()


def start_backup() -> subprocess.Popen[bytes]:
    """The process; somebody waits for its end."""
    return start_command("backup")
