"""A photo that keeps failing is set aside, and holds nobody up."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from demeter.core.db import transaction
from demeter.photos import intake
from support.dying_worker import KILLS_WORKERS_PX
from support.nursery import location, plant_nursery, user
from support.pictures import encoded, picture
from support.rows import count, until

UNDER_WAY = "photo_processing_sessions WHERE status IN ('pending', 'processing')"
GOOD = 20


def send(width: int, seed: int) -> None:
    body = encoded(picture(width, 96, seed))
    with transaction() as session:
        photos = intake.inspect_all([intake.Upload("bed.jpg", lambda: body)], read_labels=False)
        place = location(session, f"A{seed % 2 + 1}")
        intake.add_photos(session, photos, user=user(session), location=place)


@contextmanager
def workers_that_die(folder: Path) -> Iterator[list[int]]:
    """A worker, and another as soon as it dies, as `demeter up` does; how each ended."""
    paths = [str(Path(__file__).parents[2] / "src"), str(Path(__file__).parents[1])]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "DEMETER_VISION_THREADS": "1",
        "DEMETER_WORKER_STALLED_S": "4",
        "DEMETER_WORKER_HEARTBEAT_S": "1",
    }
    ends: list[int] = []
    over = threading.Event()

    def keep_one() -> None:
        while not over.is_set():
            with (folder / "log").open("ab") as log:
                words = [sys.executable, "-m", "support.dying_worker"]
                worker = subprocess.Popen(words, env=environment, stderr=log)
            while worker.poll() is None and not over.wait(0.2):
                pass
            if worker.poll() is None:
                worker.terminate()
            ends.append(worker.wait(60))

    keeper = threading.Thread(target=keep_one)
    keeper.start()
    try:
        yield ends
    finally:
        over.set()
        keeper.join()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_photo_that_kills_workers_is_set_aside_beside_twenty_good_ones(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path / "home"))
    with transaction() as session:
        plant_nursery(session)
    send(KILLS_WORKERS_PX, 1)
    for seed in range(GOOD):
        send(128, 10 + seed)
    begin = time.monotonic()
    with workers_that_die(tmp_path) as ends:
        good = "photo_session_images WHERE status = 'succeeded'"
        until(lambda: count(good) == GOOD, within_s=600)
        good_s = time.monotonic() - begin
        still_tried = count(
            "photo_session_images JOIN s3_images USING (image_id) "
            f"WHERE width_px = {KILLS_WORKERS_PX} AND finished_at IS NULL"
        )
        until(lambda: not count(UNDER_WAY), within_s=900)
    sys.stdout.write(f"good ones after {good_s:.0f} s, the bad one after ")
    sys.stdout.write(f"{time.monotonic() - begin:.0f} s\n")
    assert ends.count(-9) == 4
    assert still_tried == 1, f"the good ones waited for it ({good_s:.0f} s)"
    with transaction() as session:
        failed = session.execute(
            text("""
            SELECT i.width_px, m.error_code, f.status, f.reason_code
            FROM photo_session_images m JOIN s3_images i USING (image_id)
            JOIN photo_processing_sessions f ON f.id = m.session_id
            WHERE m.status = 'failed' ORDER BY 1
            """)
        ).all()
    assert [tuple(row) for row in failed] == [
        (KILLS_WORKERS_PX, "worker_died", "needs_review", "no_image_counted"),
    ]
