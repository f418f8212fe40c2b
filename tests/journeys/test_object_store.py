"""Accepted is safe: a real S3 server that comes, goes and comes back, on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

from demeter.core import blobs
from demeter.core.db import engine, transaction
from demeter.core.settings import settings
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


@contextmanager
def s3(folder: Path, base: int) -> Iterator[None]:
    """SeaweedFS with everything bound to loopback; stopped at the end."""
    ports = [f"-{name}.port={base + n}" for n, name in enumerate(SERVERS)]
    quiet = ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    bound = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"]
    process = subprocess.Popen(
        [WEED, "mini", f"-dir={folder}", "-bucket=photos", *bound, *ports, *quiet],
        env={
            "AWS_ACCESS_KEY_ID": "demeter",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "HOME": str(folder),
        },
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


@pytest.mark.timeout(180)
def test_an_outage_of_the_store_loses_nothing(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = free_base()
    monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{base + SERVERS.index('s3')}")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "demeter")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("DEMETER_OBJECT_STORE_URL", "s3://photos/demeter")
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    blobs.store.cache_clear()
    folder = tmp_path / "s3"
    folder.mkdir()
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
    settings.cache_clear()
    blobs.store.cache_clear()


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
