"""Bodies are measured as they come in: what is too long is refused after the limit's bytes."""

from __future__ import annotations

from itertools import repeat

import pytest
from fastapi.testclient import TestClient

from demeter.core.settings import settings
from support.served import UPLOAD, client, jpeg, send

__all__ = ["client"]

COUNTS = "/api/v1/stock/counts"
SHEETS = "/api/v1/stock/count-sheets"
PIECE = b" " * 65_536


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (COUNTS, "application/json"),
        ("/api/v1/stock/movements", "application/json"),
        ("/language", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_without_end_is_refused_by_name(client: TestClient, path: str, kind: str) -> None:
    headers = {"content-type": kind, "accept": "application/json"}
    answer = client.post(path, content=repeat(PIECE, 100), headers=headers)
    body = answer.json()
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["code"] == "body_too_large"
    assert "1,000,000" in body["detail"]
    assert answer.headers["x-request-id"]


def test_an_announced_length_over_the_limit_is_refused_unread(client: TestClient) -> None:
    headers = {"content-type": "application/json", "content-length": "300000000"}
    answer = client.post(COUNTS, content=repeat(PIECE, 1), headers=headers)
    assert answer.json()["code"] == "body_too_large"


def test_a_length_that_is_announced_too_small_hides_nothing(client: TestClient) -> None:
    headers = {"content-type": "application/json", "content-length": "10"}
    answer = client.post(COUNTS, content=repeat(PIECE, 100), headers=headers)
    assert answer.json()["code"] == "body_too_large"


def test_what_is_within_the_limit_is_read(client: TestClient) -> None:
    answer = client.post(COUNTS, content=b"{}" + b" " * 999_998)
    assert answer.json()["code"] == "invalid_input"


def test_routes_for_files_take_more(client: TestClient) -> None:
    assert send(client, jpeg() + b"\0" * 2_000_000, location_code="A1").status_code == 202
    sheet = {"file": ("s.csv", b"location;count\n" + b"\n" * 2_000_000)}
    key = {"movement_id": "9f0e7c2a-6b1d-4d0b-9d3e-0a5f1c9b7e21"}
    for path in (SHEETS, f"{SHEETS}/preview"):
        assert client.post(path, files=sheet, data=key).status_code != 413
        long = {"file": ("s.csv", b"\n" * 21_000_001)}
        assert client.post(path, files=long, data=key).json()["code"] == "body_too_large"


def test_an_upload_is_measured_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "max_photo_bytes", 10_000)
    monkeypatch.setattr(settings(), "max_photos", 1)
    files = [("files", ("a.jpg", b"\xff" * 1_100_000))]
    assert client.post(UPLOAD, files=files).json()["code"] == "body_too_large"


def test_a_text_field_of_an_upload_is_short(client: TestClient) -> None:
    answer = send(client, jpeg(), location_code="A" * 20_000)
    assert answer.json()["code"] == "broken_upload"
