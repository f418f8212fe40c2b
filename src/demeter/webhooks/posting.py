"""One POST to one checked address: no redirect is followed, and it ends in time."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from demeter.webhooks.addresses import Target

CONNECT_S = 3.0
TOTAL_S = 10.0
KEPT_BYTES = 500  # of an answer
OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class PostResult:
    """What became of a try; without a status nothing was answered."""

    seconds: float
    http_status: int | None = None
    beginning: str | None = None
    error: str | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.http_status in OK


class _PinnedConnection(http.client.HTTPConnection):
    """Connects to the address that was checked, whatever the name leads to by now."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=CONNECT_S)
        self._target = target

    def connect(self) -> None:
        """Connect, by TLS in the receiver's name where it is to be."""
        target = self._target
        connection = socket.create_connection((target.address, target.port), CONNECT_S)
        if target.is_tls:
            context = ssl.create_default_context()
            connection = context.wrap_socket(connection, server_hostname=target.host)
        self.sock = connection
        connection.settimeout(TOTAL_S)

    def break_off(self) -> None:
        """End it from another thread, wherever it stands."""
        with suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)


def post(target: Target, body: bytes, headers: Mapping[str, str]) -> PostResult:
    """Send it once. A receiver that answers drop by drop is left after ``TOTAL_S``, too."""
    begin = time.perf_counter()
    connection = _PinnedConnection(target)
    alarm = threading.Timer(TOTAL_S, connection.break_off)
    alarm.start()
    try:
        connection.request("POST", target.path, body, {**headers, "host": target.host_header})
        response = connection.getresponse()
        beginning = response.read(KEPT_BYTES).decode("utf-8", "replace").replace("\x00", "")
        return PostResult(time.perf_counter() - begin, response.status, beginning)
    except (OSError, http.client.HTTPException, ValueError) as error:
        seconds = time.perf_counter() - begin
        why = f"{type(error).__name__}: {error}"[:KEPT_BYTES]
        return PostResult(
            seconds, error=why if seconds < TOTAL_S else f"no answer in {TOTAL_S:.0f} s"
        )
    finally:
        alarm.cancel()
        connection.close()
