"""A restore is killed at each of its steps: the old state is whole, and it can be run again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from demeter.core import blobs, db
from demeter.core.db import transaction
from demeter.ops import restore_mark
from demeter.ops.backup import restore as way_back
from demeter.ops.backup.place import place_of
from demeter.ops.backup.repository import open_repository
from ops.test_backup import PHOTOS, bring, empty_database, keep, name_photos, nursery, sums, use
from ops.test_backup_places import wait_for_no_backup
from support.commands import demeter

__all__ = ["empty_database", "nursery", "use"]
MANY = [bytes([number]) * 400_000 for number in range(60)]
# What PostgreSQL does for the restore now, and whether its transaction has written something.
WRITER = """
SELECT query FROM pg_stat_activity
WHERE application_name = 'psql' AND datname = current_database() AND backend_xid IS NOT NULL
"""


def start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "demeter", *words],
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class Place:
    """A backup, a database that went on since, and a new home to bring the backup into."""

    def __init__(self, url: str, kept: Path, home: Path) -> None:
        self.url, self.kept, self.home = url, kept, home
        self.manifest = open_repository(place_of(str(kept))).pick(None)
        self.old = sums(url)

    def start(self) -> subprocess.Popen[bytes]:
        return start("restore", str(self.kept), "--replace")

    def objects(self) -> int:
        """Whole ones: a kill amid a write leaves a part of the file beside, by another name."""
        files = (self.home / "objects").rglob("*")
        return sum(file.is_file() and len(file.name) == 64 for file in files)

    def in_hand(self) -> str:
        with psycopg.connect(self.url) as connection:
            return " ".join(row[0] for row in connection.execute(WRITER))

    def require_old(self) -> None:
        wait_for_no_backup(self.url)
        wait_until(lambda: not self.in_hand())  # psql finds the end of its input
        assert sums(self.url) == self.old
        assert restore_mark.names(self.manifest.name, str(self.kept))
        with pytest.raises(restore_mark.RestoreUnfinished):
            restore_mark.require_finished()

    def require_restored(self) -> None:
        again = demeter("restore", str(self.kept), "--replace")
        assert again.returncode == 0, again.stderr
        assert sums(self.url) == self.manifest.tables
        assert self.objects() == self.manifest.blob_count
        restore_mark.require_finished()


@pytest.fixture
def place(nursery: str, tmp_path: Path, use) -> Place:
    with transaction() as session:
        hashes = [blobs.accept(session, body, "image/jpeg") for body in MANY]
        name_photos(session, [blobs.sha256_of(b) for b in PHOTOS[:2]] + hashes)
    for sha256 in hashes:
        blobs.move_to_store(db.engine(), sha256)
    keep(tmp_path / "kept")
    with transaction() as session:
        session.execute(text("UPDATE warehouses SET name = 'since the backup'"))
    use(home=str(tmp_path / "new"))
    return Place(nursery, tmp_path / "kept", tmp_path / "new")


def wait_until(condition: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def strike(process: subprocess.Popen[bytes], condition: Callable[[], object]) -> None:
    """Kill it where the condition holds; it had not come to its end."""
    wait_until(lambda: condition() or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.long
@pytest.mark.timeout(600)
def test_killed_at_each_step_before_the_commit(place: Place) -> None:
    mark = place.home / restore_mark.UNDER_WAY
    strike(place.start(), mark.exists)
    assert place.objects() == 0  # nothing was brought yet
    place.require_old()
    strike(place.start(), lambda: place.objects() > 0)
    assert 0 < place.objects() < place.manifest.blob_count  # amid the photos
    place.require_old()
    for words in ("COPY public.", "CREATE INDEX", "ALTER TABLE"):
        seen: list[str] = []

        def is_there(words: str = words, seen: list[str] = seen) -> bool:
            query = place.in_hand()
            seen.append(query)
            return words in query

        strike(place.start(), is_there)
        assert words in seen[-1]  # in its transaction, with rows that nobody else sees yet
        place.require_old()
    place.require_restored()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_killed_while_it_drops_what_was_there(place: Place) -> None:
    """It waits for a reader's lock amid its drops, is killed, and nothing of them is done."""
    with psycopg.connect(place.url) as reader:
        reader.execute("SELECT count(*) FROM warehouses")
        process = place.start()
        strike(process, lambda: "DROP" in place.in_hand())
    place.require_old()
    place.require_restored()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_its_psql_and_its_backend_die(place: Place) -> None:
    repository = open_repository(place_of(str(place.kept)))
    process = place.start()
    wait_until(lambda: "COPY" in place.in_hand() or process.poll() is not None)
    with psycopg.connect(place.url, autocommit=True) as other:
        killed = other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'psql' AND datname = current_database()"
        ).fetchall()
    assert killed == [(True,)]
    assert process.wait() == 1  # it says so itself
    place.require_old()
    way_back.check(repository, place.manifest)
    place.require_restored()


def test_killed_after_the_commit_the_same_command_ends_it(
    nursery: str, empty_database: str, tmp_path: Path, use, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --replace, too: what is in the database is the backup, to the row."""
    keep(tmp_path / "kept")
    use(home=str(tmp_path / "new"), database_url=empty_database)

    def die() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(restore_mark, "end", die)
        with pytest.raises(KeyboardInterrupt):
            bring(tmp_path / "kept")
    with pytest.raises(restore_mark.RestoreUnfinished):
        restore_mark.require_finished()
    bring(tmp_path / "kept")
    restore_mark.require_finished()
    restored = sums(empty_database)
    assert restored == sums(nursery)
    with pytest.raises(way_back.HomeNotEmpty):  # only to end what was begun
        bring(tmp_path / "kept")


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_newer_backup_that_is_killed_leaves_the_former_whole(
    nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    kept = tmp_path / "kept"
    former = keep(kept)
    with transaction() as session:
        hashes = [blobs.accept(session, body, "image/jpeg") for body in MANY]
        name_photos(session, [blobs.sha256_of(b) for b in PHOTOS[:2]] + hashes)
    for sha256 in hashes:
        blobs.move_to_store(db.engine(), sha256)
    before = sum(file.is_file() for file in (kept / "photos").rglob("*"))

    def sent() -> int:
        return sum(file.is_file() for file in (kept / "photos").rglob("*")) - before

    strike(start("backup", str(kept)), lambda: sent() > 3)
    assert 0 < sent() < len(MANY)  # amid the photos
    assert open_repository(place_of(str(kept))).names() == [former.name]
    wait_for_no_backup(nursery)
    newer = keep(kept)
    assert 0 < newer.new_blobs < len(MANY)
    use(home=str(tmp_path / "new"), database_url=empty_database)
    bring(kept, former.name)
    assert sums(empty_database) == former.tables
    bring(kept, newer.name, replace=True)
    assert sums(empty_database) == newer.tables
