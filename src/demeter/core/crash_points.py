"""Steps between which a process may die, by name, so that tests can let it die just there.

``DEMETER_CRASH_POINTS`` names a folder. A file in it that is called after a step, such as
``recording.before_commit``, holds how often the step may be passed: with 1 the process that
comes to it first is killed as by ``kill -9``, with 2 the one that comes second. The file goes
with the process, so what is started again passes. Without the variable nothing is looked at.

How the tests use it is told in ``docs/faults.md``.
"""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import suppress
from pathlib import Path

VARIABLE = "DEMETER_CRASH_POINTS"
FIRED = "fired"  # a file in the folder: a line for each process that died, its step and its id

STEPS = (
    "intake.photos_checked",
    "intake.session_written",
    "intake.photos_kept",
    "intake.before_commit",
    "parent.children_queued",
    "parent.after_commit",
    "child.begun",
    "child.counted",
    "child.image_ended",
    "child.before_commit",
    "child.after_commit",
    "callback.begun",
    "callback.overlaps_resolved",
    "recording.evidence_kept",
    "recording.bins_made",
    "recording.stock_posted",
    "recording.before_commit",
    "recording.after_commit",
    "correction.numbers_kept",
    "correction.posted",
    "closing.locations_locked",
    "closing.line_written",
    "closing.before_commit",
    "import.planned",
    "import.rows_written",
    "import.before_commit",
    "command.before_commit",
    "command.after_commit",
    "store.object_put",
    "store.before_commit",
    "store.after_commit",
    "backup.begun",
    "backup.database_kept",
    "backup.photo_sent",
    "backup.photos_sent",
    "backup.before_manifest",
    "backup.after_manifest",
    "recovery.death_noted",
    "job.after_work",
)

_folder = os.environ.get(VARIABLE)


def step(name: str) -> None:
    """Pass the boundary of a step: nothing happens, unless a test has armed it."""
    if _folder is not None:
        _pass_or_die(Path(_folder), name)


def _pass_or_die(folder: Path, name: str) -> None:
    with suppress(FileNotFoundError), (folder / name).open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        left = int(file.read() or 0) - 1  # empty: somebody else has died of it
        file.seek(0)
        file.truncate()
        if left > 0:
            file.write(str(left))
        elif left == 0:
            with (folder / FIRED).open("a") as fired:
                fired.write(f"{name} {os.getpid()}\n")
            (folder / name).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
