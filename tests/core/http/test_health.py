"""Health is looked at, not assumed."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.core import db
from demeter.core.db import transaction
from support.served import client

__all__ = ["client"]


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


def test_a_home_that_cannot_be_written_is_not_ready(client: TestClient, monkeypatch, tmp_path):
    monkeypatch.setattr("demeter.core.http.health.os.access", lambda *_: False)
    assert client.get("/health/ready").status_code == 503
