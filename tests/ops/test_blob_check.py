"""Photos looked at one by one: what is missing, changed or nobody's, each by its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from demeter.core import blobs, db
from demeter.core.db import transaction
from demeter.core.settings import settings
from demeter.ops.blob_check import BlobFault, check_blobs
from support.commands import demeter
from support.nursery import FIXTURES
from support.pictures import encoded, picture

PHOTOS = [encoded(picture(seed=seed)) for seed in range(3)]


@pytest.fixture
def objects(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The object store's folder; an image names the first of three photos and two pictures."""
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path))
    settings.cache_clear()
    blobs.store.cache_clear()
    with transaction() as session:
        session.connection().exec_driver_sql(FIXTURES.read_text())
        hashes = [blobs.accept(session, body, "image/jpeg") for body in PHOTOS]
        keys = [blobs.key_of(sha256) for sha256 in hashes]
        session.execute(
            text("UPDATE s3_images SET sha256 = :a, s3_key_processed = :b, s3_key_thumbnail = :c"),
            {"a": hashes[0], "b": keys[1], "c": keys[2]},
        )
        session.execute(text("DELETE FROM vision_models"))
    for sha256 in hashes:
        blobs.move_to_store(db.engine(), sha256)
    return tmp_path / "objects"


def look(first_prefix: str = "00"):
    return check_blobs(lambda *_: None, first_prefix)


def test_photos_that_are_as_they_were_are_well(objects: Path) -> None:
    findings = look()
    assert (findings.checked, findings.is_sound, findings.named) == (3, True, [])


def test_each_fault_is_named_with_what_it_is_of(objects: Path) -> None:
    original, processed, thumbnail = (blobs.sha256_of(body) for body in PHOTOS)
    (objects / blobs.key_of(original)).unlink()
    (objects / blobs.key_of(processed)).write_bytes(b"other bytes")
    orphan = blobs.sha256_of(b"of nobody")
    blobs.store().put(orphan, b"of nobody")
    findings = look()
    assert sorted(findings.named) == sorted(
        [
            (BlobFault.MISSING, original),
            (BlobFault.CHANGED, processed),
            (BlobFault.ORPHAN, orphan),
        ]
    )
    assert not findings.is_sound
    assert findings.subjects[original] == "photo bed-a2.jpg"
    assert findings.subjects[processed] == "picture of bed-a2.jpg"
    assert thumbnail not in findings.subjects


def test_a_look_goes_on_where_it_stopped(objects: Path) -> None:
    reached: list[str] = []
    last = max(blobs.sha256_of(body) for body in PHOTOS)
    findings = check_blobs(lambda prefix, *_: reached.append(prefix), last[:2])
    assert findings.checked == 1
    assert reached[0] == last[:2]


def test_the_command_fails_by_name_and_orphans_alone_are_no_fault(objects: Path) -> None:
    blobs.store().put(blobs.sha256_of(b"of nobody"), b"of nobody")
    assert f"orphan: {blobs.sha256_of(b'of nobody')}" in demeter("verify", "--deep").stdout
    (objects / blobs.key_of(blobs.sha256_of(PHOTOS[0]))).unlink()
    broken = demeter("verify", "--deep", "--json")
    document = json.loads(broken.stdout)
    assert (document["blobs"]["missing"], document["sound"]) == (1, False)
    assert broken.returncode == 1
    refused = demeter("verify", "--deep", "--from", "zz")
    assert refused.returncode == 1
    assert "00 to ff" in refused.stderr
