"""Corrections and blind recounts over HTTP."""

from __future__ import annotations

from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from demeter.core import db
from demeter.core.db import transaction
from demeter.counts.models import BlindRecount
from support.nursery import on_hand, photo_count
from support.served import SESSIONS, client, record_answers, row_count, upload_session

assert client  # pytest finds the fixture by its name here


def counted(client: TestClient, *containers: tuple[int, int | None], **facts) -> str:
    session_id = upload_session(client)
    record_answers(session_id, photo_count(*containers, **facts))
    return f"{SESSIONS}/{session_id}"


def stock() -> int:
    with transaction() as session:
        return on_hand(session)


def test_marks_are_read_corrected_and_read_again(client: TestClient) -> None:
    at = counted(client, (8, 0))
    read = client.get(f"{at}/corrections")
    marks = read.json()["marks"]
    assert (read.status_code, len(marks)) == (200, 8)
    body = {
        "remove": [marks[0]["detection_id"]],
        "add": [{"box": [100, 100, 120, 120]}, {"box": [130, 130, 150, 150]}],
        "reason": "looked closely",
    }
    done = client.post(f"{at}/corrections", json=body, headers={"if-match": read.headers["etag"]})
    assert done.status_code == 200, done.text
    assert (done.json()["ledger_difference"], done.json()["answer"], stock()) == (1, 9, 9)
    again = client.get(f"{at}/corrections")
    assert again.headers["etag"] == done.headers["etag"] != read.headers["etag"]
    assert [m["removed"] for m in again.json()["marks"]] == [True] + [False] * 9
    assert [c["kind"] for c in again.json()["corrections"]] == ["removed", "added", "added"]
    assert client.get(at).json()["total"] == 9


def test_a_correction_of_what_has_changed_meanwhile_is_refused(client: TestClient) -> None:
    at = counted(client, (8, 0))
    etag = client.get(f"{at}/corrections").headers["etag"]
    body = {"containers": [{"index": 1, "plants": 10}]}
    assert client.post(f"{at}/corrections", json=body).status_code == 200
    late = client.post(f"{at}/corrections", json=body, headers={"if-match": etag})
    assert (late.status_code, late.json()["code"]) == (412, "session_changed")
    assert stock() == 10


def test_one_idempotency_key_corrects_once(client: TestClient) -> None:
    at = counted(client, (8, 0))
    body, key = {"add": [{"box": [100, 100, 120, 120]}]}, {"idempotency-key": "k"}
    first = client.post(f"{at}/corrections", json=body, headers=key)
    again = client.post(f"{at}/corrections", json=body, headers=key)
    assert again.json() == first.json()
    assert stock() == 9


@pytest.mark.parametrize(
    "body",
    [
        {"containers": [{"index": 1, "plants": -1}]},
        {"containers": [{"index": 1, "plants": 1}, {"index": 1, "plants": 2}]},
        {"add": [{"box": [0, 0, "NaN", 5]}]},
        {"remove": [10**30]},
        {"numbers": 5},
    ],
)
def test_a_correction_without_sense_is_a_problem(client: TestClient, body) -> None:
    at = counted(client, (8, 0))
    assert client.post(f"{at}/corrections", json=body).status_code == 422
    assert stock() == 8


@pytest.fixture
def blind(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A server on which every session is counted by a person first."""
    monkeypatch.setenv("DEMETER_BLIND_SHARE", "1")
    db.settings.cache_clear()
    return client


NUMBERS = {"total", "total_detected", "total_estimated", "interval_90"}


def test_a_blind_session_tells_nothing_until_a_person_has_counted(blind: TestClient) -> None:
    at = counted(blind, (8, 2), (5, 0))
    seen = blind.get(at).json()
    assert {seen[name] for name in NUMBERS} == {None}
    assert (seen["unknown_reason"], seen["actions"]) == (
        "blind_recount",
        ["blind-recount", "discard"],
    )
    assert [c["answer"] for c in seen["containers"]] == [None, None]
    assert seen["movements"] == seen["batches"] == []
    (drawn,) = blind.get(f"{at}/detections").json()
    assert (len(drawn["containers"]), drawn["plants"]) == (2, [])
    (listed,) = blind.get(SESSIONS).json()["items"]
    assert {listed[name] for name in NUMBERS} == {None}
    image = seen["images"][0]
    picture = image["original_url"].replace("original", "processed")
    assert (image["processed_url"], blind.get(picture).status_code) == (None, 409)
    refused = [blind.get(f"{at}/corrections"), blind.post(f"{at}/corrections", json={})]
    assert [r.json()["code"] for r in refused] == ["blind_recount_first"] * 2
    assert stock() == 0


def test_the_blind_number_is_kept_beside_the_machines_which_is_posted(
    blind: TestClient,
) -> None:
    at = counted(blind, (8, 2), (5, 0))
    body = {"plants": 17, "containers": [{"index": 1, "plants": 12}]}
    given = blind.post(f"{at}/blind-recount", json=body)
    assert given.status_code == 200, given.text
    assert (given.json()["machine_plants"], given.json()["difference"]) == (15, 2)
    seen = blind.get(at).json()
    assert (seen["total"], seen["containers"][0]["answer"]) == (15, 10)
    assert (stock(), row_count(BlindRecount)) == (15, 1)
    again = blind.post(f"{at}/blind-recount", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "blind_recount_not_asked")


@pytest.mark.parametrize(
    "body",
    [
        {"plants": 5, "containers": [{"index": 1, "plants": 6}]},
        {"plants": 5, "containers": [{"index": 1, "plants": 4}]},
        {"plants": 5, "containers": [{"index": 9, "plants": 4}]},
        {"plants": -1},
    ],
)
def test_blind_numbers_that_do_not_add_up_are_refused(blind: TestClient, body) -> None:
    at = counted(blind, (8, 0))
    assert blind.post(f"{at}/blind-recount", json=body).status_code == 422
    assert row_count(BlindRecount) == 0


def test_without_a_blind_share_no_number_is_asked_for(client: TestClient) -> None:
    at = counted(client, (8, 0))
    assert client.get(at).json()["total"] == 8
    refused = client.post(f"{at}/blind-recount", json={"plants": 8})
    assert refused.json()["code"] == "blind_recount_not_asked"


def test_a_count_that_changed_meanwhile_is_not_corrected_by_its_own_address_either(
    client: TestClient,
) -> None:
    at = counted(client, (8, 0))
    (row,) = client.get("/api/v1/stock/counts").json()["items"]
    address = f"/api/v1/stock/counts/{row['count_id']}"
    read = client.get(address)
    etag = read.headers["etag"]
    assert etag == client.get(f"{at}/corrections").headers["etag"]
    container = read.json()["containers"][0]["container_id"]

    def correct(plants: int, if_match: str):
        numbers = [{"container_id": container, "plants": plants}]
        body = {"movement_id": str(uuid4()), "containers": numbers}
        return client.post(f"{address}/correct", json=body, headers={"if-match": if_match})

    assert correct(10, etag).status_code == 200
    late = correct(11, etag)
    assert (late.status_code, late.json()["code"], stock()) == (412, "session_changed", 10)
    assert correct(11, late.json()["etag"]).status_code == 200
    assert stock() == 11
