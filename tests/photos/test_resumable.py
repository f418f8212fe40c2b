"""Uploads in chunks: continued by any process, kept once, refused by name."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, update

from demeter.app import create_app
from demeter.core import db
from demeter.core.db import transaction
from demeter.locations.models import StorageLocation
from demeter.photos.models import Image, PhotoSession
from demeter.photos.resumable import service
from demeter.photos.resumable.models import ResumableChunk, ResumableUpload
from demeter.photos.resumable.tasks import drop_old_uploads
from support.served import client, jpeg, row_count, upload_session
from support.signing_in import signed_in

__all__ = ["client"]

UPLOADS = "/api/v1/photos/uploads"
CHUNK = 10_000  # more than one for each photo here


class Sender:
    """A phone that sends photos in chunks, to whichever process it is given."""

    def __init__(self, client: TestClient, *bodies: bytes, **fields: Any) -> None:
        self.client = client
        self.bodies = bodies
        self.path = f"{UPLOADS}/{uuid4()}"
        photos = [
            {"sha256": sha256(body).hexdigest(), "size_bytes": len(body), "name": f"{n}.jpg"}
            for n, body in enumerate(bodies, start=1)
        ]
        self.request = {"photos": photos, "location_code": "A1", **fields}

    def begin(self):
        return self.client.put(self.path, json=self.request)

    def chunk(self, position: int, offset: int, body: bytes, digest: str | None = None):
        headers = {
            "upload-offset": str(offset),
            "chunk-sha256": digest or sha256(body).hexdigest(),
            "content-type": "application/octet-stream",
        }
        return self.client.patch(f"{self.path}/{position}", content=body, headers=headers)

    def send_rest(self) -> None:
        for photo in self.client.get(self.path).json()["photos"]:
            body = self.bodies[photo["position"] - 1]
            for offset in range(photo["offset"], len(body), CHUNK):
                answer = self.chunk(photo["position"], offset, body[offset : offset + CHUNK])
                assert answer.status_code == 200, answer.text

    def finish(self):
        return self.client.post(f"{self.path}/finish")


@pytest.fixture
def sender(client: TestClient) -> Sender:
    begun = Sender(client, jpeg(1))
    assert begun.begin().status_code == 200
    return begun


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_photos_in_chunks_become_one_session_as_in_one_piece(client: TestClient) -> None:
    sender = Sender(client, jpeg(1), jpeg(2))
    begun = sender.begin().json()
    assert [photo["offset"] for photo in begun["photos"]] == [0, 0]
    sender.send_rest()
    answer = sender.finish()
    assert answer.status_code == 202
    assert (answer.json()["is_new"], answer.json()["location_code"]) == (True, "A1")
    assert (row_count(PhotoSession), row_count(Image), row_count(ResumableChunk)) == (1, 2, 0)
    again = client.post("/api/v1/stock/photo", **in_one_piece(jpeg(2), jpeg(1)))
    assert (again.json()["session_id"], again.json()["is_new"]) == (
        answer.json()["session_id"],
        False,
    )


def in_one_piece(*bodies: bytes) -> dict[str, Any]:
    files = [("files", (f"{n}.jpg", body)) for n, body in enumerate(bodies)]
    return {"files": files, "data": {"location_code": "A1"}}


def test_another_process_goes_on_where_the_first_stopped(sender: Sender) -> None:
    body = sender.bodies[0]
    assert sender.chunk(1, 0, body[:CHUNK]).json()["photos"][0]["offset"] == CHUNK
    other = {"base_url": "http://localhost", "headers": sender.client.headers}
    with TestClient(create_app(), **other) as process:
        sender.client = process
        assert sender.begin().json()["photos"][0]["offset"] == CHUNK
        sender.send_rest()
        assert sender.finish().status_code == 202
    assert row_count(PhotoSession) == 1


def test_finishing_again_has_the_same_answer(sender: Sender) -> None:
    sender.send_rest()
    first, second = sender.finish(), sender.finish()
    assert second.status_code == 202
    assert second.json() == first.json()
    assert sender.begin().json()["is_finished"] is True
    assert row_count(PhotoSession) == 1


def test_a_chunk_elsewhere_is_told_where_to_go_on(sender: Sender) -> None:
    body = sender.bodies[0]
    assert sender.chunk(1, 0, body[:CHUNK]).status_code == 200
    for offset in (0, CHUNK - 1, CHUNK + 1, len(body)):
        answer = sender.chunk(1, offset, body[:10])
        assert code(answer) == (409, "chunk_misplaced")
        assert answer.json()["offset"] == CHUNK
    assert row_count(ResumableChunk) == 1


def test_a_damaged_chunk_is_not_kept(sender: Sender) -> None:
    answer = sender.chunk(1, 0, b"x" * CHUNK, sha256(b"y").hexdigest())
    assert code(answer) == (422, "chunk_damaged")
    assert row_count(ResumableChunk) == 0


@pytest.mark.parametrize("length", [0, service.CHUNK_BYTES + 1])
def test_a_chunk_of_a_wrong_length_is_refused(client: TestClient, length: int) -> None:
    sender = Sender(client, bytes(service.CHUNK_BYTES * 2))
    sender.begin()
    assert code(sender.chunk(1, 0, bytes(length))) == (422, "chunk_too_long")


def test_no_byte_comes_behind_the_end(sender: Sender) -> None:
    sender.send_rest()
    end = len(sender.bodies[0])
    assert code(sender.chunk(1, end, b"x")) == (422, "chunk_too_long")


def test_a_body_over_the_limit_is_not_read(sender: Sender) -> None:
    assert code(sender.chunk(1, 0, bytes(1_000_001))) == (413, "body_too_large")


def test_what_is_incomplete_is_not_finished(sender: Sender) -> None:
    sender.chunk(1, 0, sender.bodies[0][:CHUNK])
    answer = sender.finish()
    assert code(answer) == (409, "upload_incomplete")
    assert (answer.json()["position"], answer.json()["offset"]) == (1, CHUNK)
    assert row_count(PhotoSession) == 0


def test_other_bytes_than_announced_are_refused(client: TestClient) -> None:
    sender = Sender(client, jpeg(1))
    sender.request["photos"][0]["sha256"] = sha256(b"another").hexdigest()
    sender.begin()
    sender.send_rest()
    assert code(sender.finish()) == (422, "hash_differs")
    assert row_count(PhotoSession) == 0


def test_an_id_stands_for_its_photos_and_place(sender: Sender) -> None:
    sender.request["location_code"] = "A2"
    assert code(sender.begin()) == (409, "upload_differs")


@pytest.mark.parametrize("act", ["begin", "get", "chunk", "finish"])
def test_an_upload_is_its_senders_alone(sender: Sender, act: str) -> None:
    sender.send_rest()
    stranger = {"headers": signed_in("vera")}
    body = sender.bodies[0]
    answers = {
        "begin": lambda: sender.client.put(sender.path, json=sender.request, **stranger),
        "get": lambda: sender.client.get(sender.path, **stranger),
        "chunk": lambda: sender.client.patch(
            f"{sender.path}/1",
            content=body[:9],
            headers=stranger["headers"]
            | {"upload-offset": "0", "chunk-sha256": sha256(body[:9]).hexdigest()},
        ),
        "finish": lambda: sender.client.post(f"{sender.path}/finish", **stranger),
    }
    assert code(answers[act]()) == (404, "upload_not_found")
    assert row_count(PhotoSession) == 0


def test_what_is_no_photo_is_refused_as_in_one_piece(client: TestClient) -> None:
    sender = Sender(client, b"text" * 100)
    sender.begin()
    sender.send_rest()
    assert code(sender.finish()) == (422, "not_a_photo")


def test_a_place_that_is_not_there_is_told_before_bytes_are_sent(client: TestClient) -> None:
    assert code(Sender(client, jpeg(1), location_code="X9").begin()) == (404, "location_not_found")
    with transaction() as session:
        session.execute(
            update(StorageLocation).where(StorageLocation.code == "A2").values(active=False)
        )
    answer = Sender(client, jpeg(1), location_code="A2").begin()
    assert code(answer)[1] == "location_inactive"
    assert row_count(ResumableUpload) == 0


def test_limits_are_those_of_an_upload_in_one_piece(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMETER_MAX_PHOTOS", "1")
    monkeypatch.setenv("DEMETER_MAX_PHOTO_BYTES", "500000")
    monkeypatch.setenv("DEMETER_PHOTOS_PER_DAY", "2")
    db.settings.cache_clear()
    assert code(Sender(client, jpeg(1), jpeg(2)).begin()) == (422, "too_many_photos")
    assert code(Sender(client, bytes(500_001)).begin()) == (422, "photo_too_large")
    for seed in (1, 2):  # waiting in chunks counts, too
        assert Sender(client, jpeg(seed)).begin().status_code == 200
    assert code(Sender(client, jpeg(3)).begin()) == (429, "upload_limit")


def test_a_day_later_it_is_gone_and_what_is_younger_stays(client: TestClient) -> None:
    old, young = Sender(client, jpeg(1)), Sender(client, jpeg(2))
    for each in (old, young):
        each.begin()
        each.send_rest()
    with transaction() as session:
        upload_id = old.path.rsplit("/", 1)[1]
        session.execute(
            update(ResumableUpload)
            .where(ResumableUpload.id == upload_id)
            .values(created_at=func.now() - service.KEPT_FOR - timedelta(minutes=1))
        )
    drop_old_uploads(0)
    assert code(old.finish()) == (404, "upload_not_found")
    assert young.finish().status_code == 202
    assert row_count(ResumableChunk) == 0
    old.begin()  # begun again it is taken
    old.send_rest()
    assert old.finish().status_code == 202


def test_a_photo_without_a_place_is_found_by_its_label_or_asked_about(client: TestClient) -> None:
    sender = Sender(client, jpeg(1), location_code=None)
    sender.begin()
    sender.send_rest()
    assert sender.finish().json()["status"] == "needs_location"


def test_photos_that_are_here_are_known_by_their_hash(client: TestClient) -> None:
    session_id = upload_session(client, jpeg(1))
    here, unknown = sha256(jpeg(1)).hexdigest(), sha256(b"other").hexdigest()
    answer = client.get("/api/v1/photos/known", params={"sha256": [unknown, here]})
    assert [(row["sha256"], row["session_id"], row["location_code"]) for row in answer.json()] == [
        (here, session_id, "A1")
    ]
