"""A TCP proxy that cuts connections: after so many bytes of a request, or of an answer."""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass

MOST_BYTES_UP = 250_000  # of a request: some cuts come before a photo, some within, some after
MOST_BYTES_DOWN = 3_000  # of an answer: often one has been carried out, and nobody hears of it


@dataclass
class Budget:
    """Bytes that a connection passes on before it is cut; ``None`` is all of them."""

    up: int | None
    down: int | None


class CuttingProxy:
    """Stands before a server; while it is ``wild`` each connection has an end."""

    def __init__(self, target_port: int, seed: int = 0) -> None:
        self.wild = False
        self.cuts = 0
        self._open: set[socket.socket] = set()
        self._random = random.Random(seed)
        self._target = ("127.0.0.1", target_port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def go_wild(self, seed: int) -> None:
        """Cut from now on, as follows from this number; connections of before are dropped."""
        self._random.seed(seed)
        self.wild = True
        for end in list(self._open):
            _drop(end)

    def close(self) -> None:
        """Take no more connections."""
        self._door.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            budget = self._budget()
            threading.Thread(target=self._connect, args=(client, budget), daemon=True).start()

    def _budget(self) -> Budget:
        if not self.wild:
            return Budget(None, None)
        if self._random.random() < 0.5:
            return Budget(self._random.randrange(MOST_BYTES_UP), None)
        return Budget(None, self._random.randrange(MOST_BYTES_DOWN))

    def _connect(self, client: socket.socket, budget: Budget) -> None:
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        both = (client, server)
        self._open |= set(both)
        down = threading.Thread(target=self._pass_on, args=(server, client, budget.down, both))
        down.daemon = True
        down.start()
        self._pass_on(client, server, budget.up, both)

    def _pass_on(
        self,
        source: socket.socket,
        goal: socket.socket,
        left: int | None,
        both: tuple[socket.socket, socket.socket],
    ) -> None:
        with suppress(OSError):
            while data := source.recv(16_384):
                if left is not None:
                    data = data[:left]
                    left -= len(data)
                goal.sendall(data)
                if left == 0:
                    self.cuts += 1
                    break
        for end in both:
            self._open.discard(end)
            _drop(end)


def _drop(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
