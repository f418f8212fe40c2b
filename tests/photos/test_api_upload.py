"""Uploading over HTTP: what is answered 202 is safe; what is refused leaves nothing."""

from __future__ import annotations

import threading

import pytest
from fastapi.testclient import TestClient

from demeter.accounts.models import UserRole
from demeter.core.blobs import BlobInbox
from demeter.photos.models import Image, PhotoSession
from support.pictures import bomb, encoded, exif, picture
from support.served import SESSIONS, UPLOAD, client, jpeg, row_count, send
from support.signing_in import signed_in

__all__ = ["client"]


def nothing_is_kept() -> bool:
    return row_count(PhotoSession) == row_count(Image) == row_count(BlobInbox) == 0


def test_a_photo_is_accepted_with_an_address_to_poll(client: TestClient):
    rosa = signed_in("rosa", UserRole.WORKER)
    answer = send(client, jpeg(), headers=rosa, location_code="A1", user="rosa")
    body = answer.json()
    assert answer.status_code == 202
    assert body["status"] == "pending"
    assert body["is_new"] is True
    assert body["location_code"] == "A1"
    polled = client.get(body["poll_url"]).json()
    assert polled["session_id"] == body["session_id"]
    assert polled["uploaded_by"] == "rosa"
    assert client.get(body["page_url"]).status_code == 200


@pytest.mark.parametrize("field", ["files", "file", "photo", "photos"])
def test_each_name_of_the_file_field_does(client: TestClient, field: str):
    files = [(field, ("bed.jpg", jpeg()))]
    assert client.post(UPLOAD, files=files, data={"location_code": "A1"}).status_code == 202


@pytest.mark.parametrize("field", ["location_id", "storage_location_id"])
def test_a_location_can_be_named_by_its_id(client: TestClient, field: str):
    by_code = send(client, jpeg(), location_code="A2").json()
    location = client.get(by_code["poll_url"]).json()["location"]
    answer = send(client, jpeg(1), **{field: str(location["location_id"])})
    assert answer.json()["location_code"] == "A2"


def test_the_same_photo_again_answers_the_first_session(client: TestClient):
    first = send(client, jpeg(), location_code="A1").json()
    again = send(client, jpeg(), location_code="A1")
    assert again.status_code == 202
    assert again.json()["session_id"] == first["session_id"]
    assert again.json()["is_new"] is False
    assert row_count(PhotoSession) == row_count(Image) == 1


def test_twelve_uploads_of_one_photo_at_once_are_one_session(client: TestClient):
    body, ids, codes = jpeg(), [], []

    def one() -> None:
        answer = send(client, body, location_code="A1")
        codes.append(answer.status_code)
        ids.append(answer.json().get("session_id"))

    threads = [threading.Thread(target=one) for _ in range(12)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert codes == [202] * 12
    assert len(set(ids)) == 1
    assert row_count(PhotoSession) == row_count(Image) == 1


def test_photos_of_several_places_are_answered_with_a_list(client: TestClient):
    in_a1 = encoded(picture(seed=1), exif=exif(at=(5.0, 55.0)))
    in_a2 = encoded(picture(seed=2), exif=exif(at=(15.0, 55.0)))
    answers = send(client, in_a1, in_a2).json()
    assert [a["location_code"] for a in answers] == ["A1", "A2"]
    assert row_count(PhotoSession) == 2


def test_a_photo_of_nowhere_waits_for_its_location(client: TestClient):
    body = send(client, jpeg()).json()
    assert body["status"] == "needs_location"
    assert body["reason_code"] == "location_unknown"
    assert client.get(body["poll_url"]).json()["actions"] == ["location", "discard"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("2026-03-02T12:00:00Z", "2026-03-02T12:00:00Z"),
        ("2026-03-02T09:00-03:00", "2026-03-02T12:00:00Z"),
        ("2026-03-02T09:00", "2026-03-02T12:00:00Z"),  # the site's time: three hours behind UTC
        ("2026-03-02", "2026-03-03T02:59:59.999999Z"),  # the end of that day
    ],
)
def test_the_time_of_a_photo_can_be_chosen(client: TestClient, said: str, kept: str):
    body = send(client, jpeg(), location_code="A1", captured_at=said).json()
    polled = client.get(body["poll_url"]).json()
    assert polled["captured_at"] == kept
    assert polled["captured_at_source"] == "person"


@pytest.mark.parametrize(
    ("bodies", "fields", "status", "code", "named"),
    [
        ([b"not a photo"], {}, 422, "not_a_photo", "bed-1.jpg"),
        ([jpeg()[:2000]], {}, 422, "photo_truncated", "bed-1.jpg"),
        ([encoded(picture(8, 8))], {}, 422, "photo_too_small", "bed-1.jpg"),
        ([], {}, 422, "no_photos", ""),
        ([jpeg()], {"location_code": "NOWHERE"}, 404, "location_not_found", "NOWHERE"),
        ([jpeg()], {"location_id": "999999"}, 404, "location_not_found", "999999"),
        ([jpeg()], {"location_id": "first"}, 422, "invalid_input", "location_id"),
        ([jpeg()], {"captured_at": "yesterday"}, 422, "invalid_input", "captured_at"),
        ([jpeg()], {"captured_at": "2199-01-01T00:00Z"}, 422, "captured_in_future", "2199"),
        ([jpeg()], {"user": "nobody"}, 403, "other_user_named", "nobody"),
        ([jpeg()], {"upload_source": "pigeon"}, 422, "invalid_input", "upload_source"),
    ],
)
def test_what_cannot_be_taken_is_named_and_leaves_nothing(
    client: TestClient, bodies, fields, status, code, named
):
    fields = {"location_code": "A1"} | fields
    if "location_id" in fields:
        del fields["location_code"]
    if bodies:
        answer = send(client, *bodies, **fields)
    else:
        answer = client.post(UPLOAD, files={"other": (None, "x")}, data=fields)
    problem = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:demeter:error:{code}"
    assert named in problem["detail"]
    assert nothing_is_kept()


