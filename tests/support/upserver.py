"""`demeter up` as a process of its own, on a home and an embedded database of the test's own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx2
import psycopg
import pytest

from demeter.accounts.secrets import digest
from demeter.core.localdb import LocalDatabase
from support.nursery import NURSERY_SQL

PATIENCE_S = 120.0
TOKEN = "dmt_of_the_tests"


@dataclass
class UpServer:
    """A running `demeter up`: its process, its address, its database and its log."""

    process: subprocess.Popen[bytes]
    address: str
    database: LocalDatabase
    log: Path

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def query(self, sql: str) -> list[Any]:
        """Rows of a query, asked until the database answers."""
        return patiently(lambda: self._query(sql))

    def _query(self, sql: str) -> list[Any]:
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def upload(self, body: bytes, place: str = "A1") -> httpx2.Response:
        return httpx2.post(
            f"{self.address}/api/v1/stock/photo",
            files=[("files", ("bed.jpg", body))],
            data={"location_code": place},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=60,
        )

    def backends(self) -> dict[int, str]:
        """The processes of PostgreSQL but the first, by what they say they do."""
        pid_file = self.database.data_dir / "postmaster.pid"
        try:
            first = pid_file.read_text().split()[0]
            children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        except (FileNotFoundError, IndexError):
            return {}
        return {int(pid): _command(pid) for pid in children}


def _command(pid: str) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return words.replace(b"\0", b" ").decode(errors="replace")


def patiently(ask: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
    """What a question answers; asked again while connections are refused or lost."""
    end = time.monotonic() + within_s
    while True:
        try:
            return ask()
        except (psycopg.OperationalError, httpx2.TransportError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def until(question: Callable[[], object], what: str, within_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if question():
            return
        time.sleep(0.1)
    pytest.fail(f"{what}: not within {within_s:.0f} s")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextmanager
def up_server(
    home: Path, log: Path, output: IO[bytes] | int | None = None, **environment: str
) -> Iterator[UpServer]:
    """`demeter up` with a small nursery; ``output`` takes its log instead of the file ``log``."""
    LocalDatabase(home, durable=False).ensure_running()
    port = free_port()
    variables = {k: v for k, v in os.environ.items() if k != "DEMETER_DATABASE_URL"}
    variables |= {
        "DEMETER_HOME": str(home),
        "DEMETER_PORT": str(port),
        "DEMETER_VISION_THREADS": "1",
        "DEMETER_WORKER_STALLED_S": "6",
        "DEMETER_WORKER_HEARTBEAT_S": "1",
        **environment,
    }
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "demeter", "up"],
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=file if output is None else output,
        )
    server = UpServer(process, f"http://127.0.0.1:{port}", LocalDatabase(home), log)
    try:
        until(lambda: is_live(server), "the server answers")
        patiently(lambda: _plant(server))
        yield server
    finally:
        stop(process)
        server.database.stop()


def is_live(server: UpServer) -> bool:
    assert server.is_alive(), server.log.read_text()[-4000:]
    try:
        return httpx2.get(f"{server.address}/health/live", timeout=10).status_code == 200
    except httpx2.TransportError:
        return False


def _plant(server: UpServer) -> None:
    with psycopg.connect(server.database.url) as connection:
        connection.execute(NURSERY_SQL)
        connection.execute(
            "INSERT INTO api_tokens (token_sha256, user_id, name, role, created_by_user_id) "
            "SELECT %s, id, 'tests', 'worker', id FROM users WHERE username = 'demeter-service' "
            "ON CONFLICT DO NOTHING",
            [digest(TOKEN)],
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def busy_cores(count: int) -> Iterator[None]:
    """So many processes that do nothing and do it all the time."""
    command: Sequence[str] = (sys.executable, "-c", "while True: pass")
    processes = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
