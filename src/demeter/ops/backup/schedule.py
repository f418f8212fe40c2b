"""The job that begins a backup when its hour has come."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime

from demeter.core import backup_runs, jobs, logs
from demeter.core.db import transaction

log = logs.get(__name__)


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
    process = subprocess.Popen(
        [sys.executable, "-m", "demeter", "backup"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    threading.Thread(target=_see_end, args=(process,), name="backup", daemon=True).start()
    return process


def _see_end(process: subprocess.Popen[bytes]) -> None:
    status = process.wait()
    log.info("backup_process_ended", status=status)
