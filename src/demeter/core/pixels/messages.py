"""How a pool and its readers talk: JSON by a socket, with open files beside it."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct(">I")
_MOST_FILES = 2


def send(own: socket.socket, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
    """One message, and open files with it."""
    body = json.dumps(message).encode()
    socket.send_fds(own, [_LENGTH.pack(len(body))], files)
    own.sendall(body)


def receive(own: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """One message with the files that came with it; ``None`` where the other end went away."""
    head, files, _, _ = socket.recv_fds(own, _LENGTH.size, _MOST_FILES)
    while head and len(head) < _LENGTH.size:
        head += own.recv(_LENGTH.size - len(head))
    if not head:
        return None
    left, parts = _LENGTH.unpack(head)[0], []
    while left:
        part = own.recv(min(left, 1 << 16))
        if not part:
            return None
        parts.append(part)
        left -= len(part)
    return json.loads(b"".join(parts)), files
