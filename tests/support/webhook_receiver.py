"""A program that is told: it answers as a test says, and keeps what it heard."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Heard:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Program:
    """Where it listens; ``behaviour`` is a status, or `hang`, `drip`, `die`, `redirect`."""

    url: str
    behaviour: int | str = 200
    answer: bytes = b"thanks"
    heard: list[Heard] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        """The ids of what it heard."""
        return [each.headers["webhook-id"] for each in self.heard]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.heard.append(Heard(self.path, headers, body))
        act = getattr(self, f"_{receiver.behaviour}", None)
        if act is None:
            self._say(int(receiver.behaviour))
        else:
            act()

    def _say(self, status: int, **headers: str) -> None:
        answer = self.server.receiver.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _redirect(self) -> None:
        self._say(302, location=f"{self.server.receiver.url}/elsewhere")

    def _hang(self) -> None:
        self.server.receiver.is_over.wait(30)

    def _drip(self) -> None:
        with suppress(OSError):
            while not self.server.receiver.is_over.wait(0.1):
                self.wfile.write(b"H")

    def _die(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    receiver: Program


@contextmanager
def program() -> Iterator[Program]:
    """A receiver while the block runs."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        receiver = server.receiver = Program(f"http://127.0.0.1:{server.server_port}/demeter")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield receiver
        receiver.is_over.set()
        server.shutdown()
