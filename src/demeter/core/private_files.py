"""Files under DEMETER_HOME are their owner's alone, each by its own mode.

A home that somebody opened for others, or that lies in a shared directory, still shows them
nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from demeter.core import logs

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
OTHERS = stat.S_IRWXG | stat.S_IRWXO
# Programs that set-up put there, made of public packages: many files, and none of them secret.
PROGRAMS = ("venv", "postgresql", "chromium", "node")
log = logs.get(__name__)


def keep_private() -> None:
    """Have every file that this process makes from now on be its owner's alone."""
    os.umask(OTHERS)


def make_directory(path: Path) -> None:
    """Make a directory and those above it that are missing, closed to others."""
    for missing in [*reversed(path.parents), path]:
        if not missing.is_dir():
            missing.mkdir(mode=DIRECTORY_MODE, exist_ok=True)


def close_to_others(home: Path) -> int:
    """Close what an earlier version left open under a home; how many files and directories.

    The database is left to PostgreSQL, which refuses an open one.
    """
    closed = 0
    for path in _own_files(home):
        try:
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode) or not status.st_mode & OTHERS:
                continue
            path.chmod(stat.S_IMODE(status.st_mode) & ~OTHERS)
        except OSError as error:
            log.warning("file_not_closed", path=str(path), error=str(error))
        else:
            closed += 1
    if closed:
        log.info("files_closed_to_others", home=str(home), count=closed)
    return closed


def _own_files(home: Path) -> Iterator[Path]:
    yield home
    for entry in os.scandir(home):
        if entry.name in PROGRAMS or entry.name.startswith("database"):
            continue
        path = Path(entry.path)
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from path.rglob("*")
