"""Bytes on their way: no cache, no store, no job; and what of them may stand in no log."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from demeter.core import blob_jobs, blobs
from demeter.core.db import engine, transaction
from demeter.core.localdb import LocalDatabase
from demeter.core.settings import settings
from support.disks import fill, small_disk
from support.pictures import encoded, picture

__all__ = ["small_disk"]

BODY = encoded(picture(seed=5))


@pytest.fixture
def home(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    use_home(place, monkeypatch)
    return place


def use_home(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMETER_HOME", str(place))
    settings.cache_clear()
    blobs.store.cache_clear()


def accept(body: bytes = BODY) -> str:
    with transaction() as session:
        return blobs.accept(session, body, "image/jpeg")


def a_file_in_its_place(home: Path, _: str) -> None:
    (home / "cache").write_text("no directory")


def a_file_in_its_folders_place(home: Path, sha256: str) -> None:
    (home / "cache").mkdir()
    (home / "cache" / sha256[:2]).write_text("no directory")


def a_directory_in_an_entrys_place(home: Path, sha256: str) -> None:
    (home / "cache" / sha256[:2] / sha256).mkdir(parents=True)


def another_entry_in_its_place(home: Path, sha256: str) -> None:
    (home / "cache" / sha256[:2]).mkdir(parents=True)
    (home / "cache" / sha256[:2] / sha256).write_bytes(b"changed")


def a_link_that_leads_nowhere(home: Path, _: str) -> None:
    (home / "cache").symlink_to(home / "gone")


@pytest.mark.parametrize(
    "break_cache",
    [
        a_file_in_its_place,
        a_file_in_its_folders_place,
        a_directory_in_an_entrys_place,
        another_entry_in_its_place,
        a_link_that_leads_nowhere,
    ],
)
def test_a_broken_cache_costs_only_time(
    home: Path, break_cache: Callable[[Path, str], None]
) -> None:
    sha256 = accept()
    break_cache(home, sha256)
    for _ in range(2):
        assert blobs.read(engine(), sha256) == BODY
    blobs.move_to_store(engine(), sha256)
    assert blobs.read(engine(), sha256) == BODY


def test_a_full_disk_of_a_worker_costs_only_time(
    home: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_home(small_disk, monkeypatch)
    filler = fill(small_disk)
    sha256 = accept()
    assert blobs.read(engine(), sha256) == BODY
    with pytest.raises(blobs.ObjectStoreUnavailable):
        blobs.move_to_store(engine(), sha256)  # here the store is a directory of that disk
    assert [p for p in small_disk.rglob("*") if p.is_file()] == [filler]
    filler.unlink()
    blobs.move_to_store(engine(), sha256)
    assert blobs.read(engine(), sha256) == BODY


def test_the_same_bytes_at_the_same_moment_are_kept_once(home: Path) -> None:
    with transaction() as first:
        blobs.accept(first, BODY, "image/jpeg")
        blobs.accept(first, BODY, "image/jpeg")
    accept()
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM blob_inbox")).scalar_one() == 1


def test_bytes_in_the_inbox_without_a_job_get_one(home: Path) -> None:
    sha256 = accept()
    with transaction() as session:
        assert blob_jobs.restart_unstored(session) == 0  # they came just now
        session.execute(text("UPDATE blob_inbox SET created_at = now() - interval '5 minutes'"))
        assert blob_jobs.restart_unstored(session) == 1
        assert blob_jobs.restart_unstored(session) == 0
        job = session.execute(
            text("SELECT queue_name, args ->> 'sha256' FROM procrastinate_jobs")
        ).one()
    assert tuple(job) == ("io", sha256)


def test_no_log_of_postgresql_holds_a_photo(
    new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that logs every statement with its parameters, and one that fails."""
    database = LocalDatabase(new_home, durable=False)
    url = database.ensure_running()
    try:
        with psycopg.connect(url, autocommit=True) as server:
            for setting in (
                "log_min_duration_statement = 0",
                "log_statement = 'all'",
                "log_parameter_max_length = -1",
                "log_parameter_max_length_on_error = -1",
            ):
                server.execute(f"ALTER SYSTEM SET {setting}")
            server.execute("SELECT pg_reload_conf()")
        monkeypatch.setenv("DEMETER_DATABASE_URL", url)
        subprocess.run(
            [sys.executable, "-c", WRITE_AND_FAIL, BODY.hex()],
            env=os.environ | {"DEMETER_HOME": str(new_home)},
            check=True,
            timeout=120,
        )
    finally:
        database.stop()
    logged = "".join(p.read_text(errors="replace") for p in new_home.glob("database/log/*"))
    assert "COPY blob_inbox" in logged
    assert "division by zero" in logged
    beginning = BODY[:40].hex()
    assert beginning not in logged.lower()
    assert "ffd8ff" not in logged.lower()


WRITE_AND_FAIL = """
import sys
from sqlalchemy import text
from sqlalchemy.exc import DataError
from demeter.core import blobs, db
body = bytes.fromhex(sys.argv[1])
db.migrate(db.engine())
with db.transaction() as session:
    blobs.accept(session, body, "image/jpeg")
sha256 = blobs.sha256_of(body)
assert blobs.read(db.engine(), sha256) == body
blobs.move_to_store(db.engine(), sha256)
try:
    with db.transaction() as session:
        blobs.accept(session, body + b"x", "image/jpeg")
        session.execute(text("SELECT 1 / 0"))
except DataError:
    pass
"""


def test_files_are_their_owners_alone_each_by_itself(new_home: Path) -> None:
    """A home that has been used, opened by somebody, and started again."""
    old = new_home / "objects" / "photos"
    old.mkdir(parents=True)
    (old / "old").write_bytes(b"from before")
    for path, mode in ((new_home, 0o755), (old.parent, 0o777), (old, 0o755), (old / "old", 0o644)):
        path.chmod(mode)
    answer = subprocess.run(
        [sys.executable, "-c", USE_HOME],
        env={k: v for k, v in os.environ.items() if k != "DEMETER_DATABASE_URL"}
        | {"DEMETER_HOME": str(new_home)},
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert answer.returncode == 0, answer.stderr
    walked = [path for path in [new_home, *new_home.rglob("*")] if not path.is_symlink()]
    walked = [p for p in walked if "postgresql" not in p.relative_to(new_home).parts[:1]]
    assert {p.name for p in walked} >= {"cache", "objects", "old", "database", ".s.PGSQL.5432"}
    assert sum(path.is_file() for path in (new_home / "cache").rglob("*")) == 1
    assert [str(p) for p in walked if p.stat().st_mode & 0o077] == []
    LocalDatabase(new_home).stop()


USE_HOME = """
import os
os.umask(0o022)
from demeter.app import create_app
from demeter.core import blobs, db, private_files
from demeter.core.settings import settings
create_app()
private_files.close_to_others(settings().home)
db.migrate(db.engine())
with db.transaction() as session:
    sha256 = blobs.accept(session, b"a photo", "image/jpeg")
blobs.read(db.engine(), sha256)
blobs.move_to_store(db.engine(), sha256)
"""
