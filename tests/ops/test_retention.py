"""Photos that the settings no longer keep: what goes, what stays, and what comes again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.accounts import audit
from demeter.core import blob_jobs, blobs, db
from demeter.core.blob_drops import DroppedKind, PhotoDropped
from demeter.core.db import transaction
from demeter.core.settings import settings
from demeter.ops.backup.errors import BackupUnderWay
from demeter.ops.backup.run import alone, no_progress
from demeter.ops.blob_check import BlobFault, check_blobs
from demeter.ops.retention import dropping
from demeter.ops.retention.dropping import let_go_of_due, mark_dropped, remove
from demeter.ops.retention.rules import due_contents, rules_of
from ops.test_backup import NEW_IMAGE, PHOTOS, bring, empty_database, keep, nursery, use
from support.commands import demeter
from support.served import client, jpeg, record_answers, send, upload_session

__all__ = ["client", "empty_database", "nursery", "use"]
OVERLAY = b"a drawn picture"
PROPOSED = "UPDATE periods SET status = 'proposed', closed_at = NULL, proposed_by_user_id = 1"
CORRECTED = "UPDATE container_counts SET human_corrected = 3, corrected_by_user_id = 1"
SESSIONS = "UPDATE photo_processing_sessions SET"
SAMPLES = """
INSERT INTO product_sample_images (product_id, image_id, sample_type)
SELECT p.id, i.image_id, 'reference' FROM s3_images i, (SELECT id FROM products LIMIT 1) p
"""


@pytest.fixture
def old(nursery: str, use) -> Iterator[str]:
    """A recorded photo of long ago with its drawn picture, its month closed; rules are set."""
    use(photo_keep_days="400", overlay_keep_days="90", retention_hour="4")
    with transaction() as session:
        overlay = blobs.accept(session, OVERLAY, "image/webp")
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("DELETE FROM product_sample_images"))
        session.execute(
            text("UPDATE s3_images SET s3_key_processed = :key WHERE sha256 = :sha256"),
            {"key": blobs.key_of(overlay), "sha256": photo()},
        )
        session.execute(text("DELETE FROM detection_corrections"))
        session.execute(text("UPDATE container_counts SET human_corrected = NULL"))
        close_month(session)
    blobs.move_to_store(db.engine(), overlay)
    blobs.store().remove(blobs.sha256_of(PHOTOS[1]))  # the picture that was drawn before
    grow_old()
    yield nursery
    blobs.store.cache_clear()


def photo() -> str:
    return blobs.sha256_of(PHOTOS[0])


def drawn() -> str:
    return blobs.sha256_of(OVERLAY)


def close_month(session) -> None:
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(
        text("""
        INSERT INTO periods (code, boundary_at, grace_hours, status, closed_at, closed_by_user_id)
        SELECT '2031-04', '2026-05-01 03:00+00', 72, 'closed', now(), min(id) FROM users
        """)
    )
    session.execute(
        text(
            "UPDATE periods SET status = 'closed', closed_at = now(), "
            "closed_by_user_id = (SELECT min(id) FROM users)"
        )
    )


def grow_old(days: int = 500) -> None:
    """All that came before now came so many days earlier; triggers sleep meanwhile."""
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for table, columns in (
            ("s3_images", ("created_at", "updated_at")),
            ("photo_processing_sessions", ("created_at", "captured_at", "posted_at")),
            ("periods", ("boundary_at",)),
        ):
            moved = ", ".join(f"{c} = {c} - make_interval(days => :days)" for c in columns)
            session.execute(text(f"UPDATE {table} SET {moved}"), {"days": days})


def due(kind: DroppedKind) -> list[str]:
    rule = next(r for r in rules_of(settings()) if r.kind is kind)
    with transaction() as session:
        return [content.sha256 for content in due_contents(session, rule)]


def change(statement: str) -> None:
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))


def dropped_row(sha256: str) -> Any:
    with transaction() as session:
        return session.execute(
            text("SELECT * FROM dropped_blobs WHERE sha256 = :sha256"), {"sha256": sha256}
        ).one_or_none()


def test_without_settings_nothing_goes(old: str, use) -> None:
    use(photo_keep_days=None, overlay_keep_days=None)
    assert rules_of(settings()) == []
    assert let_go_of_due(no_progress).photos == 0
    assert "Everything is kept" in demeter("retention").stdout
    assert blobs.read_checked(photo()) == PHOTOS[0]


def test_what_is_due_goes_and_is_written_down(old: str, use) -> None:
    audit.install()
    run = let_go_of_due(no_progress)
    assert (run.photos, run.overlays) == (1, 1)
    assert run.freed_bytes == len(PHOTOS[0]) + len(OVERLAY)
    for sha256, kind, rule in (
        (photo(), "photo", "photo_keep_days=400 photo_keep_truth=true"),
        (drawn(), "overlay", "overlay_keep_days=90"),
    ):
        row = dropped_row(sha256)
        assert (row.kind, row.rule, row.retention_run_id) == (kind, rule, run.id)
        assert row.removed_at > row.dropped_at
        assert blobs.store().size(sha256) is None
        with pytest.raises(PhotoDropped, match="no longer kept since"):
            blobs.read(db.engine(), sha256)
    with transaction() as session:
        entries = session.execute(
            text(
                "SELECT act, after FROM audit_entries WHERE subject = 'retention_runs' ORDER BY id"
            )
        ).all()
    assert [entry.act for entry in entries] == ["insert", "update"]
    assert entries[1].after["photos"] == 1
    assert let_go_of_due(no_progress).photos == 0  # again is nothing
    listed = demeter("retention", "--list").stdout
    assert photo() in listed
    assert "photo_keep_days=400" in listed


def test_a_dry_run_lists_and_removes_nothing(old: str) -> None:
    answer = demeter("retention", "--dry-run")
    assert photo() in answer.stdout
    assert drawn() in answer.stdout
    assert "1 of kind overlay, 1 of kind photo" in answer.stdout
    assert blobs.store().size(photo()) is not None
    assert dropped_row(photo()) is None


@pytest.mark.parametrize(
    ("statement", "overlay_goes"),
    [
        (f"{SESSIONS} status = 'needs_review', reason_code = 'x', next_action = 'x'", False),
        ("UPDATE photo_processing_sessions SET status = 'processing'", False),
        ("UPDATE photo_processing_sessions SET posted_at = now()", False),
        ("UPDATE s3_images SET updated_at = now()", False),
        ("UPDATE periods SET status = 'open', closed_at = NULL", True),
        (PROPOSED, True),
        ("DELETE FROM period_closings; DELETE FROM period_events; DELETE FROM periods", True),
        ("UPDATE photo_processing_sessions SET validated = true", True),
        (CORRECTED, True),
        (SAMPLES, True),
        ("DELETE FROM photo_session_images", False),
    ],
)  # fmt: skip
def test_what_is_needed_stays(old: str, statement: str, overlay_goes: bool) -> None:
    assert due(DroppedKind.PHOTO) == [photo()]
    for part in statement.split("; "):
        change(part)
    assert due(DroppedKind.PHOTO) == []
    assert due(DroppedKind.OVERLAY) == ([drawn()] if overlay_goes else [])


def test_what_people_marked_goes_only_if_a_setting_says_so(old: str, use) -> None:
    change("UPDATE photo_processing_sessions SET validated = true")
    assert due(DroppedKind.PHOTO) == []
    use(photo_keep_truth="false")
    assert due(DroppedKind.PHOTO) == [photo()]


def test_a_discarded_session_lets_its_photo_go(old: str) -> None:
    change(
        "UPDATE photo_processing_sessions SET status = 'discarded', posted_at = NULL, "
        "reason_code = 'discarded', next_action = 'x'"
    )
    assert due(DroppedKind.PHOTO) == [photo()]


def test_bytes_that_another_photo_needs_stay(old: str) -> None:
    with transaction() as session:  # the same photo, sent for another bed a moment ago
        session.execute(NEW_IMAGE, {"sha256": photo(), "key": blobs.key_of(photo())})
    assert due(DroppedKind.PHOTO) == []
    with transaction() as session:  # the drawn picture of another photo was sent as a photo
        session.execute(NEW_IMAGE, {"sha256": drawn(), "key": blobs.key_of(drawn())})
    assert due(DroppedKind.OVERLAY) == []


def test_no_backup_misses_what_retention_takes(
    old: str, empty_database: str, use, tmp_path
) -> None:
    before = keep(tmp_path / "kept")
    with alone(), pytest.raises(BackupUnderWay):
        let_go_of_due(no_progress)
    let_go_of_due(no_progress)
    after = keep(tmp_path / "kept")
    assert after.missing == []
    assert after.blob_count == before.blob_count - 2
    findings = check_blobs(no_progress)
    assert findings.is_sound
    assert not findings.counts
    use(home=str(tmp_path / "elsewhere"), database_url=empty_database)
    bring(tmp_path / "kept")
    assert check_blobs(no_progress).is_sound
    with pytest.raises(PhotoDropped):
        blobs.read(db.engine(), photo())
    bring(tmp_path / "kept", before.name, replace=True)  # the older one still has the photo
    assert blobs.read(db.engine(), photo()) == PHOTOS[0]
    assert check_blobs(no_progress).is_sound


def test_a_run_that_was_cut_off_is_ended_by_the_next(old: str, monkeypatch) -> None:
    def die(sha256: str) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(dropping, "remove", die)
        with pytest.raises(KeyboardInterrupt):
            let_go_of_due(no_progress)
    row = dropped_row(drawn())
    assert row.removed_at is None  # said, and not done yet
    findings = check_blobs(no_progress)
    assert findings.is_sound
    assert findings.counts == {BlobFault.LEFTOVER: 1}
    let_go_of_due(no_progress)
    assert dropped_row(drawn()).removed_at is not None
    assert not check_blobs(no_progress).counts


def test_an_object_store_that_is_away_leaves_the_rest_for_later(old: str, use, tmp_path) -> None:
    use(object_store_url="http://127.0.0.1:9/nowhere")
    with pytest.raises(blobs.ObjectStoreUnavailable):
        let_go_of_due(no_progress)
    with transaction() as session:
        failure = session.scalar(text("SELECT failure FROM retention_runs ORDER BY id DESC"))
    assert failure["params"]["code"] == "object_store_unavailable"
    use(object_store_url=None)
    assert let_go_of_due(no_progress).photos == 1
    assert blobs.store().size(drawn()) is None


def rule_and_run():
    rule = next(r for r in rules_of(settings()) if r.kind is DroppedKind.PHOTO)
    with transaction() as session:
        return rule, session.scalar(
            text("INSERT INTO retention_runs (rules) VALUES ('{}') RETURNING id")
        )


def test_an_upload_that_is_not_over_is_waited_for_and_keeps_the_photo(old: str) -> None:
    rule, run_id = rule_and_run()
    answers: list[bool] = []
    dropper = threading.Thread(
        target=lambda: answers.append(mark_dropped(photo(), rule, run_id)), daemon=True
    )
    with transaction() as session:
        blobs.accept(session, PHOTOS[0], "image/jpeg")
        dropper.start()
        dropper.join(0.5)
        assert dropper.is_alive()  # it waits for the upload's end
    dropper.join(10)
    assert answers == [False]
    blob_jobs.store_blob(photo())
    assert blobs.read_checked(photo()) == PHOTOS[0]


def test_an_upload_between_the_row_and_the_bytes_keeps_the_photo(old: str) -> None:
    rule, run_id = rule_and_run()
    assert mark_dropped(photo(), rule, run_id)
    with transaction() as session:
        blobs.accept(session, PHOTOS[0], "image/jpeg")
    assert remove(photo()) == 0
    assert dropped_row(photo()).returned_at is not None
    blobs.move_to_store(db.engine(), photo())
    assert blobs.read_checked(photo()) == PHOTOS[0]


def test_an_upload_waits_for_a_removal_and_brings_the_photo_back(old: str) -> None:
    rule, run_id = rule_and_run()
    assert mark_dropped(photo(), rule, run_id)

    def upload() -> None:
        with transaction() as session:
            blobs.accept(session, PHOTOS[0], "image/jpeg")

    uploader = threading.Thread(target=upload, daemon=True)
    with psycopg.connect(old) as other:  # a removal in hand
        other.execute(
            "SELECT pg_advisory_xact_lock(hashtext('demeter.blob'), hashtext(%s))", [photo()]
        )
        uploader.start()
        uploader.join(0.5)
        assert uploader.is_alive()
        blobs.let_go(photo())
    uploader.join(10)
    blobs.move_to_store(db.engine(), photo())
    assert blobs.read_checked(photo()) == PHOTOS[0]


def test_a_photo_that_came_again_lies_in_two_places_for_an_hour(old: str) -> None:
    """A removal that lost its lock may still be under way: it takes the object, not the photo."""
    let_go_of_due(no_progress)
    with transaction() as session:
        blobs.accept(session, PHOTOS[0], "image/jpeg")
    blobs.move_to_store(db.engine(), photo())
    blobs.store().remove(photo())  # the process that woke up late
    assert blobs.read(db.engine(), photo()) == PHOTOS[0]
    with transaction() as session:
        assert blob_jobs.restart_unstored(session) == 0  # young
    change("UPDATE dropped_blobs SET returned_at = returned_at - interval '2 hours'")
    change("UPDATE blob_inbox SET created_at = created_at - interval '2 hours'")
    with transaction() as session:
        assert blob_jobs.restart_unstored(session) >= 1
    blobs.move_to_store(db.engine(), photo())
    assert blobs.read_checked(photo()) == PHOTOS[0]
    with transaction() as session:
        waiting = session.scalars(text("SELECT sha256 FROM blob_inbox")).all()
    assert photo() not in waiting


def test_uploads_against_drops_lose_no_photo(old: str) -> None:
    """Both at once, many times: what an upload said was accepted is there at the end."""
    rule, run_id = rule_and_run()
    stop = threading.Event()
    drops: list[bool] = []

    def drop() -> None:
        while not stop.is_set():
            if mark_dropped(photo(), rule, run_id):
                drops.append(True)
                remove(photo())

    dropper = threading.Thread(target=drop, daemon=True)
    dropper.start()
    try:
        for _ in range(30):
            with transaction() as session:
                blobs.accept(session, PHOTOS[0], "image/jpeg")
                session.execute(text("UPDATE s3_images SET updated_at = now()"))
            blobs.move_to_store(db.engine(), photo())
            assert blobs.read(db.engine(), photo()) == PHOTOS[0]
            change("UPDATE s3_images SET updated_at = created_at")  # it is old again
            change("UPDATE dropped_blobs SET returned_at = returned_at - interval '2 hours'")
            blobs.move_to_store(db.engine(), photo())
    finally:
        stop.set()
        dropper.join(10)
    assert drops


def recorded(client: TestClient) -> tuple[str, str]:
    """A photo that was sent and counted long ago: its session and image."""
    from support.nursery import photo_count  # noqa: PLC0415

    session_id = upload_session(client, jpeg(), location_code="A1")
    record_answers(session_id, photo_count((4, 0)))
    answer = client.get(f"/api/v1/photos/sessions/{session_id}").json()
    return session_id, answer["images"][0]["image_id"]


def let_go_of_photo(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setenv("DEMETER_PHOTO_KEEP_DAYS", "30")
    settings.cache_clear()
    session_id, image_id = recorded(client)
    with transaction() as session:
        for sha256 in session.scalars(text("SELECT sha256 FROM blob_inbox")).all():
            blobs.move_to_store(db.engine(), sha256)
        close_month(session)
        session.execute(text("UPDATE periods SET boundary_at = now() + interval '1 day'"))
    grow_old()
    assert let_go_of_due(no_progress).photos == 1
    return session_id, image_id


def test_api_and_pages_say_since_when(client: TestClient, monkeypatch) -> None:
    session_id, image_id = let_go_of_photo(client, monkeypatch)
    for variant in ("original", "file", "view", "screen"):
        answer = client.get(f"/api/v1/photos/images/{image_id}/{variant}")
        assert answer.status_code == 410
        assert answer.json()["code"] == "photo_dropped"
    detail = client.get(f"/api/v1/photos/sessions/{session_id}").json()
    assert detail["images"][0]["dropped_at"] is not None
    assert "reprocess" not in detail["actions"]
    refused = client.post(f"/api/v1/photos/sessions/{session_id}/reprocess", json={})
    assert refused.status_code == 410
    for language, words in (("es", "La foto ya no se guarda desde el"), ("en", "no longer kept")):
        for page in (f"/sessions/{session_id}", f"/gallery/{image_id}"):
            shown = client.get(page, headers={"accept-language": language}).text
            assert words in shown, page
            assert f"{image_id}/screen" not in shown, page


def test_a_photo_that_is_sent_again_for_its_place_is_kept_again(client, monkeypatch) -> None:
    session_id, image_id = let_go_of_photo(client, monkeypatch)
    again = send(client, jpeg(), location_code="A1")
    assert session_id in again.text
    assert client.get(f"/api/v1/photos/images/{image_id}/view").status_code == 200
    assert (
        client.get(f"/api/v1/photos/sessions/{session_id}").json()["images"][0]["dropped_at"]
        is None
    )
    assert due(DroppedKind.PHOTO) == []  # anew from now on


def test_a_schema_of_before_is_kept_and_what_was_let_go_is_not_forgotten(
    old: str, tmp_path: Path
) -> None:
    let_go_of_due(no_progress)
    with pytest.raises(db.SchemaTooNarrow, match="dropped_blobs"):
        db.migrate(db.engine(), "0019")
    change("DELETE FROM dropped_blobs")
    db.migrate(db.engine(), "0019")
    assert keep(tmp_path / "kept").missing == sorted([photo(), drawn()])


def test_a_look_is_due_once_a_day(old: str, use) -> None:
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    from demeter.core import retention_runs  # noqa: PLC0415

    use(time_zone="UTC")

    def is_due(now: datetime) -> bool:
        with transaction() as session:
            return retention_runs.is_due(session, now)

    now = datetime.now(UTC).replace(hour=5, minute=15) + timedelta(days=1)
    assert is_due(now)
    assert let_go_of_due(no_progress).ended_at is not None
    change("UPDATE retention_runs SET started_at = now() + interval '1 day'")
    change(f"UPDATE retention_runs SET started_at = '{now - timedelta(minutes=90)}'")
    assert is_due(now)  # it was before the hour
    change(f"UPDATE retention_runs SET started_at = '{now - timedelta(minutes=30)}'")
    assert not is_due(now + timedelta(hours=2))
    assert is_due(now + timedelta(days=1))
    use(photo_keep_days=None, overlay_keep_days=None)
    assert not is_due(now + timedelta(days=1))
