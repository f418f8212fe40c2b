"""Photos that are odd and right: taken by API, with what was noticed said beside them."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from PIL import ExifTags, Image

from demeter.core.pixels.files import read_pixels
from demeter.core.pixels.pool import pool
from demeter.core.settings import settings
from demeter.photos.models import PhotoSession
from support import odd_pictures as odd
from support.pictures import encoded, exif, picture
from support.served import UPLOAD, client, row_count, send

__all__ = ["client"]

SITE = "%Y:%m:%d %H:%M:%S"


def session_of(client: TestClient, *bodies: bytes) -> dict:
    answer = send(client, *bodies, location_code="A1")
    assert answer.status_code == 202, answer.text
    return client.get(answer.json()["poll_url"]).json()


def taken(at: datetime, seed: int = 0) -> bytes:
    return encoded(picture(seed=seed), exif=exif(f"{at:{SITE}}", "+00:00"))


def test_one_clock_of_2030_does_not_discard_the_good_time(client: TestClient) -> None:
    good = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    session = session_of(client, taken(datetime(2030, 1, 1, 12, tzinfo=UTC)), taken(good, 1))
    assert datetime.fromisoformat(session["captured_at"]) == good
    assert session["captured_at_source"] == "exif"
    (warning,) = session["warnings"]
    assert "'bed-1.jpg'" in warning
    assert "another photo" in warning


@pytest.mark.parametrize("year", ["0001", "9999", "0000"])
def test_a_year_beside_all_calendars_is_a_warning(client: TestClient, year: str) -> None:
    tags = Image.Exif()
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{year}:12:31 23:59:59"
    session = session_of(client, encoded(picture(), exif=tags))
    assert session["captured_at_source"] == "received"
    assert f"{year}:12:31" in session["warnings"][0]
    page = client.get(f"/sessions/{session['session_id']}", headers={"accept-language": "es"})
    assert "Se usa la hora de recepción." in page.text


def test_a_second_page_is_not_dropped_without_a_word(client: TestClient) -> None:
    pages = odd.saved_pages("TIFF", picture(), picture(seed=1), picture(seed=2))
    assert session_of(client, pages)["warnings"] == [
        "'bed-1.jpg' holds 2 more pictures, which are not counted."
    ]
    two = odd.saved_pages("MPO", picture(seed=5), picture(seed=6))
    assert session_of(client, two)["warnings"] == []


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_a_long_photo_has_a_page_with_a_smaller_view(client: TestClient, kind: str) -> None:
    read_pixels(encoded(picture(64, 64)), "small")  # what the reader answered before is shorter
    (image,) = session_of(client, encoded(picture(17_000, 72), kind))["images"]
    assert (image["width_px"], image["height_px"]) == (17_000, 72)
    view = client.get(image["view_url"])
    assert view.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(view.content)).size == (16_383, 69)
    screen = client.get(image["screen_url"])
    assert screen.headers["cache-control"] == view.headers["cache-control"]
    assert Image.open(io.BytesIO(screen.content)).width == 2048
    thumbnail = client.get(image["thumbnail_url"])
    assert Image.open(io.BytesIO(thumbnail.content)).width == 320
    original = client.get(image["original_url"])
    assert Image.open(io.BytesIO(original.content)).size == (17_000, 72)


def test_a_raw_file_is_refused_in_both_languages(client: TestClient) -> None:
    body = b"FUJIFILMCCD-RAW 0201" + b"\0" * 300
    answer = send(client, body, location_code="A1")
    assert (answer.status_code, answer.json()["code"]) == (422, "raw_photo")
    assert "'bed-1.jpg'" in answer.json()["detail"]
    html = {"accept": "text/html", "accept-language": "es"}
    page = client.post("/upload", files=[("files", ("a.raf", body))], headers=html)
    assert page.status_code == 422
    assert "archivo en bruto" in page.text
    assert row_count(PhotoSession) == 0


def test_who_comes_when_all_readers_are_taken_is_told_when_to_come_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "decoder_wait_s", 0.1)
    with pool().readers.hold(10**9, 5):
        answer = send(client, encoded(picture()), location_code="A1")
        page = client.post(
            UPLOAD.replace("/api/v1/stock/photo", "/upload"),
            files=[("files", ("a.jpg", encoded(picture())))],
            headers={"accept": "text/html"},
        )
    assert (answer.status_code, answer.json()["code"]) == (503, "decoder_busy")
    assert int(answer.headers["retry-after"]) > 0
    assert (page.status_code, page.headers["retry-after"]) == (503, answer.headers["retry-after"])
    assert row_count(PhotoSession) == 0
    assert send(client, encoded(picture()), location_code="A1").status_code == 202


def test_large_photos_at_once_are_kept_one_after_the_other(client: TestClient) -> None:
    bodies = [encoded(picture(seed=n)) + bytes([n]) * 30_000_000 for n in range(3)]
    statuses: list[int] = []

    def one(body: bytes) -> None:
        statuses.append(send(client, body, location_code="A1").status_code)

    threads = [threading.Thread(target=one, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [202] * 3
