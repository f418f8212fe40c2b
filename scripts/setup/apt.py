"""Debian's package tools: what may be installed, and which lists of packages to ask."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

from console import SetupError, run
from home import log

_fetching = Lock()
MEND = "Check that apt reaches its package archive (`apt-get update`), then try again."


def is_here() -> bool:
    """Whether this system has Debian's package tools."""
    return all(shutil.which(name) for name in ("apt-get", "apt-cache", "dpkg-deb"))


def as_root() -> list[str] | None:
    """What to put before a command to run it as root: nothing, sudo, or None where we may not."""
    if os.environ.get("DEMETER_SETUP_ROOTLESS"):
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None


def install(where: Path, packages: Sequence[str], root: Sequence[str]) -> None:
    """Install packages with apt, without what is merely recommended."""
    command = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    wait = ["-o", "DPkg::Lock::Timeout=300", "--no-install-recommends"]
    run([*command, *wait, "install", *packages], log=log(where), mend=MEND)


def update(where: Path, root: Sequence[str]) -> None:
    """Fetch the system's package lists."""
    command = [*root, "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "update"]
    run(command, log=log(where), mend=MEND)


def private_lists(where: Path) -> list[str]:
    """Fetch package lists into a directory of our own: apt's options that make it use them.

    The system's sources and keys are used; its lists may be missing or old and are not ours to
    renew. Steps that run side by side fetch them once.
    """
    with _fetching:
        return _private_lists(where)


@lru_cache(maxsize=1)
def _private_lists(where: Path) -> list[str]:
    state, cache = where / "apt" / "state", where / "apt" / "cache"
    (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    options = [
        f"Dir::State={state}",
        f"Dir::Cache={cache}",
        "Dir::State::status=/var/lib/dpkg/status",
    ]
    words = [word for option in options for word in ("-o", option)]
    run(["apt-get", "-q", *words, "update"], log=log(where), mend=MEND)
    return words


def forget_lists(where: Path) -> None:
    """They are large, and old by the next time."""
    shutil.rmtree(where / "apt", ignore_errors=True)


def candidate(package: str, options: Sequence[str] = ()) -> bool:
    """Whether apt knows a version of the package that can be had."""
    lines = [line.strip() for line in ask("apt-cache", *options, "policy", package).splitlines()]
    return any(line.startswith("Candidate:") and "(none)" not in line for line in lines)


def names(prefix: str, options: Sequence[str] = ()) -> list[str]:
    """The packages that apt knows whose names begin with ``prefix``."""
    return sorted(ask("apt-cache", *options, "pkgnames", prefix).split())


def ask(*command: str) -> str:
    """What one of apt's programs answers.

    Raises:
        SetupError: it failed.
    """
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    if answer.returncode != 0:
        raise SetupError(f"`{' '.join(command)}` failed: {answer.stderr.strip()}")
    return answer.stdout
