"""The object store is away for minutes while phones go on sending: each photo is taken, counted.

DEMETER_FIGURES names a folder for what was measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from support.nursery import plant_nursery
from support.object_store import base, s3
from support.pictures import encoded, picture
from support.rows import count, until
from support.signing_in import signed_in
from support.upserver import free_port

assert base  # pytest finds the fixture by its name here

UNDER_WAY = "photo_processing_sessions WHERE status IN ('pending', 'processing')"


@contextmanager
def process(*command: str, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        started = subprocess.Popen(
            [sys.executable, "-m", *command], env=os.environ | environment, stderr=file
        )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(60)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


class Phones:
    """Send so many photos a second, whatever the answers; keep these and how long each took."""

    def __init__(self, address: str, headers: dict[str, str], each_s: float) -> None:
        self.answers: list[tuple[int, float, str]] = []
        self._address, self._headers, self._each_s = address, headers, each_s
        self._threads: list[threading.Thread] = []

    def send_for(self, seconds: float) -> None:
        begin, number = time.monotonic(), 0
        while time.monotonic() < begin + seconds:
            sender = threading.Thread(target=self._send, args=(number,))
            sender.start()
            self._threads.append(sender)
            number += 1
            time.sleep(max(0.0, begin + number * self._each_s - time.monotonic()))
        for sender in self._threads:
            sender.join()

    def _send(self, number: int) -> None:
        begin = time.monotonic()
        answer = httpx2.post(
            f"{self._address}/api/v1/stock/photo",
            files=[("files", (f"bed-{number}.jpg", encoded(picture(128, 96, 1000 + number))))],
            data={"location_code": f"A{number % 2 + 1}"},
            headers=self._headers,
            timeout=120,
        )
        session_id = answer.json().get("session_id", "")
        self.answers.append((answer.status_code, time.monotonic() - begin, session_id))


def outlast(base: int, tmp_path: Path, seconds: float) -> dict[str, float]:
    """Photos twice a second while the store is away so long; what was seen of it."""
    with transaction() as session:
        plant_nursery(session)
    headers = signed_in("rosa", UserRole.WORKER)
    address = f"http://127.0.0.1:{(port := free_port())}"
    with (
        process("demeter.ops.web_server", log=tmp_path / "web.log", DEMETER_PORT=str(port)),
        process(
            "demeter", "worker", log=tmp_path / "worker.log", DEMETER_VISION_THREADS="1"
        ) as worker,
    ):
        until(lambda: is_up(address))
        with s3(tmp_path / "s3", base):
            first = Phones(address, headers, each_s=0.5)
            first.send_for(2)
            until(lambda: not count("blob_inbox"))
        phones = Phones(address, headers, each_s=0.5)
        phones.send_for(seconds)
        in_inbox = count("blob_inbox")
        back = time.monotonic()
        with s3(tmp_path / "s3", base):
            until(lambda: not count("blob_inbox"), within_s=900)
            emptied_s = time.monotonic() - back
            until(lambda: not count(UNDER_WAY), within_s=1800)
            recorded_s = time.monotonic() - back
            until(lambda: not count("blob_inbox"), within_s=300)
        assert worker.poll() is None
    answers = first.answers + phones.answers
    assert {status for status, _, _ in answers} == {202}
    promised = {session_id for _, _, session_id in answers}
    assert count("photo_processing_sessions") == len(promised)
    assert count("photo_session_images WHERE status <> 'succeeded'") == 0
    assert count("photo_processing_sessions WHERE status = 'failed'") == 0
    assert count("procrastinate_jobs WHERE status = 'failed'") == 0
    times = sorted(seconds for _, seconds, _ in phones.answers)
    return {
        "accepted": len(phones.answers),
        "median_answer_s": round(times[len(times) // 2], 3),
        "slowest_answer_s": round(times[-1], 3),
        "in_inbox_at_the_end": in_inbox,
        "inbox_empty_after_s": round(emptied_s, 1),
        "all_recorded_after_s": round(recorded_s, 1),
        "load": round(os.getloadavg()[1], 1),
    }


def is_up(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/health/live", timeout=10).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_five_minutes_without_a_store_under_two_uploads_a_second(base: int, tmp_path: Path) -> None:
    seconds = float(os.environ.get("OUTAGE_S", "300"))
    figures = outlast(base, tmp_path, seconds)
    assert figures["accepted"] >= 1.8 * seconds
    folder = Path(os.environ.get("DEMETER_FIGURES", tmp_path))
    (folder / "outage.json").write_text(json.dumps(figures, indent=1))
