"""Accepted is safe: a real S3 server that comes, goes and comes back, on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select, text

from demeter.core import blobs, jobs
from demeter.core.db import engine, transaction
from demeter.core.settings import settings
from demeter.photos import intake
from support.nursery import location, plant_nursery, user
from support.pictures import encoded, picture

WEED = Path(sys.executable).with_name("weed")
SERVERS = ("master", "volume", "filer", "s3", "admin")


def free_base() -> int:
    """A port such that its neighbours, and those 10,000 above for gRPC, are free too."""
    for base in range(21_000, 25_000, 20):
        if not any(_taken(base + n) or _taken(base + n + 10_000) for n in range(len(SERVERS))):
            return base
    pytest.fail("no free ports on loopback")


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def weed(folder: Path, base: int, address: str = "127.0.0.1") -> list[str]:
    """The command that serves S3 on one address alone, and sends nothing anywhere."""
    ports = [f"-{name}.port={base + n}" for n, name in enumerate(SERVERS)]
    quiet = ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    bound = [f"-ip={address}", f"-ip.bind={address}", "-master.telemetry=false"]
    return [str(WEED), "mini", f"-dir={folder}", "-bucket=photos", *bound, *ports, *quiet]


def weed_environment(folder: Path) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "demeter", "AWS_SECRET_ACCESS_KEY": "secret"}
    return keys | {"HOME": str(folder)}


@contextmanager
def s3(folder: Path, base: int) -> Iterator[None]:
    """SeaweedFS with everything bound to loopback; stopped at the end."""
    process = subprocess.Popen(
        weed(folder, base),
        env=weed_environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        _wait_for(f"http://127.0.0.1:{base + SERVERS.index('s3')}/", process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "the S3 server ended"
        try:
            httpx2.get(address)
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the S3 server did not answer within 30 s")


@pytest.fixture
def base(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The first port of an S3 server that is the object store of this test, once it runs."""
    port = free_base()
    monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{port + SERVERS.index('s3')}")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "demeter")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("DEMETER_OBJECT_STORE_URL", "s3://photos/demeter")
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    blobs.store.cache_clear()
    (tmp_path / "s3").mkdir()
    yield port
    blobs.store.cache_clear()


@pytest.mark.timeout(180)
def test_an_outage_of_the_store_loses_nothing(base: int, tmp_path: Path) -> None:
    folder = tmp_path / "s3"
    first, second = encoded(picture(seed=1)), encoded(picture(seed=2))
    with s3(folder, base):
        kept = accept(first)
        _until_stored(kept)
        assert waiting() == 0
    lost_store = accept(second)  # the store is down: the upload is taken all the same
    for _ in range(4):
        with pytest.raises(blobs.ObjectStoreUnavailable):
            blobs.move_to_store(engine(), lost_store)
    with pytest.raises(blobs.ObjectStoreUnavailable, match="next try in"):
        blobs.move_to_store(engine(), lost_store)  # the breaker answers at once
    assert blobs.read(engine(), lost_store) == second
    assert waiting() == 1
    with s3(folder, base):
        blobs.store.cache_clear()
        _until_stored(lost_store)
        assert waiting() == 0
        shutil.rmtree(tmp_path / "home" / "cache")
        assert blobs.read(engine(), kept) == first
        assert blobs.read(engine(), lost_store) == second


def wait_out_an_outage(base: int, home: Path, folder: Path, photos: int, seconds: float) -> None:
    """Photos that only the store has, while it is away; and more of them that come meanwhile."""
    with transaction() as db:
        plant_nursery(db)
    with s3(folder, base):
        for seed in range(photos):
            add(seed)
        jobs.work(["io"], wait=False)
        assert waiting() == 0
    shutil.rmtree(home / "cache", ignore_errors=True)
    with running_worker():
        for seed in range(photos, photos + 2):
            add(seed)
        until(lambda: count("photo_session_images WHERE error_code = 'object_store_unavailable'"))
        time.sleep(seconds)
        assert count("photo_session_images WHERE status = 'failed'") == 0
        with s3(folder, base):
            sessions = "photo_processing_sessions WHERE status IN ('pending', 'processing')"
            until(lambda: not count(sessions))
            until(lambda: not waiting())
    assert count("photo_session_images WHERE status <> 'succeeded'") == 0
    assert count("photo_processing_sessions") == photos + 2
    assert count("photo_processing_sessions WHERE status = 'failed'") == 0
    assert count("procrastinate_jobs WHERE status = 'failed'") == 0


@pytest.mark.timeout(400)
def test_a_short_outage_with_the_cache_lost_is_waited_out(base: int, tmp_path: Path) -> None:
    wait_out_an_outage(base, tmp_path / "home", tmp_path / "s3", photos=1, seconds=2)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_two_minutes_of_outage_with_the_cache_lost_are_waited_out(
    base: int, tmp_path: Path
) -> None:
    wait_out_an_outage(base, tmp_path / "home", tmp_path / "s3", photos=6, seconds=120)


def add(seed: int) -> None:
    body = encoded(picture(128, 96, 100 + seed))
    with transaction() as db:
        photos = intake.inspect_all([intake.Upload("bed.jpg", lambda: body)], read_labels=False)
        intake.add_photos(db, photos, user=user(db), location=location(db, f"A{seed % 2 + 1}"))


@contextmanager
def running_worker() -> Iterator[None]:
    command = [sys.executable, "-m", "demeter", "worker"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def count(rows: str) -> int:
    with transaction() as db:
        return db.execute(text(f"SELECT count(*) FROM {rows}")).scalar_one()


def until(question: Callable[[], object], within_s: float = 300) -> None:
    end = time.monotonic() + within_s
    while not question():
        assert time.monotonic() < end
        time.sleep(0.2)


def accept(body: bytes) -> str:
    with transaction() as db:
        return blobs.accept(db, body, "image/jpeg")


def waiting() -> int:
    with transaction() as db:
        return db.scalar(select(func.count()).select_from(blobs.BlobInbox)) or 0


def _until_stored(sha256: str) -> None:
    """As the job does: again and again, until the store takes it."""
    for _ in range(60):
        try:
            blobs.move_to_store(engine(), sha256)
        except blobs.ObjectStoreUnavailable:
            time.sleep(0.5)
        else:
            return
    pytest.fail("the store did not take the bytes within 30 s")
