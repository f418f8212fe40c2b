"""Accepted is safe: a real S3 server that comes, goes and comes back, on loopback."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from demeter.core import blobs, jobs
from demeter.core.db import engine, transaction
from demeter.photos import intake
from support.nursery import location, plant_nursery, user
from support.object_store import base, s3
from support.pictures import encoded, picture
from support.rows import count, until

assert base  # pytest finds the fixture by its name here


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
