"""Nothing that a session says can be done is a dead end, over HTTP and on its page."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from demeter.locations.models import StorageLocation
from demeter.photos import sessions
from demeter.photos.errors import CannotCreateBins
from demeter.photos.models import PhotoSession
from support.ledgerapi import (
    STOCK,
    count_by_hand,
    count_by_photo,
    key,
    ok,
    on_hand,
    run_queued_jobs,
    session_read,
)
from support.ledgersteps import day, supervisor
from support.nursery import photo_count
from support.served import SESSIONS, client, jpeg, record_answers, send, upload_session
from support.signing_in import signed_in

__all__ = ["client"]

GROWING = {"product_code": "MAMMILLARIA-01", "state": "seedling"}


def decide(
    client: TestClient, session: str, action: str, user: str | None = None, **body: Any
) -> Any:
    headers = signed_in(user) if user else {}
    return ok(client.post(f"{SESSIONS}/{session}/{action}", json=body, headers=headers))


def page_of(client: TestClient, session: str, language: str = "es") -> str:
    answer = client.get(f"/sessions/{session}", headers={"accept-language": language})
    assert answer.status_code == 200
    return answer.text


def waiting_for_config(client: TestClient) -> str:
    session = upload_session(client, location_code="A3", captured_at=day(0).isoformat())
    record_answers(session, photo_count((7, 0)))
    assert session_read(client, session)["status"] == "needs_config"
    return session


def forget_location(code: str) -> None:
    with transaction() as session:
        session.execute(delete(StorageLocation).where(StorageLocation.code == code))


def gone(client: TestClient) -> str:
    """A session whose location was deleted while it was counted."""
    session = upload_session(client, location_code="A3")
    forget_location("A3")
    with pytest.raises(CannotCreateBins) as refused:
        record_answers(session, photo_count((7, 0)))
    with transaction() as db:
        row = db.scalars(select(PhotoSession).where(PhotoSession.session_id == session)).one()
        sessions.fail(db, row.id, row.attempt, refused.value)
    return session


# What grows there.


def test_saying_what_grows_posts_the_counts_that_waited(client: TestClient) -> None:
    session = waiting_for_config(client)
    answer = ok(client.post("/api/v1/locations/A3/config", json=GROWING | {"framed_whole": True}))
    assert (answer["product_code"], answer["state"], answer["framed_whole"]) == (
        "MAMMILLARIA-01",
        "SEEDLING",
        True,
    )
    run_queued_jobs()
    assert session_read(client, session)["status"] == "completed"
    assert on_hand(client, "A3") == 7
    changed = ok(
        client.post("/api/v1/locations/A3/config", json=GROWING | {"product_code": "ECHEVERIA-01"})
    )
    assert (changed["product_code"], changed["framed_whole"]) == ("ECHEVERIA-01", True)
    places = ok(client.get("/api/v1/locations", params={"place_code": "A3"}))
    assert [place["product_code"] for place in places] == ["ECHEVERIA-01"]


def test_what_grows_is_said_on_the_waiting_page(client: TestClient) -> None:
    session = waiting_for_config(client)
    page = page_of(client, session)
    for words in ('value="MAMMILLARIA-01"', 'value="SEEDLING"', "Plántula", "de borde a borde"):
        assert words in page
    assert "Seedling" in page_of(client, session, "en")
    answer = client.post(f"/sessions/{session}/config", data=GROWING, follow_redirects=False)
    assert answer.status_code == 303
    assert session_read(client, session)["status"] == "completed"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"product_code": "MAMILARIA"}, "MAMMILLARIA-01"),
        ({"state": "SMALL"}, "SEEDLING"),
        ({"packaging_sku": "POT"}, "packaging"),
    ],
)
def test_what_is_not_in_the_catalog_is_named_with_what_is(
    client: TestClient, change: dict[str, str], named: str
) -> None:
    refused = client.post("/api/v1/locations/A3/config", json=GROWING | change)
    assert (refused.status_code, refused.json()["code"]) == (404, "no_such_thing")
    assert named in refused.json()["detail"]


def test_a_count_by_hand_of_something_else_waits_and_says_so(client: TestClient) -> None:
    body = {"location_code": "A3", "plants": 5, "product_code": "MAMMILLARIA-01"}
    rosa = signed_in("rosa", UserRole.WORKER)
    waits = ok(client.post(f"{STOCK}/counts", json=body | {"movement_id": key()}, headers=rosa))
    assert waits["waits_for"] == "needs_config"
    ok(client.post("/api/v1/locations/A3/config", json=GROWING | {"product_code": "ECHEVERIA-01"}))
    run_queued_jobs()
    (listed,) = ok(client.get(f"{STOCK}/counts", params={"waiting": True}))["items"]
    assert (listed["waits_for"], listed["counted"]) == ("count_contradicts_config", 5)
    ok(client.post("/api/v1/locations/A3/config", json=GROWING))
    run_queued_jobs()
    assert on_hand(client, "A3") == 5


# A location that was deleted.


def test_photos_of_a_deleted_location_are_given_to_another(client: TestClient) -> None:
    session = gone(client)
    seen = session_read(client, session)
    assert (seen["status"], seen["reason_code"]) == ("failed", "cannot_create_bins")
    assert seen["actions"] == ["location", "discard"]
    assert seen["next_action"].startswith("Choose another location")
    page = page_of(client, session)
    assert 'name="location_code"' in page
    assert "Elija otra ubicación para estas fotos, o descártelas." in page
    refused = client.post(f"{SESSIONS}/{session}/reprocess", json={})
    assert refused.status_code == 409
    moved = client.post(f"{SESSIONS}/{session}/location", json={"location_code": "A1"})
    assert (moved.status_code, moved.json()["attempt"]) == (202, 2)
    record_answers(session, photo_count((7, 0)))
    assert session_read(client, session)["status"] == "completed"
    assert on_hand(client) == 7


# Discarded, and taken back.


def test_a_wrong_photo_is_discarded_and_taken_back(client: TestClient) -> None:
    count_by_photo(client, 100, when=0)
    wrong = count_by_photo(client, 10, when=1, width=2)
    before = session_read(client, wrong)
    assert (before["reason_code"], "discard" in before["actions"]) == ("implausible_change", True)
    away = decide(client, wrong, "discard", reason="a neighbour's bed", user="rosa")
    assert (away["status"], away["reason_code"], away["actions"]) == (
        "discarded",
        "discarded",
        ["restore"],
    )
    assert decide(client, wrong, "discard", reason="twice") == away
    assert "a neighbour's bed" in away["error_message"]
    assert len(away["containers"]) == 1  # its evidence stays
    assert ok(client.get(f"{STOCK}/counts", params={"waiting": True}))["items"] == []
    for action in ("accept", "reprocess", "post", "confirm-empty"):
        assert client.post(f"{SESSIONS}/{wrong}/{action}", json={}).status_code == 409
    (count,) = away["counts"]
    command = {"movement_id": key(), "reason": "x"}
    for action, body in (("repost", {}), ("void", {}), ("move", {"location_code": "A2"})):
        path = f"{STOCK}/counts/{count['count_id']}/{action}"
        assert client.post(path, json=command | body).status_code == 409
    numbers = [{"container_id": 1, "plants": 1}]
    listed = ok(client.get(f"{STOCK}/counts/{count['count_id']}"))
    numbers[0]["container_id"] = listed["containers"][0]["container_id"]
    path = f"{STOCK}/counts/{count['count_id']}/correct"
    assert client.post(path, json=command | {"containers": numbers}).status_code == 409
    assert on_hand(client) == 100
    back = decide(client, wrong, "restore")
    assert {k: back[k] for k in ("status", "reason_code", "next_action", "actions")} == {
        k: before[k] for k in ("status", "reason_code", "next_action", "actions")
    }
    assert decide(client, wrong, "accept")["status"] == "completed"
    assert on_hand(client) == 10


def test_the_same_photo_again_is_answered_by_the_discarded_session(client: TestClient) -> None:
    session = upload_session(client, jpeg(3), location_code="A1")
    record_answers(session, photo_count())
    decide(client, session, "discard", reason="my boot")
    again = send(client, jpeg(3), location_code="A1").json()
    assert (again["session_id"], again["is_new"], again["status"]) == (session, False, "discarded")
    assert again["next_action"] == "Take them back if that was a mistake."


def test_a_posted_count_is_taken_back_before_its_session_is_discarded(client: TestClient) -> None:
    session = count_by_photo(client, 10, when=0)
    refused = client.post(f"{SESSIONS}/{session}/discard", json={"reason": "wrong"})
    assert (refused.status_code, refused.json()["code"]) == (409, "session_not_waiting")
    (count,) = session_read(client, session)["counts"]
    path = f"{STOCK}/counts/{count['count_id']}/void"
    ok(client.post(path, json={"movement_id": key(), "reason": "wrong bed"}))
    assert decide(client, session, "discard", reason="wrong")["status"] == "discarded"
    assert decide(client, session, "restore")["reason_code"] == "voided"


def test_what_was_discarded_is_not_tried_again(client: TestClient) -> None:
    with transaction() as session:
        supervisor(session)
    count_by_hand(client, 120, 0)
    body = {"movement_type": "ventas", "location_code": "A1", "quantity": 110}
    ok(client.post(f"{STOCK}/movements", json=body | {"movement_id": key()}))
    late = count_by_photo(client, 100, when=1)
    assert session_read(client, late)["reason_code"] == "stock_would_be_negative"
    decide(client, late, "discard", reason="blurred")
    planted = {"movement_type": "plantar", "location_code": "A1", "quantity": 500}
    ok(client.post(f"{STOCK}/movements", json=planted | {"movement_id": key()}))
    run_queued_jobs()
    assert session_read(client, late)["status"] == "discarded"
    decide(client, late, "restore")  # what it waited for has come
    run_queued_jobs()
    assert session_read(client, late)["status"] == "completed"


def test_discarding_and_taking_back_on_the_page(client: TestClient) -> None:
    session = upload_session(client, jpeg(4), location_code="A1")
    record_answers(session, None)
    assert "Descartar estas fotos" in page_of(client, session)
    client.post(f"/sessions/{session}/discard", data={"reason": "foto del piso"})
    page = page_of(client, session)
    for words in ("Descartado", "foto del piso", "Recuperar"):
        assert words in page
    client.post(f"/sessions/{session}/restore")
    assert session_read(client, session)["reason_code"] == "no_image_counted"


@pytest.mark.parametrize("reason", ["", "   ", None])
def test_discarding_says_its_reason(client: TestClient, reason: str | None) -> None:
    session = upload_session(client, jpeg(5), location_code="A1")
    record_answers(session, None)
    body = {} if reason is None else {"reason": reason}
    assert client.post(f"{SESSIONS}/{session}/discard", json=body).status_code == 422
    assert session_read(client, session)["status"] == "needs_review"


def test_what_is_under_way_is_not_discarded(client: TestClient) -> None:
    session = upload_session(client, jpeg(6), location_code="A1")
    assert client.post(f"{SESSIONS}/{session}/discard", json={"reason": "x"}).status_code == 409


# Accepting what is posted.


def test_accepting_a_posted_session_says_who_looked_at_it(client: TestClient) -> None:
    session = count_by_photo(client, 10, when=0)
    seen = session_read(client, session)
    assert (seen["validated"], seen["actions"]) == (False, ["accept", "reprocess"])
    assert "Está bien contado" in page_of(client, session)
    accepted = decide(client, session, "accept", user="rosa", note="counted it myself")
    assert (accepted["validated"], accepted["validated_by"]) == (True, "rosa")
    assert accepted["validation_date"] is not None
    assert accepted["actions"] == ["reprocess"]
    again = decide(client, session, "accept")
    assert (again["validated_by"], on_hand(client)) == ("rosa", 10)
