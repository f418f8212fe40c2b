"""Kill -9 at any moment: nothing is lost, doubled or stuck. Real processes, real photo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from demeter.core.db import transaction
from demeter.photos import intake
from support.nursery import location, plant_nursery, user

PATIENCE_S = 90


@pytest.fixture
def photo() -> bytes:
    """A drawn bed of a few dozen plants."""
    from demeter.demo import load  # noqa: PLC0415  draws scenes

    return next(load.shots()).upload.read()


@pytest.fixture
def database(fresh_database: str, tmp_path: Path, monkeypatch) -> str:
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path))
    monkeypatch.setenv("DEMETER_WORKER_STALLED_S", "4")
    monkeypatch.setenv("DEMETER_WORKER_HEARTBEAT_S", "1")
    with transaction() as db:
        plant_nursery(db)
    return fresh_database


@contextmanager
def worker(*queues: str) -> Iterator[subprocess.Popen[bytes]]:
    chosen = [word for queue in queues for word in ("--queue", queue)]
    process = subprocess.Popen(
        [sys.executable, "-m", "demeter", "worker", *chosen], env=os.environ | {"NO_COLOR": "1"}
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def until(question: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if question():
            return
        time.sleep(0.05)
    pytest.fail(f"{what}: not within {PATIENCE_S} s")


def add(photo: bytes) -> int:
    with transaction() as db:
        photos = intake.inspect_all([intake.Upload("bed.jpg", lambda: photo)], read_labels=False)
        place = location(db)
        place.framed_whole = True
        (one,) = intake.add_photos(db, photos, user=user(db), location=place)
        return one.session.id


def assert_completed_once(connection: psycopg.Connection, session_id: int) -> None:
    ask = connection.execute
    status, detected, estimated, attempt = ask(
        "SELECT status, total_detected, total_estimated, attempt FROM photo_processing_sessions "
        "WHERE id = %s",
        (session_id,),
    ).fetchone()
    assert (status, attempt) == ("completed", 1)
    stock = ask("SELECT sum(quantity_current), count(*) FROM stock_batches").fetchone()
    moved = ask("SELECT sum(quantity) FROM stock_movements").fetchone()[0]
    assert stock[0] == moved == detected + (estimated or 0)
    assert ask("SELECT count(*) FROM counts").fetchone() == (1,)
    assert ask("SELECT count(*) FROM detections WHERE NOT is_empty_container").fetchone() == (
        detected,
    )
    assert ask(
        "SELECT count(*) FROM storage_bins s WHERE NOT EXISTS "
        "(SELECT FROM container_counts c WHERE c.bin_id = s.bin_id)"
    ).fetchone() == (0,)


def completed(connection: psycopg.Connection, session_id: int) -> Callable[[], bool]:
    def question() -> bool:
        status, told = connection.execute(
            "SELECT status, error_message FROM photo_processing_sessions WHERE id = %s",
            (session_id,),
        ).fetchone()
        assert status not in ("failed", "needs_review"), told
        return status == "completed"

    return question


def doing(connection: psycopg.Connection, task: str) -> Callable[[], object]:
    return lambda: connection.execute(
        "SELECT 1 FROM procrastinate_jobs WHERE task_name = %s AND status = 'doing'", (task,)
    ).fetchone()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_worker_killed_while_it_counts(database: str, photo: bytes) -> None:
    session_id = add(photo)
    with psycopg.connect(database, autocommit=True) as connection:
        with worker() as first:
            until(
                lambda: connection.execute(
                    "SELECT 1 FROM photo_session_images WHERE status = 'processing'"
                ).fetchone(),
                "a child begins",
            )
            kill(first)
        with worker():
            until(completed(connection, session_id), "the session completes")
        assert_completed_once(connection, session_id)


@pytest.mark.timeout(300)
def test_a_worker_killed_before_recording_commits(database: str, photo: bytes) -> None:
    session_id = add(photo)
    with (
        psycopg.connect(database, autocommit=True) as connection,
        psycopg.connect(database) as holder,
    ):
        holder.execute("SELECT 1 FROM storage_locations FOR UPDATE")  # recording waits for it
        with worker() as first:
            until(doing(connection, "ml_aggregation_callback"), "the callback begins")
            until(
                lambda: connection.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                    "AND query LIKE '%%storage_locations%%' AND datname = current_database()"
                ).fetchone(),
                "recording waits for the location",
            )
            kill(first)
        holder.rollback()
        assert connection.execute("SELECT count(*) FROM storage_bins").fetchone() == (0,)
        with worker():
            until(completed(connection, session_id), "the session completes")
        assert_completed_once(connection, session_id)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_worker_killed_after_recording_and_before_its_job_is_done(
    database: str, photo: bytes
) -> None:
    session_id = add(photo)
    with (
        psycopg.connect(database, autocommit=True) as connection,
        psycopg.connect(database) as holder,
        psycopg.connect(database) as gate,
    ):
        gate.execute("SELECT 1 FROM storage_locations FOR UPDATE")
        with worker() as first:
            until(doing(connection, "ml_aggregation_callback"), "the callback begins")
            holder.execute(  # the job's own end waits for this row; recording does not
                "SELECT 1 FROM procrastinate_jobs WHERE task_name = 'ml_aggregation_callback' "
                "FOR UPDATE"
            )
            gate.rollback()
            until(completed(connection, session_id), "recording commits")
            kill(first)
        holder.rollback()
        assert doing(connection, "ml_aggregation_callback")()
        with worker():
            until(
                lambda: (
                    not doing(connection, "ml_aggregation_callback")()
                    and not connection.execute(
                        "SELECT 1 FROM procrastinate_jobs WHERE task_name LIKE 'ml\\_%%' "
                        "AND status IN ('todo', 'doing')"
                    ).fetchone()
                ),
                "the job is done again",
            )
        assert_completed_once(connection, session_id)


@pytest.mark.timeout(120)
def test_a_session_without_a_job_gets_one(database: str, photo: bytes) -> None:
    session_id = add(photo)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'ml_parent_task'")
        connection.execute(
            "ALTER TABLE photo_processing_sessions DISABLE TRIGGER USER;"
            "UPDATE photo_processing_sessions SET updated_at = now() - interval '5 minutes';"
            "ALTER TABLE photo_processing_sessions ENABLE TRIGGER USER"
        )
        with worker():
            until(completed(connection, session_id), "the session completes")
        assert_completed_once(connection, session_id)


@pytest.mark.timeout(120)
def test_a_location_deleted_before_recording_fails_by_name(
    database: str, photo: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    session_id = add(photo)
    with psycopg.connect(database, autocommit=True) as connection:
        (gone,) = connection.execute(
            "SELECT location_id FROM storage_locations WHERE code = 'A1'"
        ).fetchone()
        connection.execute(
            "DELETE FROM storage_location_config WHERE storage_location_id = %s", (gone,)
        )
        connection.execute("DELETE FROM storage_locations WHERE location_id = %s", (gone,))
        with worker():
            until(
                lambda: connection.execute(
                    "SELECT 1 FROM photo_processing_sessions WHERE status = 'failed'"
                ).fetchone(),
                "the session fails",
            )
        reason, message, action = connection.execute(
            "SELECT reason_code, error_message, next_action FROM photo_processing_sessions "
            "WHERE id = %s",
            (session_id,),
        ).fetchone()
        assert reason == "cannot_create_bins"
        assert action
        for told in (message, capfd.readouterr().err):
            assert f"location {gone} (A1)" in told
            assert "LocationGone" in told
        for table in ("storage_bins", "stock_batches", "stock_movements", "counts"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
