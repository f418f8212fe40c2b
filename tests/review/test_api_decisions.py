"""What a person decides over HTTP: carried out once, or refused with what to do instead."""

from __future__ import annotations

from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from demeter.core.db import transaction
from demeter.stock.models import StockMovement
from support.nursery import configure, photo_count
from support.served import SESSIONS, client, jpeg, record_answers, row_count, send, upload_session
from support.signing_in import signed_in

__all__ = ["client"]


def act(client: TestClient, session_id: str, action: str, body: dict | None = None, **headers):
    return client.post(f"{SESSIONS}/{session_id}/{action}", json=body, headers=headers)


def test_an_accepted_count_is_posted_once(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((2, None), residual_share=0.4))
    assert row_count(StockMovement) == 0
    for _ in range(2):
        answer = act(client, session_id, "accept", {"note": "I counted them"}, **signed_in("rosa"))
        assert answer.status_code == 200
    told = answer.json()
    assert told["status"] == "completed"
    assert told["validated_by"] == "rosa"
    assert row_count(StockMovement) == 1


def test_an_acceptance_needs_no_body(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((2, None), residual_share=0.4))
    answer = client.post(f"{SESSIONS}/{session_id}/accept")
    assert answer.json()["status"] == "completed"


def test_an_empty_bed_is_confirmed_and_posts_zero(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count())
    told = act(client, session_id, "confirm-empty").json()
    assert told["status"] == "completed"
    assert (told["total"], told["unknown_reason"]) == (0, None)
    assert row_count(StockMovement) == 0


def test_a_location_is_chosen_and_counting_begins(client: TestClient):
    session_id = send(client, jpeg()).json()["session_id"]
    answer = act(client, session_id, "location", {"location_code": "A2"})
    assert answer.status_code == 202
    assert answer.json()["status"] == "pending"
    assert answer.json()["location"]["code"] == "A2"
    assert act(client, session_id, "location", {"location_code": "A1"}).status_code == 409


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"location_code": "NOWHERE"}, 404, "location_not_found"),
        ({"location_id": 999_999}, 404, "location_not_found"),
        ({"location_code": "A1", "location_id": 1}, 422, "invalid_input"),
        ({}, 422, "invalid_input"),
        ({"location_code": "a 1"}, 422, "invalid_input"),
        ({"location_code": "A1", "usr": "rosa"}, 422, "invalid_input"),
        ({"location_code": "A1", "user": "nobody"}, 403, "other_user_named"),
    ],
)
def test_a_location_that_cannot_be_is_refused(client: TestClient, body, status, code):
    session_id = send(client, jpeg()).json()["session_id"]
    answer = act(client, session_id, "location", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.get(f"{SESSIONS}/{session_id}").json()["status"] == "needs_location"


def test_a_count_is_posted_when_the_configuration_is_there(client: TestClient):
    session_id = upload_session(client, location_code="A3")
    record_answers(session_id, photo_count((4, 1)))
    told = client.get(f"{SESSIONS}/{session_id}").json()
    assert told["status"] == "needs_config"
    assert told["actions"] == ["config", "post", "reprocess", "discard"]
    assert told["total"] == 5  # the evidence is kept
    assert act(client, session_id, "post").json()["status"] == "needs_config"
    with transaction() as session:
        configure(session, "A3", "ECHEVERIA-01")
    told = act(client, session_id, "post").json()
    assert told["status"] == "completed"
    assert [m["quantity"] for m in told["movements"]] == [5]


def test_reprocessing_is_a_new_attempt(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, None)
    answer = act(client, session_id, "reprocess")
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["attempt"]) == ("pending", 2)
    assert answer.json()["total_detected"] is None
    assert act(client, session_id, "reprocess").status_code == 409


def test_one_key_carries_a_decision_out_once(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, None)
    key = {"Idempotency-Key": "again-1"}
    first = act(client, session_id, "reprocess", {}, **key)
    again = act(client, session_id, "reprocess", {}, **key)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = act(client, session_id, "accept", {}, **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize("action", ["accept", "confirm-empty", "reprocess", "post"])
def test_what_the_state_does_not_allow_is_refused(client: TestClient, action: str):
    session_id = upload_session(client)  # still pending
    answer = act(client, session_id, action)
    assert answer.status_code == 409
    assert answer.json()["next_action"]


@pytest.mark.parametrize("action", ["accept", "confirm-empty", "reprocess", "post", "location"])
def test_a_session_that_does_not_exist_is_not_found(client: TestClient, action: str):
    body = {"location_code": "A1"} if action == "location" else None
    answer = act(client, str(uuid4()), action, body)
    assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
