"""The address of the web server: taken already, and by whom."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from pathlib import Path

from demeter.core.errors import Conflict, InvalidInput

_LISTENS = "0A"  # a socket's state in /proc/net/tcp


class AddressInUse(Conflict):
    """Another program listens where the web server should."""

    code = "address_in_use"
    title = "The address is in use"
    next_action = "Stop the other program, or set DEMETER_PORT to another port."


class AddressUnknown(InvalidInput):
    """Nothing can listen there: it is no address of this machine, or may not be used."""

    code = "address_unknown"
    title = "Nothing can listen at this address"
    next_action = "Set DEMETER_HOST to an address of this machine, or 0.0.0.0 for all of them."


def require_free(host: str, port: int) -> None:
    """Find out now, rather than after minutes of work or from a web server that keeps dying.

    Raises:
        AddressInUse: something listens there; the process is named where the system says it.
        AddressUnknown: nothing can.
    """
    try:
        with socket.create_server((host, port)):
            return
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise AddressUnknown(f"{host}:{port}: {error}", host=host) from error
        listener = _listener(port)
        who = f"Process {listener}" if listener else "Something"
        raise AddressInUse(f"{who} listens at {host}:{port} already.", port=port) from error


def _listener(port: int) -> str | None:
    """Number and name of the process that listens at a port, as far as Linux tells us."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        with suppress(OSError):  # another person's process, or one that has ended
            if any(str(entry.readlink()) in inodes for entry in (process / "fd").iterdir()):
                return f"{process.name} ({(process / 'comm').read_text().strip()})"
    return None


def _listening_inodes(port: int) -> list[str]:
    inodes = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with suppress(OSError):
            rows = [line.split() for line in table.read_text().splitlines()[1:]]
            inodes += [
                row[9]
                for row in rows
                if row[3] == _LISTENS and int(row[1].rpartition(":")[2], 16) == port
            ]
    return inodes
