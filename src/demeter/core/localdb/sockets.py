"""Where the server's socket lies, and the URL that leads to it."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from urllib.parse import quote

from demeter.core.localdb.accounts import owner
from demeter.core.localdb.config import ROLE
from demeter.core.localdb.errors import LocalDatabaseFailed

PORT = 5432  # never opened: it is only part of the socket's file name
SOCKET_NAME = f".s.PGSQL.{PORT}"
LONGEST_PATH_BYTES = 107  # sun_path holds 108 with its closing NUL


def socket_dir(data_dir: Path) -> Path:
    """The cluster's own directory, or a short one where that makes too long a name.

    libpq splits a host at commas, so a path with one needs the short directory, too.
    """
    path = os.fsencode(data_dir / SOCKET_NAME)
    if len(path) <= LONGEST_PATH_BYTES and b"," not in path:
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path("/tmp") / f"demeter-{digest}"  # noqa: S108 - claim() checks owner and mode


def socket_url(data_dir: Path, database: str) -> str:
    """The libpq URL of one database of the cluster."""
    host = quote(os.fsencode(socket_dir(data_dir)), safe="/")
    return f"postgresql://{ROLE}@/{database}?host={host}&port={PORT}"


def server_options(data_dir: Path) -> str:
    """What the server must be told of its socket; its current directory is the cluster's."""
    sockets = socket_dir(data_dir)
    where = "." if sockets == data_dir else str(sockets)
    return (
        f"-c listen_addresses='' -c port={PORT} -c unix_socket_directories={where} "
        "-c unix_socket_permissions=0700"
    )


def claim(data_dir: Path) -> None:
    """Make the short directory where one is needed.

    Raises:
        LocalDatabaseFailed: somebody else made one in its place.
    """
    sockets, account = socket_dir(data_dir), owner(data_dir)
    if sockets == data_dir:
        return
    try:
        sockets.mkdir(mode=0o700)
        os.chown(sockets, account.uid, account.gid)
    except FileExistsError:
        status = sockets.lstat()
        is_private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == stat.S_IRWXU
        if not is_private or status.st_uid != account.uid:
            raise LocalDatabaseFailed(
                f"{sockets} should be a directory of {account.name} with mode 0700 and is not: "
                "remove it, or choose a shorter DEMETER_HOME."
            ) from None


def release(data_dir: Path) -> None:
    """Remove the short directory of a server that has stopped."""
    sockets = socket_dir(data_dir)
    if sockets != data_dir and sockets.exists():
        sockets.rmdir()
