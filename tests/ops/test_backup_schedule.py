"""Backups by themselves: when one is due, which stay, and what people see of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.core import backup_runs, db
from demeter.core.db import transaction
from demeter.core.notices import Notice
from demeter.core.settings import Settings, settings
from demeter.ops.backup import restore as way_back
from demeter.ops.backup import run
from demeter.ops.backup.errors import BackupPlaceUnusable
from demeter.ops.backup.keeping import keep
from demeter.ops.backup.place import place_of
from demeter.ops.backup.repository import open_repository
from demeter.ops.backup.retention import names_to_keep
from demeter.ops.backup.schedule import start_backup
from demeter.ops.doctor import Verdict, database
from ops.test_backup import nursery, use
from support.served import client

__all__ = ["client", "nursery", "use"]
NOW = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)  # 6:30 at the site


def insert_run(started_at: datetime, name: str | None, place: str = "/kept") -> None:
    with transaction() as session:
        session.execute(
            text("""
            INSERT INTO backup_runs (place, started_at, ended_at, name, blobs)
            VALUES (:place, :at, CASE WHEN CAST(:name AS text) IS NOT NULL THEN now() END, :name, 3)
            """),
            {"place": place, "at": started_at, "name": name},
        )


def is_due(now: datetime = NOW) -> bool:
    with transaction() as session:
        return backup_runs.is_due(session, now)


def test_a_backup_is_due_once_after_its_hour(nursery: str, use) -> None:
    assert not is_due()  # nothing says where to
    use(backup_place="/kept", time_zone="America/Argentina/Mendoza", backup_hour="5")
    insert_run(NOW - timedelta(days=1), "yesterday")
    assert is_due()
    insert_run(NOW - timedelta(minutes=20), None)  # it runs, or was cut off
    assert not is_due()
    assert is_due(NOW + timedelta(hours=1))
    insert_run(NOW - timedelta(minutes=10), "elsewhere", place="/other")
    assert is_due(NOW + timedelta(hours=1))
    insert_run(NOW - timedelta(minutes=10), "today")
    assert not is_due(NOW + timedelta(hours=1))
    assert is_due(NOW + timedelta(days=1))
    use(backup_hour="7")
    assert not is_due(NOW.replace(hour=9))


def test_a_failed_backup_is_written_down_and_said(nursery: str, use, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("no folder")
    use(backup_place=str(tmp_path / "a-file"))
    with pytest.raises(BackupPlaceUnusable):
        keep(str(tmp_path / "a-file"))
    with transaction() as session:
        state = backup_runs.backup_state(session)
    assert state.needs_somebody
    assert state.failure is not None
    assert state.failure.params["code"] == "backup_place_unusable"
    with db.engine().connect() as connection:
        finding = database.backup("Backup", connection)
    assert finding.verdict is Verdict.FAILED
    assert "backup_place_unusable" in finding.found
    use(backup_place=str(tmp_path / "kept"))
    manifest = keep(str(tmp_path / "kept"))
    with db.engine().connect() as connection:
        finding = database.backup("Backup", connection)
    assert finding.verdict is Verdict.OK
    assert manifest.name in finding.found


def test_the_process_of_the_schedule_makes_a_backup(nursery: str, use, tmp_path: Path) -> None:
    use(backup_place=str(tmp_path / "kept"))
    assert start_backup().wait(60) == 0
    assert len(open_repository(place_of(str(tmp_path / "kept"))).names()) == 1


DAYS = [f"2026-{month:02}-{day:02}T120000Z" for month in (9, 10, 11) for day in range(1, 31)]


@pytest.mark.parametrize(
    ("names", "days", "weeks", "months", "kept"),
    [
        ([], 7, 5, 12, []),
        (DAYS[:1], 1, 0, 0, DAYS[:1]),
        (DAYS, 3, 0, 0, DAYS[-3:]),
        (DAYS, 1, 2, 0, ["2026-11-29T120000Z", "2026-11-30T120000Z"]),
        (DAYS, 1, 0, 3, ["2026-09-30T120000Z", "2026-10-30T120000Z", "2026-11-30T120000Z"]),
        (["2026-11-30T120000Z", "2026-11-30T120000Z+"], 2, 0, 0, ["2026-11-30T120000Z+"]),
    ],
)
def test_the_last_of_each_day_week_and_month_stays(names, days, weeks, months, kept) -> None:
    configured = Settings(backup_keep_days=days, backup_keep_weeks=weeks, backup_keep_months=months)
    assert sorted(names_to_keep(names, configured)) == kept


def test_old_backups_go_with_the_photos_that_only_they_name(
    nursery: str, use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "kept")
    use(backup_place=place, backup_keep_days="1", backup_keep_weeks="0", backup_keep_months="0")
    keep(place)
    with psycopg.connect(nursery, autocommit=True) as connection:  # two photos are named no more
        connection.execute("DELETE FROM s3_images WHERE s3_key_processed IS NULL")
    monkeypatch.setattr(run, "_new_name", lambda _: "2030-01-01T020000Z")
    manifest = keep(place)
    repository = open_repository(place_of(place))
    assert repository.names() == [manifest.name]
    assert len(repository.place.sizes("photos")) == manifest.blob_count == 2
    way_back.check(repository, manifest)


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_page_of_jobs_says_how_the_backup_is(client: TestClient, language: str) -> None:
    headers = {"Accept-Language": language}
    page = client.get("/jobs", headers=headers).text
    assert "DEMETER_BACKUP_PLACE" in page
    insert_run(datetime.now(UTC), "2026-11-29T020000Z")
    assert "3 fotos" in (page := client.get("/jobs", headers=headers).text) or "3 photos" in page
    with transaction() as session:
        run_id = backup_runs.begin(session, "/kept")
        failure = Notice("backup_failed", {"why": "no room", "code": "storage_full"})
        backup_runs.end_badly(session, run_id, failure)
    page = client.get("/jobs", headers=headers).text
    assert "demeter doctor" in page
    assert "no room" not in page
    assert "demeter doctor" in client.get("/", headers=headers).text  # whoever administers
    settings.cache_clear()
