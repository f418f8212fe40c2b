"""A proxy between processes and PostgreSQL or the object store: it cuts, slows and truncates.

What is sent through it arrives unchanged, late, or not at all.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import suppress
from typing import Literal

Mood = Literal["calm", "cut", "slow", "truncate", "closed"]

SLOW_S = 0.02  # for each piece
PIECE_BYTES = 16_384
MOST_BYTES_BEFORE_THE_END = 60_000


class Wire:
    """Listens on loopback and passes on to a TCP port, or to a Unix socket.

    In the mood ``cut`` connections end after some pieces, in ``truncate`` in the middle of one;
    ``slow`` delays each piece, ``closed`` takes nobody in and lets go of everybody.
    """

    def __init__(self, target: tuple[str, int] | str, seed: int) -> None:
        self._target = target
        self._random = random.Random(seed)
        self._mood: Mood = "calm"
        self._open: set[socket.socket] = set()
        self.ends = 0  # connections that it ended
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def be(self, mood: Mood) -> None:
        """Change the mood, for connections that are open, too."""
        self._mood = mood
        if mood == "closed":
            for end in list(self._open):
                _drop(end)

    def close(self) -> None:
        """For good."""
        self.be("closed")
        self._door.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            if self._mood == "closed":
                _drop(client)
                continue
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            server = self._reach()
        except OSError:
            _drop(client)
            return
        both = (client, server)
        self._open |= set(both)
        for source, goal in (both, both[::-1]):
            threading.Thread(target=self._pass_on, args=(source, goal, both), daemon=True).start()

    def _reach(self) -> socket.socket:
        if isinstance(self._target, str):
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            return server
        return socket.create_connection(self._target, timeout=10)

    def _pass_on(
        self, source: socket.socket, goal: socket.socket, both: tuple[socket.socket, ...]
    ) -> None:
        with suppress(OSError):
            source.settimeout(None)
            left = self._random.randrange(MOST_BYTES_BEFORE_THE_END)
            while data := source.recv(PIECE_BYTES):
                if self._mood == "slow":
                    time.sleep(SLOW_S)
                elif self._mood in ("cut", "truncate"):
                    left -= len(data)
                    if left < 0:
                        self.ends += 1
                        if self._mood == "truncate":
                            goal.sendall(data[: self._random.randrange(len(data))])
                        break
                goal.sendall(data)
        for end in both:
            self._open.discard(end)
            _drop(end)


def _drop(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
