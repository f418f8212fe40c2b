"""Connections that a client holds open and says nothing on are closed.

uvicorn waits for ever for the rest of a request's headers or body; enough such clients leave
no descriptor for others.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 20.0  # from the first byte, or the connection, to the end of the headers
BODY_S = 30.0  # what a body may take however small it is …
BODY_BYTES_PER_S = 1000  # … and how fast it must come beyond that
ANSWER_S = 60.0  # without a byte of the answer taken
LOOK_EVERY_S = 2.0
TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 18\r\n\r\nRequest timed out."
)


class TimedConnection(H11Protocol):
    """uvicorn's protocol with limits on how long a client may take.

    Time in which the server itself does not read or write is not the client's.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Begin to watch."""
        super().connection_made(transport)
        self._phase: Any = None
        self._begin_phase()
        self._unsent_bytes, self._stuck_s = 0, 0.0
        self._watch = self.loop.call_later(LOOK_EVERY_S, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """End to watch."""
        self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a body buy time."""
        if self.conn.their_state is h11.SEND_BODY:
            self._allowed_s += len(data) / BODY_BYTES_PER_S
        super().data_received(data)
        if self.conn.their_state is not self._phase:
            self._begin_phase()

    def _begin_phase(self) -> None:
        """The client says something else than before: its time begins anew."""
        self._phase = self.conn.their_state
        self._allowed_s = BODY_S if self._phase is h11.SEND_BODY else HEADERS_S
        self._used_s = 0.0

    def _look(self) -> None:
        self._watch = self.loop.call_later(LOOK_EVERY_S, self._look)
        if self.conn.their_state is not self._phase:
            self._begin_phase()
        if self._is_asked_to_send():
            self._used_s += LOOK_EVERY_S
        unsent_bytes = self.transport.get_write_buffer_size()
        takes_nothing = 0 < self._unsent_bytes <= unsent_bytes
        self._stuck_s = self._stuck_s + LOOK_EVERY_S if takes_nothing else 0.0
        self._unsent_bytes = unsent_bytes
        is_over = self._used_s >= self._allowed_s or self._stuck_s >= ANSWER_S
        if is_over and self.transport.is_closing():
            self.transport.abort()  # closing waits for what is unsent, and nobody takes it
        elif is_over:
            self._close()

    def _is_asked_to_send(self) -> bool:
        """Whether it is the client's turn; between requests uvicorn has a limit of its own."""
        if self.flow.read_paused or self.timeout_keep_alive_task is not None:
            return False
        is_waiting_for_us = self.cycle is not None and self.cycle.waiting_for_100_continue
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not is_waiting_for_us

    def _close(self) -> None:
        self.logger.warning("A client was too slow: its connection is closed.")
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(TOO_SLOW)
        self.transport.close()
