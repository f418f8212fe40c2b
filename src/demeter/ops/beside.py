"""A command that a worker begins as a process of its own, so that no photo waits for it."""

from __future__ import annotations

import subprocess
import sys
import threading

from demeter.core import logs

log = logs.get(__name__)


def start_command(name: str) -> subprocess.Popen[bytes]:
    """The process of ``demeter NAME``; a thread waits for its end and logs it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "demeter", name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    threading.Thread(target=_see_end, args=(name, process), name=name, daemon=True).start()
    return process


def _see_end(name: str, process: subprocess.Popen[bytes]) -> None:
    log.info("process_ended", command=name, status=process.wait())
