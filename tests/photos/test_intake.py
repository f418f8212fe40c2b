"""Intake: content decides, nothing half-made stays, the same photo is one session."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import segno
from PIL import Image as Pillow
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from demeter.core import blobs
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.pixels import errors, files
from demeter.core.settings import settings
from demeter.photos import exif, intake, location_guess
from demeter.photos.models import (
    CapturedAtSource,
    Image,
    PhotoSession,
    SessionImage,
    SessionStatus,
)
from support.nursery import location, plant_nursery, user
from support.pictures import bomb, encoded, picture
from support.pictures import exif as made_exif

NOW = datetime.now(UTC)


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    return session


def upload(body: bytes, name: str = "bed.jpg") -> intake.Upload:
    return intake.Upload(name, lambda: body)


def add(db: Session, *bodies: bytes, code: str | None = "A1", **facts) -> list[intake.Accepted]:
    photos = intake.inspect_all(
        [upload(b, f"{i}.jpg") for i, b in enumerate(bodies)], read_labels=code is None
    )
    place = location(db, code) if code else None
    return intake.add_photos(db, photos, user=user(db), location=place, **facts)


def jobs(db: Session, task: str) -> int:
    return db.execute(
        text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :task"), {"task": task}
    ).scalar_one()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_each_kind_of_photo_is_taken_whatever_its_name(db: Session, kind: str) -> None:
    (one,) = add(db, encoded(picture(), kind))
    image = db.get_one(Image, one.session.original_image_id)
    assert image.content_type == f"image/{kind.lower()}"
    assert (image.width_px, image.height_px) == (320, 240)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"these are words, not pixels", errors.NotAPhoto),
        (b"", errors.NotAPhoto),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", errors.NotAPhoto),
        (encoded(picture())[:3000], errors.PhotoTruncated),
        (encoded(picture(), "PNG")[:3000], errors.PhotoTruncated),
        (encoded(Pillow.new("RGB", (1, 1))), errors.PhotoTooSmall),
        (bomb(), errors.PhotoTooLarge),
    ],
    ids=["text", "nothing", "svg", "half a JPEG", "half a PNG", "one pixel", "bomb"],
)
def test_what_is_no_photo_is_refused_by_name_and_leaves_nothing(
    db: Session, body: bytes, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal, match=r"1\.jpg"):
        add(db, encoded(picture()), body)
    for table in (PhotoSession, Image, SessionImage, blobs.BlobInbox):
        assert db.scalar(select(func.count()).select_from(table)) == 0


def test_too_many_bytes_are_refused_with_the_numbers(monkeypatch, db: Session) -> None:
    monkeypatch.setattr(settings(), "max_photo_bytes", 1000)
    with pytest.raises(errors.PhotoTooLarge, match="at most 1,000"):
        add(db, encoded(picture()))


@pytest.mark.parametrize("count", [0, 101])
def test_an_upload_has_one_to_a_hundred_photos(db: Session, count: int) -> None:
    with pytest.raises((intake.NoPhotos, intake.TooManyPhotos)):
        add(db, *([encoded(picture())] * count))


def test_session_images_bytes_and_jobs_are_one_transaction(db: Session) -> None:
    body = encoded(picture())
    (one,) = add(db, body)
    assert one.is_new
    assert one.session.status is SessionStatus.PENDING
    assert db.scalar(select(blobs.BlobInbox.body)) == body
    assert (jobs(db, "ml_parent_task"), jobs(db, "store_blob")) == (1, 1)
    db.rollback()
    assert (jobs(db, "ml_parent_task"), jobs(db, "store_blob")) == (0, 0)


def test_the_same_photo_again_answers_the_first_session(db: Session) -> None:
    (first,) = add(db, encoded(picture()))
    (again,) = add(db, encoded(picture()))
    assert (again.session.id, again.is_new) == (first.session.id, False)
    assert jobs(db, "ml_parent_task") == 1


def test_the_same_photo_of_another_bed_is_another_session(db: Session) -> None:
    (first,) = add(db, encoded(picture()))
    (other,) = add(db, encoded(picture()), code="A2")
    assert other.is_new
    assert other.session.id != first.session.id


def test_one_photo_twice_in_an_upload_is_one_image(db: Session) -> None:
    (one,) = add(db, encoded(picture()), encoded(picture()))
    assert len(one.session.images) == 1
    assert one.session.warnings == [
        {"code": "same_photo", "params": {"name": "1.jpg", "first": "0.jpg"}}
    ]


def test_twenty_uploads_at_once_are_one_session(fresh_database: str) -> None:
    with transaction() as db:
        plant_nursery(db)
    body = encoded(picture())
    photos = intake.inspect_all([upload(body)], read_labels=False)
    seen: list[int] = []
    start = threading.Barrier(20)

    def one() -> None:
        start.wait()
        with transaction() as db:
            answer = intake.add_photos(db, photos, user=user(db), location=location(db))
            seen.append(answer[0].session.id)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(seen) == 20
    assert len(set(seen)) == 1
    with transaction() as db:
        assert jobs(db, "ml_parent_task") == 1


def test_orientation_is_applied_and_size_is_of_the_upright_image() -> None:
    lying = picture(320, 240)
    body = encoded(lying, exif=made_exif(orientation=6))
    rgb, facts = files.read_pixels(body, "turned.jpg")
    assert (facts.width_px, facts.height_px, facts.is_turned) == (240, 320, True)
    upright = np.asarray(lying.transpose(Pillow.Transpose.ROTATE_270), dtype=int)
    assert np.abs(rgb.astype(int) - upright).mean() < 8


@pytest.mark.parametrize(
    ("tags", "source", "expected"),
    [
        (made_exif("{recent}", "+00:00"), CapturedAtSource.EXIF, "recent"),
        (made_exif("2020:01:01 10:00:00"), CapturedAtSource.RECEIVED, "now"),
        (made_exif("2999:01:01 10:00:00"), CapturedAtSource.RECEIVED, "now"),
        (made_exif("not a time"), CapturedAtSource.RECEIVED, "now"),
        (made_exif(), CapturedAtSource.RECEIVED, "now"),
    ],
    ids=["recent", "old", "future", "nonsense", "none"],
)
def test_when_a_photo_was_taken(db: Session, tags, source, expected) -> None:
    recent = NOW - timedelta(days=2)
    block = tags.get_ifd(34665)
    if block.get(36867) == "{recent}":
        block[36867] = f"{recent:%Y:%m:%d %H:%M:%S}"
    (one,) = add(db, encoded(picture(), exif=tags))
    assert one.session.captured_at_source is source
    wanted = recent if expected == "recent" else datetime.now(UTC)
    assert abs(one.session.captured_at - wanted) < timedelta(minutes=2)
    suspect = expected == "now" and block.get(36867) is not None
    assert bool(one.session.warnings) is suspect


def test_a_time_without_offset_is_the_sites() -> None:
    body = encoded(picture(), exif=made_exif("2026:03:02 09:00:00"))
    tags = files.read_facts(body, "x", codes=False).tags
    mendoza = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # UTC−3
    assert exif.camera_time(tags).at == mendoza


def test_the_persons_word_goes_before_the_cameras(db: Session) -> None:
    chosen = NOW - timedelta(days=200)
    (one,) = add(db, encoded(picture(), exif=made_exif("2020:01:01 10:00:00")), captured_at=chosen)
    assert (one.session.captured_at, one.session.captured_at_source) == (
        chosen,
        CapturedAtSource.PERSON,
    )
    assert one.session.warnings == []


def test_a_photo_from_tomorrow_is_refused(db: Session) -> None:
    with pytest.raises(intake.CapturedInFuture):
        add(db, encoded(picture()), captured_at=NOW + timedelta(days=1))


def label(text_: str, scale: int) -> bytes:
    """A QR label on a photo of 800 by 600."""
    base = picture(800, 600, seed=3)
    matrix = np.array([list(row) for row in segno.make(text_).matrix_iter(border=4)])
    code = Pillow.fromarray(((1 - matrix) * 255).astype(np.uint8)).convert("RGB")
    base.paste(code.resize((code.width * scale, code.height * scale), 0), (20, 20))
    return encoded(base, "PNG")


def test_a_label_in_the_photo_names_its_location(db: Session) -> None:
    location(db, "A2").qr_code = "DEMETER:A2"
    db.flush()
    (one,) = add(db, label("DEMETER:A2", 3), code=None)
    assert one.session.requested_location_code == "A2"


def test_a_label_shot_alone_names_the_photos_after_it(db: Session) -> None:
    location(db, "A1").qr_code, location(db, "A2").qr_code = "DEMETER:A1", "DEMETER:A2"
    db.flush()
    beds = [encoded(picture(seed=n)) for n in range(3)]
    shots = [label("DEMETER:A1", 12), beds[0], label("DEMETER:A2", 12), beds[1], beds[2]]
    answers = add(db, *shots, code=None)
    found = {a.session.requested_location_code: len(a.session.images) for a in answers}
    assert found == {"A1": 1, "A2": 2}


def test_without_label_or_place_the_session_waits_for_a_location(db: Session) -> None:
    (one,) = add(db, encoded(picture()), code=None)
    assert one.session.status is SessionStatus.NEEDS_LOCATION
    assert (one.session.reason_code, bool(one.session.next_action)) == ("location_unknown", True)
    assert jobs(db, "ml_parent_task") == 0


def test_gps_decides_only_when_its_circle_meets_one_location(db: Session) -> None:
    inside = encoded(picture(), exif=made_exif(at=(5.0, 55.0)))
    (one,) = add(db, inside, code=None)
    assert one.session.requested_location_code == "A1"
    between = encoded(picture(seed=1), exif=made_exif(at=(10.0, 55.0)))
    (other,) = add(db, between, code=None)
    assert other.session.status is SessionStatus.NEEDS_LOCATION
    at = exif.Position(10.0, 55.0, 10.0)
    assert [s.code for s in location_guess.suggestions(db, at)] == ["A1", "A2"]


@pytest.mark.parametrize("code", ["NOPE", "a1", ""])
def test_a_location_that_is_not_there_is_named(db: Session, code: str) -> None:
    with pytest.raises(location_guess.LocationNotFound, match=repr(code)):
        location_guess.by_code(db, code)


def test_accepted_bytes_move_to_the_store_and_are_found_everywhere(
    fresh_database: str, monkeypatch, tmp_path
) -> None:
    from demeter.core.db import engine  # noqa: PLC0415  the fixture sets which

    monkeypatch.setattr(blobs.settings(), "home", tmp_path)
    blobs.store.cache_clear()
    body = encoded(picture())
    with transaction() as db:
        sha256 = blobs.accept(db, body, "image/jpeg")
    assert blobs.read(engine(), sha256) == body
    blobs.move_to_store(engine(), sha256)
    blobs.move_to_store(engine(), sha256)
    with transaction() as db:
        assert db.scalar(select(func.count()).select_from(blobs.BlobInbox)) == 0
    for cached in (tmp_path / "cache").rglob("*"):
        if cached.is_file():
            cached.unlink()
    assert blobs.read(engine(), sha256) == body
    stored = tmp_path / "objects" / blobs.key_of(sha256)
    stored.write_bytes(b"something else")
    for cached in (tmp_path / "cache").rglob("*"):
        if cached.is_file():
            cached.write_bytes(b"rotten")
    with pytest.raises(blobs.BlobCorrupt):
        blobs.read(engine(), sha256)
    stored.unlink()
    with pytest.raises(blobs.BlobMissing):
        blobs.read(engine(), sha256)
    blobs.store.cache_clear()
