"""One person sends so many photos, and no more."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from demeter.accounts.models import UserRole
from demeter.core.settings import settings
from demeter.photos.models import Image
from support.served import client, jpeg, row_count, send
from support.signing_in import signed_in

__all__ = ["client"]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch):
    def limit(**values: int) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"DEMETER_{name.upper()}", str(value))
        settings.cache_clear()

    return limit


def test_a_minutes_photos_are_limited_for_each_person(client: TestClient, limits) -> None:
    limits(photos_per_minute=2)
    ana, beto = signed_in("ana", UserRole.WORKER), signed_in("beto", UserRole.WORKER)
    assert send(client, jpeg(1), jpeg(2), location_code="A1", headers=ana).status_code == 202
    refused = send(client, jpeg(3), location_code="A1", headers=ana)
    assert (refused.status_code, refused.json()["code"]) == (429, "upload_limit")
    assert refused.headers["retry-after"] == "60"
    assert refused.json()["limit"] == 2
    assert send(client, jpeg(3), location_code="A1", headers=beto).status_code == 202
    assert row_count(Image) == 3


def test_a_first_upload_is_taken_whole(client: TestClient, limits) -> None:
    limits(photos_per_minute=1)
    assert send(client, jpeg(1), jpeg(2), location_code="A1").status_code == 202


def test_a_days_photos_and_bytes_are_limited(client: TestClient, limits) -> None:
    limits(photos_per_day=1)
    assert send(client, jpeg(1), location_code="A1").status_code == 202
    refused = send(client, jpeg(2), location_code="A1")
    assert refused.json()["code"] == "upload_limit"
    assert 86_000 < int(refused.headers["retry-after"]) <= 86_400
    limits(photos_per_day=10, photo_bytes_per_day=len(jpeg(1)) + 10)
    refused = send(client, jpeg(2), location_code="A1")
    assert "bytes" in refused.json()["detail"]
    html = {"accept": "text/html", "accept-language": "es"}
    page = client.post("/upload", files=[("files", ("a.jpg", jpeg(2)))], headers=html)
    assert page.status_code == 429
    assert "Demasiadas fotos" in page.text
