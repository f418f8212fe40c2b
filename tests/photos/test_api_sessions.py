"""What the API tells about sessions: the truth, all of it, and unknown is never zero."""

from __future__ import annotations

import io
import json
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from PIL import ExifTags, Image
from sqlalchemy import update

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from demeter.photos.models import SessionImage, SessionImageStatus
from support.nursery import photo_count
from support.pictures import encoded, picture
from support.served import SESSIONS, client, jpeg, record_answers, send, upload_session
from support.signing_in import signed_in

__all__ = ["client"]


def get(client: TestClient, session_id: str) -> dict:
    answer = client.get(f"{SESSIONS}/{session_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_session_that_was_not_processed_knows_no_numbers(client: TestClient):
    told = get(client, upload_session(client))
    assert told["status"] == "pending"
    assert told["is_end"] is False
    assert told["progress"] == 0
    for name in ("total", "total_detected", "total_estimated", "interval_90"):
        assert told[name] is None
    assert told["unknown_reason"] == "not_processed"
    assert told["containers"] == told["movements"] == told["actions"] == []
    assert told["images"][0]["processed_url"] is None


def test_a_counted_session_tells_containers_bins_batches_and_movements(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((12, 3), (5, 0)))
    told = get(client, session_id)
    assert told["status"] == "completed"
    assert told["progress"] == 1
    assert (told["total"], told["total_detected"], told["total_estimated"]) == (20, 17, 3)
    assert told["interval_90"] == [18, 22]
    first = told["containers"][0]
    assert (first["index"], first["machine_detected"], first["machine_estimated"]) == (1, 12, 3)
    assert (first["answer"], first["ledger_before"], first["difference"]) == (15, 0, 15)
    assert first["bin"]["code"].startswith("A1-ML-SEGMENT1-")
    assert first["movement"]["quantity"] == 15
    assert first["movement"]["movement_type"] == "foto"
    assert [m["quantity"] for m in told["movements"]] == [15, 5]
    assert [b["quantity_current"] for b in told["batches"]] == [15, 5]
    assert told["batches"][0]["bin"] == first["bin"]
    assert told["models"] == {"detect": "plants@abc", "segment": "containers@def"}
    assert told["parameters"] == {"tile_px": 640}
    assert told["location"]["code"] == "A1"
    assert told["posted_at"] is not None


def test_an_unknown_estimate_is_null_with_its_reason(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((2, None), residual_share=0.4))
    told = get(client, session_id)
    assert told["status"] == "needs_review"
    assert told["reason_code"] == "estimate_unknown"
    assert (told["total_detected"], told["total_estimated"], told["total"]) == (2, None, None)
    assert told["unknown_reason"] == "estimate_unknown"
    assert told["containers"][0]["machine_estimated"] is None
    assert told["containers"][0]["unknown_reason"].startswith("Fewer than 5 plants detected")
    why = {"code": "too_few_detected", "params": {"fewest": 5}}
    assert told["containers"][0]["unknown_notice"] == why
    (reason,) = told["reasons"]
    assert reason["code"] == "estimate_unknown"
    assert reason["params"]["containers"][0]["params"]["why"] == why
    assert told["actions"] == ["accept", "reprocess", "discard"]
    assert told["movements"] == []


def test_no_container_found_is_not_zero_plants(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count())
    told = get(client, session_id)
    assert told["reason_code"] == "no_container_found"
    assert told["error_message"].startswith("No StorageBins created for session")
    assert told["total"] is told["total_detected"] is told["total_empty_containers"] is None
    assert told["unknown_reason"] == "no_container_found"
    assert told["actions"] == ["confirm-empty", "reprocess", "discard"]


def test_counted_zero_is_zero(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((0, 0)))
    told = get(client, session_id)
    assert told["status"] == "completed"
    assert (told["total"], told["total_detected"], told["unknown_reason"]) == (0, 0, None)


def test_photos_that_cannot_be_read_are_not_zero_plants(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, None)
    told = get(client, session_id)
    assert told["reason_code"] == "no_image_counted"
    assert told["total_detected"] is None
    assert told["unknown_reason"] == "not_counted"
    assert told["images"][0]["state"] == "failed"
    assert "breaks off" in told["images"][0]["error_message"]
    assert told["actions"] == ["reprocess", "discard"]


def test_progress_is_the_share_of_the_images(client: TestClient):
    session_id = upload_session(client, jpeg(1), jpeg(2))
    with transaction() as session:
        session.execute(update(SessionImage).where(SessionImage.position == 1).values(progress=0.5))
        session.connection().exec_driver_sql(
            "UPDATE photo_processing_sessions SET status = 'processing'"
        )
    told = client.get(f"{SESSIONS}/{session_id}/progress").json()
    assert told["progress"] == 0.25
    assert told["workers_alive"] == 0
    assert [i["progress"] for i in told["images"]] == [0.5, 0]
    assert get(client, session_id)["progress"] == 0.25


def test_events_end_when_the_session_has(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((3, 0)))
    answer = client.get(f"{SESSIONS}/{session_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: end" in answer.text
    data = next(line for line in answer.text.splitlines() if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: "))["status"] == "completed"


def test_events_tell_each_change(client: TestClient, monkeypatch):
    monkeypatch.setattr("demeter.photos.progress.LOOK_EVERY_S", 0.05)
    session_id = upload_session(client)
    events = []
    with client.stream("GET", f"{SESSIONS}/{session_id}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith("event: "):
                events.append(line.removeprefix("event: "))
                if events == ["progress"]:
                    record_answers(session_id, photo_count((3, 0)))
    assert events[0] == "progress"
    assert events[-1] == "end"


def test_sessions_come_page_by_page_latest_first(client: TestClient):
    ids = [upload_session(client, jpeg(n)) for n in range(5)]
    seen, cursor = [], None
    for _ in range(3):
        page = client.get(SESSIONS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        seen += [item["session_id"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert seen == ids[::-1]
    assert cursor is None


def test_a_page_stays_right_while_others_arrive(client: TestClient):
    ids = [upload_session(client, jpeg(n)) for n in range(3)]
    first = client.get(SESSIONS, params={"limit": 2}).json()
    upload_session(client, jpeg(9))
    rest = client.get(SESSIONS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [item["session_id"] for item in rest["items"]] == [ids[0]]


def test_sessions_are_filtered_by_status_and_place(client: TestClient):
    done = upload_session(client, jpeg(1))
    record_answers(done, photo_count((3, 0)))
    waiting = send(client, jpeg(2)).json()["session_id"]
    other = upload_session(client, jpeg(3), location_code="A2")

    def ids(**filters) -> set[str]:
        items = client.get(SESSIONS, params=filters).json()["items"]
        return {item["session_id"] for item in items}

    assert ids(status="completed") == {done}
    assert ids(status=["completed", "needs_location"]) == {done, waiting}
    assert ids(location_code="A2") == {other}
    assert ids(location_code="A3") == set()


@pytest.mark.parametrize(
    "query", [{"cursor": "x"}, {"cursor": "s" + "f" * 30}, {"limit": 0}, {"status": "lost"}]
)
def test_a_question_that_makes_no_sense_is_refused(client: TestClient, query: dict):
    answer = client.get(SESSIONS, params=query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["", "/progress", "/events", "/detections"])
def test_a_session_that_does_not_exist_is_not_found(client: TestClient, path: str):
    answer = client.get(f"{SESSIONS}/{uuid4()}{path}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "session_not_found"
    assert client.get(f"{SESSIONS}/first{path}").status_code == 422


def test_detections_come_compact_with_indices_over_the_whole_session(client: TestClient):
    session_id = upload_session(client, jpeg(1), jpeg(2))
    assert client.get(f"{SESSIONS}/{session_id}/detections").json() == []
    record_answers(session_id, photo_count((2, 0), (1, 1)), photo_count((4, 0), empty=2))
    first, second = client.get(f"{SESSIONS}/{session_id}/detections").json()
    assert [c["index"] for c in first["containers"]] == [1, 2]
    assert [c["index"] for c in second["containers"]] == [3]
    assert [row[5] for row in first["plants"]] == [1, 1, 2]
    assert first["plants"][0] == [11, 11, 19, 20, 80, 1]
    assert (len(second["plants"]), len(second["empties"])) == (4, 2)
    only = client.get(f"{SESSIONS}/{session_id}/detections", params={"position": 2}).json()
    assert only == [second]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_a_picture_tells_nothing_of_who_took_it_where(client: TestClient, kind: str):
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ana Quiroga"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (32.0, 53.0, 21.0)
    body = encoded(picture(), kind, exif=exif)
    assert b"Ana Quiroga" in body
    image = get(client, upload_session(client, body))["images"][0]
    for name in ("original_url", "view_url", "thumbnail_url"):
        answer = client.get(image[name])
        assert answer.headers["cache-control"].startswith("private")
        shown = Image.open(io.BytesIO(answer.content))
        assert not shown.getexif()
        assert b"Ana Quiroga" not in answer.content


def test_a_supervisor_has_the_file_byte_by_byte(client: TestClient):
    body = jpeg()
    image = get(client, upload_session(client, body))["images"][0]
    address = image["original_url"].replace("original", "file")
    answer = client.get(address)
    assert answer.content == body
    assert answer.headers["content-disposition"].startswith("attachment")
    worker = signed_in("walter", UserRole.WORKER)
    assert client.get(address, headers=worker).status_code == 403


def test_an_original_is_kept_for_ever(client: TestClient):
    image = get(client, upload_session(client, jpeg()))["images"][0]
    answer = client.get(image["original_url"])
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    again = client.get(image["original_url"], headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_pictures_are_made_when_there_is_something_to_draw(client: TestClient):
    session_id = upload_session(client)
    before = get(client, session_id)["images"][0]
    quick = client.get(before["thumbnail_url"])
    assert quick.headers["content-type"] == "image/webp"
    assert quick.headers["cache-control"] == "private, no-cache"
    address = before["original_url"].replace("original", "processed")
    assert client.get(address).status_code == 404
    record_answers(session_id, photo_count((3, 0)))
    after = get(client, session_id)["images"][0]
    for name in ("processed_url", "thumbnail_url"):
        answer = client.get(after[name])
        assert answer.headers["content-type"] == "image/webp"
        assert "immutable" in answer.headers["cache-control"]
    assert client.get(address).headers["cache-control"] == "private, no-cache"


def test_a_format_that_browsers_do_not_show_is_shown_all_the_same(client: TestClient):
    image = get(client, upload_session(client, encoded(picture(), "TIFF")))["images"][0]
    for name in ("view_url", "original_url"):
        assert client.get(image[name]).headers["content-type"] == "image/jpeg"


def test_a_picture_that_does_not_exist_is_not_found(client: TestClient):
    answer = client.get(f"/api/v1/photos/images/{uuid4()}/original")
    assert answer.status_code == 404
    assert answer.json()["code"] == "image_not_found"


def test_a_session_image_is_failed_and_says_why(client: TestClient):
    session_id = upload_session(client, jpeg(1), jpeg(2))
    record_answers(session_id, photo_count((4, 0)), None)
    told = get(client, session_id)
    assert told["reason_code"] == "image_failed"
    assert [i["state"] for i in told["images"]] == [
        SessionImageStatus.SUCCEEDED,
        SessionImageStatus.FAILED,
    ]
    assert told["images"][1]["detections_url"] is None
