"""Kill -9 of any process of PostgreSQL, under uploads: `demeter up` lives and nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Self

import httpx2
import pytest

from support.pictures import encoded, picture
from support.upserver import UpServer, busy_cores, until, up_server

UNDER_WAY = "SELECT 1 FROM photo_processing_sessions WHERE status IN ('pending', 'processing')"


class Uploads:
    """Sends one photo after the other in a thread; keeps the ids of those accepted."""

    def __init__(self, server: UpServer, pause_s: float, most: int) -> None:
        self.accepted: list[str] = []
        self.other_answers: set[int] = set()
        self._server = server
        self._pause_s = pause_s
        self._most = most  # each is counted before the test ends
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _send(self) -> None:
        seed = 0
        while not self._over.is_set() and len(self.accepted) < self._most:
            seed += 1
            try:
                answer = self._server.upload(encoded(picture(128, 96, seed)), f"A{seed % 2 + 1}")
            except httpx2.TransportError:
                continue
            if answer.status_code == 202:
                self.accepted.append(answer.json()["session_id"])
            else:
                self.other_answers.add(answer.status_code)
            self._over.wait(self._pause_s)


def kill_one(server: UpServer, chance: random.Random) -> str:
    """Kill one of PostgreSQL's processes, each kind as likely as another; what it was."""
    until(server.backends, "PostgreSQL runs")
    backends = server.backends()
    what = chance.choice(sorted(set(backends.values())))
    victims = [pid for pid, command in backends.items() if command == what]
    try:
        os.kill(chance.choice(sorted(victims)), signal.SIGKILL)
    except ProcessLookupError:
        return f"{what}(gone)"
    return what


def assert_it_goes_on(server: UpServer, uploads: Uploads) -> None:
    """What was accepted is there and goes its way."""
    until(lambda: server.upload(encoded(picture(128, 96, 999)), "A1").status_code == 202, "again")
    states = dict(server.query("SELECT session_id::text, status FROM photo_processing_sessions"))
    assert set(uploads.accepted) <= set(states)
    assert "failed" not in states.values()
    photos = "SELECT 1 FROM blob_inbox WHERE content_type = 'image/jpeg'"
    until(lambda: not server.query(photos), "the photos reach the store")


def assert_nothing_was_lost(server: UpServer, uploads: Uploads, within_s: float) -> None:
    until(lambda: not server.query(UNDER_WAY), "every session ends", within_s)
    states = dict(server.query("SELECT session_id::text, status FROM photo_processing_sessions"))
    assert set(uploads.accepted) <= set(states)
    assert "failed" not in states.values()
    images = server.query("SELECT status, error_message FROM photo_session_images")
    assert {status for status, _ in images} == {"succeeded"}, images
    until(lambda: not server.query("SELECT 1 FROM blob_inbox"), "the inbox empties", within_s)
    assert server.query("SELECT 1 FROM procrastinate_jobs WHERE status = 'failed'") == []
    assert uploads.other_answers <= {503}


def survive(server: UpServer, seed: int, kills: int, pauses_s: tuple[float, float]) -> Uploads:
    chance = random.Random(seed)
    killed = []
    with Uploads(server, pause_s=1.0, most=2 * kills + 4) as uploads:
        until(lambda: uploads.accepted, "a photo is accepted")
        for _ in range(kills):
            time.sleep(chance.uniform(*pauses_s))
            killed.append(kill_one(server, chance))
            assert server.is_alive(), (killed, server.log.read_text()[-4000:])
    assert_it_goes_on(server, uploads)
    assert server.is_alive(), (killed, server.log.read_text()[-4000:])
    return uploads


@pytest.mark.timeout(300)
def test_up_outlives_the_death_of_its_databases_processes(new_home: Path, tmp_path: Path) -> None:
    with up_server(new_home, tmp_path / "log") as server:
        survive(server, seed=3, kills=3, pauses_s=(0.2, 2.0))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("busy", [True, False])
def test_up_outlives_forty_deaths_on_a_busy_machine(
    new_home: Path, tmp_path: Path, busy: bool
) -> None:
    with (
        up_server(new_home, tmp_path / "log") as server,
        busy_cores(os.cpu_count() or 2) if busy else nullcontext(),
    ):
        uploads = survive(server, seed=40 + busy, kills=40, pauses_s=(0.1, 4.0))
        assert_nothing_was_lost(server, uploads, within_s=900)
