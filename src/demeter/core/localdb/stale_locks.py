"""Locks that a killed PostgreSQL left behind, and when it is safe to remove them.

PostgreSQL takes a lock file for held as long as any process has the number in it: a killed
server that nobody reaped yet, or after a restart of the machine somebody else's process. Then
it would refuse to start for ever.
"""

from __future__ import annotations

import os
from pathlib import Path

REFUSALS = ("lock file", "is still in use")


def is_about_a_lock(message: str) -> bool:
    """Whether PostgreSQL refused to start because it takes another server to be alive."""
    return any(words in message for words in REFUSALS)


def clear_if_nobody_lives(data_dir: Path, socket_dir: Path) -> None:
    """Remove the lock files if surely no process of this cluster lives; else do nothing.

    Every process of a server has the data directory as its current directory. Where /proc does
    not tell, waiting is all that is done.
    """
    if Path("/proc/self/cwd").exists() and not _somebody_lives(data_dir):
        (data_dir / "postmaster.pid").unlink(missing_ok=True)
        for lock in socket_dir.glob(".s.PGSQL.*.lock"):
            lock.unlink(missing_ok=True)


def _somebody_lives(data_dir: Path) -> bool:
    place = data_dir.stat()
    return any(_may_live_in(process, place) for process in Path("/proc").glob("[0-9]*"))


def _may_live_in(process: Path, place: os.stat_result) -> bool:
    try:
        return os.path.samestat((process / "cwd").stat(), place)
    except PermissionError:
        # Unseen: it counts as alive if it runs as the cluster's owner.
        try:
            return process.stat().st_uid == place.st_uid
        except (FileNotFoundError, ProcessLookupError):
            return False
    except (FileNotFoundError, ProcessLookupError):
        return False  # it has ended, or is dead and not yet reaped
