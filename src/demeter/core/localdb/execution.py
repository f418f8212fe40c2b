"""Runs PostgreSQL's own programs on a cluster as the account that owns it.

PostgreSQL refuses to run as root, so for root its programs run as an unprivileged account.
That account may be unable to walk to the cluster (DEMETER_HOME under /root, say), and nothing
is opened up for it: the programs inherit the directory as an open descriptor and are told
``/proc/self/fd/N``.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from demeter.core.localdb.accounts import owner
from demeter.core.localdb.errors import LocalDatabaseFailed
from demeter.core.localdb.programs import Programs

HERE = "{data_dir}"  # stands in arguments for the cluster's directory as the program sees it


def run(programs: Programs, name: str, arguments: Sequence[str], data_dir: Path) -> None:
    """Run one program to its end; a server that it starts goes on.

    Raises:
        LocalDatabaseFailed: it cannot be run, or says that it failed; with its own words.
    """
    descriptor = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        result = _run(programs, name, arguments, data_dir, descriptor)
    except (OSError, subprocess.SubprocessError) as error:
        raise LocalDatabaseFailed(
            f"{programs.path(name)} cannot be run as {owner(data_dir).name}: {error}"
        ) from error
    finally:
        os.close(descriptor)
    if result.returncode != 0:
        output = "\n".join([result.stdout, result.stderr, _last_lines(data_dir)]).strip()
        raise LocalDatabaseFailed(f"{name} failed for {data_dir}:\n{output}")


def _run(
    programs: Programs, name: str, arguments: Sequence[str], data_dir: Path, descriptor: int
) -> subprocess.CompletedProcess[str]:
    as_root = os.geteuid() == 0
    account = owner(data_dir)
    visible_dir = f"/proc/self/fd/{descriptor}" if as_root else str(data_dir)
    return subprocess.run(
        [
            programs.path(name),
            "-D",
            visible_dir,
            *(a.replace(HERE, visible_dir) for a in arguments),
        ],
        user=account.uid if as_root else None,
        group=account.gid if as_root else None,
        extra_groups=[] if as_root else None,
        umask=0o077,
        pass_fds=[descriptor],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **programs.environment},
        cwd="/",
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _last_lines(data_dir: Path, count: int = 8) -> str:
    """What PostgreSQL wrote last, from the newest of its logs."""
    logs = [p for p in (data_dir / "startup.log", *data_dir.glob("log/*.log")) if p.exists()]
    if not logs:
        return ""
    newest = max(logs, key=lambda p: p.stat().st_mtime_ns)
    return "\n".join(newest.read_text(errors="replace").splitlines()[-count:])