def test_a_small_file_of_endless_pixels_is_refused_unopened(client: TestClient):
    answer = send(client, bomb(), location_code="A1")
    assert answer.status_code == 422
    assert answer.json()["code"] == "photo_too_large"
    assert (answer.json()["width_px"], answer.json()["height_px"]) == (30_000, 30_000)
    assert nothing_is_kept()


def test_every_bad_file_is_named_in_one_problem(client: TestClient):
    answer = send(client, jpeg(), b"text", jpeg(1)[:999], location_code="A1")
    problem = answer.json()
    assert answer.status_code == 422
    assert problem["code"] == "photos_refused"
    assert [f["file"] for f in problem["files"]] == ["bed-2.jpg", "bed-3.jpg"]
    assert [f["code"] for f in problem["files"]] == ["not_a_photo", "photo_truncated"]
    assert nothing_is_kept()


def test_a_file_over_the_limit_is_not_even_spooled(client: TestClient, monkeypatch):
    monkeypatch.setenv("DEMETER_MAX_PHOTO_BYTES", "100000")
    from demeter.core.settings import settings  # noqa: PLC0415

    settings.cache_clear()
    problem = send(client, b"x" * 300_000, location_code="A1").json()
    assert problem["code"] == "photo_too_large"
    assert "300,000 bytes" in problem["detail"]
    assert "bed-1.jpg" in problem["detail"]
    assert nothing_is_kept()


def test_more_photos_than_one_upload_may_carry_are_refused(client: TestClient, monkeypatch):
    monkeypatch.setenv("DEMETER_MAX_PHOTOS", "2")
    from demeter.core.settings import settings  # noqa: PLC0415

    settings.cache_clear()
    problem = send(client, jpeg(1), jpeg(2), jpeg(3), location_code="A1").json()
    assert problem["code"] == "too_many_photos"
    assert nothing_is_kept()


def test_code_and_id_of_two_places_contradict_each_other(client: TestClient):
    location = client.get(send(client, jpeg(), location_code="A2").json()["poll_url"]).json()
    answer = send(
        client, jpeg(1), location_code="A1", location_id=location["location"]["location_id"]
    )
    assert answer.status_code == 422
    assert answer.json()["field"] == "location_id"


def test_an_unknown_field_is_ignored_and_said_so(client: TestClient):
    body = send(client, jpeg(), location_code="A1", locaton="A2").json()
    assert body["warnings"] == ["The field 'locaton' is not known and was ignored."]
    assert body["notices"] == [{"code": "field_ignored", "params": {"name": "locaton"}}]


def test_something_else_than_a_form_is_refused(client: TestClient):
    answer = client.post(UPLOAD, content=jpeg(), headers={"content-type": "image/jpeg"})
    assert answer.status_code == 415
    assert answer.json()["code"] == "not_multipart"


def test_a_broken_form_is_refused(client: TestClient):
    kind = {"content-type": "multipart/form-data; boundary=b"}
    answer = client.post(UPLOAD, content=b"--b\r\nnonsense", headers=kind)
    assert answer.status_code == 422
    assert answer.json()["code"] in ("broken_upload", "no_photos")


def test_one_key_and_one_content_have_one_answer(client: TestClient):
    key = {"Idempotency-Key": "k1"}
    first = send(client, jpeg(), headers=key, location_code="A1")
    again = send(client, jpeg(), headers=key, location_code="A1")
    assert again.json() == first.json()
    assert again.json()["is_new"] is True  # the first answer, word for word
    assert again.status_code == 202
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert row_count(PhotoSession) == 1


def test_one_key_with_other_content_is_a_conflict(client: TestClient):
    key = {"Idempotency-Key": "k1"}
    send(client, jpeg(), headers=key, location_code="A1")
    for body, place in ((jpeg(1), "A1"), (jpeg(), "A2")):
        answer = send(client, body, headers=key, location_code=place)
        assert answer.status_code == 409
        assert answer.json()["code"] == "idempotency_key_reused"
    assert row_count(PhotoSession) == 1


def test_a_key_of_a_refused_upload_can_be_used_again(client: TestClient):
    key = {"Idempotency-Key": "k1"}
    assert send(client, jpeg(), headers=key, location_code="A1", user="x").status_code == 403
    assert send(client, jpeg(), headers=key, location_code="A1").status_code == 202


def test_sessions_are_listed_where_photos_were_sent(client: TestClient):
    assert client.get(SESSIONS).json() == {"items": [], "next_cursor": None}
    body = send(client, jpeg(), location_code="A1").json()
    assert [s["session_id"] for s in client.get(SESSIONS).json()["items"]] == [body["session_id"]]
