"""Health is looked at, not assumed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.core import db, logs
from demeter.core.db import transaction
from demeter.core.settings import settings
from support.disks import fill, small_disk
from support.pictures import encoded, picture
from support.served import client, send

__all__ = ["client", "small_disk"]


def test_a_server_that_can_take_photos_is_ready(client: TestClient):
    assert client.get("/health/live").json() == {"status": "ok"}
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    checks = answer.json()["checks"]
    assert checks["database"]["schema"] == checks["database"]["schema_wanted"]
    assert checks["database"]["workers"] == 0
    assert checks["storage"]["ok"] is True


def test_an_old_schema_is_not_ready(client: TestClient):
    with transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["ok"] is False


def test_without_a_database_the_process_lives_and_is_not_ready(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    away = db.make_engine("postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setattr(db, "engine", lambda: away)
    assert client.get("/health/live").status_code == 200
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "refused" in answer.json()["checks"]["database"]["error"]
    assert client.get("/api/v1/photos/sessions").json()["code"] == "database_unavailable"


def test_a_home_that_cannot_be_written_is_not_ready(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "file").write_text("in its place")
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path / "file"))
    settings.cache_clear()
    assert_not_ready(client, "storage", str(tmp_path / "file"))


def test_a_full_disk_is_not_ready_and_is_named(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, small_disk: Path
):
    monkeypatch.setenv("DEMETER_HOME", str(small_disk))
    settings.cache_clear()
    assert client.get("/health/ready").status_code == 200
    filler = fill(small_disk)
    assert_not_ready(client, "storage", str(small_disk))
    filler.unlink()
    assert client.get("/health/ready").status_code == 200


def test_a_full_temporary_directory_is_not_ready_and_refuses_photos_by_name(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, small_disk: Path
):
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    fill(small_disk)
    assert_not_ready(client, "temporary_files", str(small_disk))
    big = encoded(picture(1200, 1200), "PNG")
    assert len(big) > 1_100_000  # an upload of that size lies on the disk while it comes in
    answer = send(client, big, location_code="A1")
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")


def test_lines_that_a_log_lost_are_reported(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs.output, "lost", 3)
    assert client.get("/health/ready").json()["checks"]["log"] == {"ok": False, "lost_lines": 3}


def assert_not_ready(client: TestClient, part: str, place: str) -> None:
    answer = client.get("/health/ready")
    checks = answer.json()["checks"]
    assert (answer.status_code, checks[part]["ok"]) == (503, False)
    assert place in checks[part]["error"]
    assert all(check["ok"] for name, check in checks.items() if name != part)
