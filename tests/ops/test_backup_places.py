"""Backups in a bucket, and backups whose processes are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from demeter.core import blobs, db
from demeter.core.db import transaction
from demeter.ops import restore_mark
from demeter.ops.backup import errors, table_sums
from demeter.ops.backup import restore as way_back
from demeter.ops.backup.place import Bucket, place_of
from demeter.ops.backup.repository import open_repository
from demeter.ops.backup.run import make_backup
from demeter.ops.blob_check import check_blobs
from ops.test_backup import NEW_IMAGE, PHOTOS, empty_database, nursery, sums, use
from support.object_store import endpoint, free_base, s3

__all__ = ["empty_database", "nursery", "use"]
BUCKET = "s3://photos/backups"


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of SeaweedFS on loopback, named by settings of the backups' own."""
    base = free_base()
    options = f'{{"aws_endpoint": "{endpoint(base)}", "aws_region": "us-east-1", '
    options += '"aws_access_key_id": "demeter", "aws_secret_access_key": "secret"}'
    monkeypatch.setenv("DEMETER_BACKUP_STORE_OPTIONS", options)
    (tmp_path / "s3").mkdir()
    with s3(tmp_path / "s3", base):
        yield BUCKET


@pytest.mark.long
def test_a_bucket_keeps_and_gives_back(
    bucket: str, nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    use(backup_passphrase="a long sentence of the nursery")
    first = make_backup(open_repository(place_of(bucket), create=True))
    second = make_backup(open_repository(place_of(bucket)))
    assert (first.new_blobs, second.new_blobs) == (3, 0)
    before = sums(nursery)
    use(home=str(tmp_path / "new"), database_url=empty_database)
    repository = open_repository(place_of(bucket))
    manifest = repository.pick(first.name)
    way_back.check(repository, manifest)
    way_back.restore(repository, manifest)
    assert sums(empty_database) == before
    name = next(iter(Bucket(bucket).sizes("photos")))
    with Bucket(bucket).create(name) as file:
        file.write(b"other bytes")
    with pytest.raises(errors.BackupDamaged, match=name):
        way_back.check(repository, manifest)


def test_a_bucket_that_does_not_answer_is_named(nursery: str, use) -> None:
    use(backup_store_options='{"aws_endpoint": "http://127.0.0.1:9", "aws_region": "us-east-1"}')
    with pytest.raises((errors.BackupPlaceUnusable, errors.BackupNotFound)):
        open_repository(Bucket(BUCKET, retries=0), create=True)


def start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "demeter", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"NO_COLOR": "1"},
    )


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> None:
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)  # and not to what it started: that finds its own end
    process.wait()


@pytest.mark.long
def test_a_killed_backup_leaves_the_former_one_whole(nursery: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    make_backup(open_repository(place_of(str(kept)), create=True))
    for seed in range(6):
        kill_after(start("backup", str(kept)), 1.0 + random.Random(seed).random() * 2)
        repository = open_repository(place_of(str(kept)))
        for name in repository.names():
            way_back.check(repository, repository.manifest(name))
    wait_for_no_backup(nursery)
    assert make_backup(open_repository(place_of(str(kept)))).new_blobs == 0


def wait_for_no_backup(url: str) -> None:
    """The server notices a dead client when it next speaks to it."""
    for _ in range(100):
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "SELECT pg_try_advisory_lock(hashtext('demeter.backup'))"
            ).fetchone()
        if row is not None and row[0]:
            return
        time.sleep(0.1)


@pytest.mark.long
def test_a_killed_restore_leaves_nothing_half_and_says_so(
    nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    kept = tmp_path / "kept"
    make_backup(open_repository(place_of(str(kept)), create=True))
    before = sums(nursery)
    use(home=str(tmp_path / "new"), database_url=empty_database)
    for seed in range(6):
        kill_after(start("restore", str(kept)), 1.0 + random.Random(seed).random() * 2)
        time.sleep(0.5)  # the server rolls back what nobody waits for
        with psycopg.connect(empty_database) as connection:
            tables = table_sums.own_tables(connection)
        if tables:
            assert sums(empty_database) == before
            break
        if (tmp_path / "new" / restore_mark.UNDER_WAY).exists():
            with pytest.raises(restore_mark.RestoreUnfinished):
                restore_mark.require_finished()
    done = start("restore", str(kept), "--replace")
    said = done.communicate(timeout=120)[1]
    assert done.returncode == 0, said
    assert sums(empty_database) == before
    restore_mark.require_finished()
    for body in PHOTOS[:-1]:
        assert blobs.read_checked(blobs.sha256_of(body)) == body


@pytest.mark.long
def test_photos_that_come_meanwhile_are_in_whole_or_not_named(
    nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    """Uploads go on, in and out of the inbox, while backups are made; each restores sound."""
    enough = threading.Event()
    uploads = threading.Thread(target=upload_until, args=(enough,))
    uploads.start()
    try:
        time.sleep(1)
        kept = [
            make_backup(open_repository(place_of(str(tmp_path / "kept")), create=True))
            for _ in range(3)
        ]
    finally:
        enough.set()
        uploads.join()
    counts = [manifest.tables["s3_images"].rows for manifest in kept]
    assert counts == sorted(set(counts))  # more came between each of them
    for number, manifest in enumerate(kept):
        use(home=str(tmp_path / f"new-{number}"), database_url=empty_database)
        repository = open_repository(place_of(str(tmp_path / "kept")))
        way_back.restore(repository, manifest, replace=True)
        findings = check_blobs(lambda *_: None)
        assert findings.is_sound, findings.named
        assert findings.checked == manifest.blob_count


def upload_until(enough: threading.Event) -> None:
    while not enough.is_set():
        body = os.urandom(20_000)
        with transaction() as session:
            sha256 = blobs.accept(session, body, "image/jpeg")
            session.execute(NEW_IMAGE, {"sha256": sha256, "key": blobs.key_of(sha256)})
        blobs.move_to_store(db.engine(), sha256)
