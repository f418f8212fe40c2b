"""A server of its own is sent what asks for too much, and answers each by name in little memory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from demeter.core.db import transaction
from support.hostile import BODIES, PHOTO, UPLOADS, Sent, Upload
from support.nursery import plant_nursery
from support.signing_in import signed_in

MOST_MB = 600
MOST_S = 5.0
CALM_S = 60.0  # where other work goes on beside it
QUICK_UPLOADS = (
    "film of 16,000 px",
    "bomb of 30,000 px",
    "PNG profile bomb",
    "JPEG of 3,000 passes",
    "JPEG without end",
    "EXIF 3",
    "EXIF of year 9999",
    "TIFF in a circle",
    "DNG",
    "HEIC of nonsense",
    "nothing",
)
QUICK_BODIES = (
    "JSON of 300 MB",
    "a list of half a million",
    "nested lists that end",
    "a number of 4,000 digits",
    "half a character",
    "5,000 files",
    "a workbook as large as can be",
)


@dataclass
class Answered:
    """How one thing was answered."""

    name: str
    status: int
    code: str
    seconds: float


@dataclass
class Server:
    """A web server as `demeter up` runs it."""

    address: str
    pid: int
    headers: dict[str, str]

    def peak_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1000

    def send(self, what: Upload | Sent) -> Answered:
        with httpx2.Client(base_url=self.address, headers=self.headers, timeout=120) as client:
            if isinstance(what, Upload):
                body = what.make()
                started = time.perf_counter()
                answer = client.post(
                    PHOTO, files={"files": ("bed.jpg", body)}, data={"location_code": "A1"}
                )
            else:
                content = what.make()
                started = time.perf_counter()
                answer = client.post(what.path, content=content, headers=what.headers)
            seconds = time.perf_counter() - started
            found = answer.json()
            code = found.get("code", "") if isinstance(found, dict) else ""
            return Answered(what.name, answer.status_code, code, seconds)


@pytest.fixture
def server(fresh_database: str, tmp_path: Path) -> Iterator[Server]:
    with transaction() as session:
        plant_nursery(session)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["uvicorn", "demeter.app:create_app", "--factory", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--log-level", "warning"],
        env=os.environ | {"DEMETER_HOME": str(tmp_path), "DEMETER_LOG_FORMAT": "json"},
        stdout=subprocess.DEVNULL,
        stderr=(tmp_path / "log").open("wb"),
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(address)
        yield Server(address, process.pid, signed_in())
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(address: str) -> None:
    for _ in range(600):
        try:
            if httpx2.get(f"{address}/health/live", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


def faults_of(answers: list[Answered], most_s: float) -> list[str]:
    """Answers that are no answers: an error of the server's own, or one that took too long."""
    return [
        f"{a.name}: {a.status} {a.code} after {a.seconds:.1f} s"
        for a in answers
        if (a.status >= 500 and a.code != "decoder_busy")
        or (a.status >= 400 and not a.code)
        or a.seconds > most_s
    ]


def test_there_are_as_many_as_were_promised() -> None:
    assert len(UPLOADS) >= 77
    assert len(BODIES) >= 47
    names = [what.name for what in (*UPLOADS, *BODIES)]
    assert len(set(names)) == len(names) - 1  # one of each kind is nothing at all
    assert set(QUICK_UPLOADS) | set(QUICK_BODIES) <= set(names)


def test_some_of_what_asks_for_too_much_is_answered_by_name(server: Server) -> None:
    few = [
        *(upload for upload in UPLOADS if upload.name in QUICK_UPLOADS),
        *(body for body in BODIES if body.name in QUICK_BODIES),
    ]
    with ThreadPoolExecutor(4) as four:
        answers = list(four.map(server.send, few))
    assert faults_of(answers, CALM_S) == []
    assert server.peak_mb() < MOST_MB
    by_name = {answer.name: answer for answer in answers}
    assert by_name["JSON of 300 MB"].status == 413
    assert by_name["JPEG without end"].status == 202
    assert by_name["film of 16,000 px"].code == "photo_too_large"


def _crowd() -> float:
    """How many want each core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("at_once", [1, 4])
def test_whatever_is_sent_is_answered_by_name_in_little_memory(
    server: Server, at_once: int
) -> None:
    crowded = [_crowd()]
    with ThreadPoolExecutor(at_once) as several:
        uploads = list(several.map(server.send, UPLOADS))
        crowded.append(_crowd())
        bodies = list(several.map(server.send, BODIES))
    # On a machine with other work to do each is slower by as much as there is of that.
    most_s = MOST_S * max(*crowded, _crowd(), 1.0)
    assert faults_of([*uploads, *bodies], most_s) == []
    assert server.peak_mb() < MOST_MB
    assert httpx2.get(f"{server.address}/health/ready", timeout=30).status_code == 200
