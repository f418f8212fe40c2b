"""Clients that hold a connection open and say nothing on it, or dribble, are sent away."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from demeter.core.http import connections

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
DEADLINE_S = 15.0


async def echo(request: Request) -> PlainTextResponse:
    body = await request.body()
    return PlainTextResponse(f"{len(body)} bytes")


async def big(_: Request) -> PlainTextResponse:
    return PlainTextResponse("x" * 60_000_000)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """uvicorn with the protocol that `demeter up` gives it; limits of seconds become tenths."""
    for name in ("HEADERS_S", "BODY_S", "ANSWER_S", "LOOK_EVERY_S"):
        monkeypatch.setattr(connections, name, getattr(connections, name) / 20)
    app = Starlette(routes=[Route("/", echo, methods=["POST"]), Route("/big", big)])
    config = uvicorn.Config(
        app, port=0, http=connections.TimedConnection, log_config=None, timeout_keep_alive=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
    connection.settimeout(DEADLINE_S)
    return connection


def rest_of(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def read_until(connection: socket.socket, words: bytes) -> None:
    received = b""
    while words not in received:
        piece = connection.recv(1000)
        assert piece, received
        received += piece


@pytest.mark.parametrize("beginning", [b"", b"GET", b"GET / HTTP/1.1\r\n", HEAD, HEAD + b"x: y"])
def test_headers_that_do_not_end_are_not_waited_for(port: int, beginning: bytes) -> None:
    with connect(port) as connection:
        connection.sendall(beginning)
        assert rest_of(connection).startswith(b"HTTP/1.1 408")


def test_headers_that_dribble_are_not_waited_for(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(HEAD + b"x: ")
        started = time.monotonic()
        try:
            while time.monotonic() - started < DEADLINE_S:
                connection.sendall(b"y")
                time.sleep(0.05)
        except OSError:
            pass
        assert time.monotonic() - started < DEADLINE_S


def test_a_body_that_dribbles_is_not_waited_for(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(HEAD + b"content-length: 1000000\r\n\r\n")
        started = time.monotonic()
        try:
            while time.monotonic() - started < DEADLINE_S:
                connection.sendall(b"y")
                time.sleep(0.05)
        except OSError:
            pass
        assert time.monotonic() - started < DEADLINE_S


def test_a_body_that_never_comes_is_not_waited_for(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(HEAD + b"content-length: 1000000\r\n\r\n" + b"x" * 1000)
        assert rest_of(connection).startswith(b"HTTP/1.1 408")


def test_a_slow_phone_is_waited_for(port: int) -> None:
    """20 kB/s: far longer than a body may take that brings nothing."""
    with connect(port) as connection:
        connection.sendall(HEAD + b"connection: close\r\ncontent-length: 100000\r\n\r\n")
        for _ in range(50):
            connection.sendall(b"x" * 2000)
            time.sleep(0.1)
        assert rest_of(connection).endswith(b"100000 bytes")


def test_who_asks_to_be_told_to_go_on_is(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(HEAD + b"expect: 100-continue\r\ncontent-length: 5\r\n\r\n")
        assert b"100" in connection.recv(1000)
        connection.sendall(b"hello")
        read_until(connection, b"5 bytes")


def test_an_answer_that_nobody_takes_is_not_waited_for(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(connections.ANSWER_S + 2)
        assert len(rest_of(connection)) < 60_000_000


def test_a_connection_that_is_kept_serves_again(port: int) -> None:
    with connect(port) as connection:
        for _ in range(3):
            connection.sendall(HEAD + b"content-length: 2\r\n\r\nhi")
            read_until(connection, b"2 bytes")
            time.sleep(0.3)
