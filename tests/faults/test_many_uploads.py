"""Many people send at once, and phones lose their connection: once, or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from demeter.core.jobs import work
from support.nursery import plant_nursery
from support.served import jpeg
from support.signing_in import signed_in
from support.upserver import free_port, until

SEED = int(os.environ.get("UPLOADS_SEED", "20"))
UPLOADS, PEOPLE = 200, 20
BOUNDARY = "a-boundary-that-no-photo-has"


@dataclass(frozen=True)
class Sending:
    """One upload: by whom, of which photo, and after which share of it the phone is gone.

    ``share`` over 1: all is sent, and the answer is not waited for; ``None``: nothing is lost.
    """

    headers: dict[str, str]
    number: int
    photo: bytes
    share: float | None

    def body(self) -> bytes:
        field = (
            f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="location_code"\r\n\r\nA1\r\n'
            f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="files"; '
            f'filename="bed-{self.number}.jpg"\r\ncontent-type: image/jpeg\r\n\r\n'
        )
        return field.encode() + self.photo + f"\r\n--{BOUNDARY}--\r\n".encode()

    def request(self) -> bytes:
        body = self.body()
        lines = [
            "POST /api/v1/stock/photo HTTP/1.1",
            "host: localhost",
            f"authorization: {self.headers['Authorization']}",
            f"idempotency-key: upload-{self.number}",
            f"content-type: multipart/form-data; boundary={BOUNDARY}",
            f"content-length: {len(body)}",
            "connection: close",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


def send(port: int, sending: Sending) -> tuple[int, dict]:
    """Status and answer; 0 where the phone was gone before."""
    request = sending.request()
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        if sending.share is not None and sending.share < 1:
            connection.sendall(request[: int(len(request) * sending.share)])
            return 0, {}
        connection.sendall(request)
        if sending.share is not None:
            time.sleep(sending.share - 1)
            return 0, {}
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(rest) if rest else {}


@pytest.fixture
def port(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A web server as a process, with a home and a place for temporary files of its own."""
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("DEMETER_HOME", str(home))
    listening = free_port()
    environment = os.environ | {"DEMETER_PORT": str(listening), "TMPDIR": str(temporary)}
    process = subprocess.Popen([sys.executable, "-m", "demeter.ops.web_server"], env=environment)
    with contextlib.closing(socket.socket()):
        until(lambda: _is_open(listening), "the server listens")
    yield listening
    assert process.poll() is None
    assert not list(temporary.iterdir()), "files of lost uploads are left"
    process.terminate()
    process.wait(30)


def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_each_upload_counts_once_whoever_loses_the_connection(
    port: int, fresh_database: str
) -> None:
    chance = random.Random(SEED)
    with transaction() as session:
        plant_nursery(session)
    people = [signed_in(f"worker-{n}", UserRole.WORKER) for n in range(PEOPLE)]
    shares = [None, None, 0.02, 0.5, 0.97, 1.0, 1.01, 1.2]
    sendings = [
        Sending(people[n % PEOPLE], n, jpeg(n), chance.choice(shares)) for n in range(UPLOADS)
    ]
    with ThreadPoolExecutor(40) as phones:
        first = list(phones.map(lambda sending: send(port, sending), sendings))
        answered = {n: answer for n, (status, answer) in enumerate(first) if status == 202}
        assert {status for status, _ in first} <= {0, 202, 429, 503}
        assert len(answered) > UPLOADS // 10
        again = [Sending(s.headers, s.number, s.photo, None) for s in sendings]
        second = list(phones.map(lambda sending: send(port, sending), again))
    for _ in range(5):  # who was told to come later comes later
        late = [n for n, (status, _) in enumerate(second) if status in (429, 503)]
        for n in late:
            second[n] = send(port, again[n])
    assert {status for status, _ in second} == {202}
    for n, answer in answered.items():  # what was promised stands
        assert second[n][1]["session_id"] == answer["session_id"]
    assert len({answer["session_id"] for _, answer in second}) == UPLOADS
    check_rows(fresh_database)
    work(["io"], wait=False)
    with psycopg.connect(fresh_database) as connection:
        assert connection.execute("SELECT count(*) FROM blob_inbox").fetchone() == (0,)


def check_rows(url: str) -> None:
    """One session, one image and one job for each photo, all of its sender."""
    with psycopg.connect(url) as connection:

        def number(sql: str) -> int:
            row = connection.execute(sql).fetchone()  # type: ignore[arg-type]
            assert row is not None
            return row[0]

        assert number("SELECT count(*) FROM photo_processing_sessions") == UPLOADS
        assert number("SELECT count(*) FROM s3_images") == UPLOADS
        assert number("SELECT count(DISTINCT sha256) FROM s3_images") == UPLOADS
        assert number("SELECT count(*) FROM photo_session_images") == UPLOADS
        assert number("SELECT count(*) FROM blob_inbox") == UPLOADS
        jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE '%ml_parent_task'"
        assert number(jobs) == UPLOADS
        senders = "SELECT count(DISTINCT uploaded_by_user_id) FROM photo_processing_sessions"
        assert number(senders) == PEOPLE
        strays = """
            SELECT count(*) FROM s3_images i
            WHERE NOT EXISTS (SELECT FROM photo_session_images p WHERE p.image_id = i.image_id)
        """
        assert number(strays) == 0
