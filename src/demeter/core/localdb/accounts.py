"""Which account of the operating system owns the cluster and runs its server."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from demeter.core.localdb.errors import LocalDatabaseFailed

UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An account of the operating system."""

    name: str
    uid: int
    gid: int


def caller() -> Account:
    """Who runs this process.

    Raises:
        LocalDatabaseFailed: the user id has no name, which PostgreSQL needs.
    """
    try:
        return _account_of(pwd.getpwuid(os.geteuid()))
    except KeyError as error:
        raise LocalDatabaseFailed(
            f"PostgreSQL needs an account with a name, and user id {os.geteuid()} has none: add "
            "it to the system's accounts, or set DEMETER_DATABASE_URL."
        ) from error


def owner(data_dir: Path) -> Account:
    """Who owns the cluster: for root an unprivileged account, else the caller."""
    if data_dir.exists():
        return _account_of(pwd.getpwuid(data_dir.stat().st_uid))
    return _unprivileged() if os.geteuid() == 0 else caller()


def check_may_run(data_dir: Path) -> None:
    """Refuse a cluster that another account made; root may run anybody's.

    Raises:
        LocalDatabaseFailed: it belongs to somebody else.
    """
    if os.geteuid() == 0 or not data_dir.exists():
        return
    if data_dir.stat().st_uid != os.geteuid():
        raise LocalDatabaseFailed(
            f"The database in {data_dir} belongs to {owner(data_dir).name}: use Demeter as the "
            "account that made it, or set DEMETER_HOME to a directory of your own."
        )


def _unprivileged() -> Account:
    for name in UNPRIVILEGED:
        try:
            return _account_of(pwd.getpwnam(name))
        except KeyError:
            continue
    raise LocalDatabaseFailed(
        "PostgreSQL does not run as root and there is neither an account postgres nor nobody: "
        "use Demeter as an ordinary user."
    )


def _account_of(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
