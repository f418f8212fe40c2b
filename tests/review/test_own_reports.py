"""Workers take back what they reported: for a day, until the bed is counted again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from support.nursery import photo_count
from support.served import SESSIONS, client, jpeg, record_answers, send
from support.signing_in import signed_in

__all__ = ["client"]

Headers = dict[str, str]


@pytest.fixture
def ana(client: TestClient) -> Headers:
    return signed_in("ana", UserRole.WORKER)


@pytest.fixture
def beto(client: TestClient) -> Headers:
    return signed_in("beto", UserRole.WORKER)


def plant(client: TestClient, headers: Headers, quantity: int = 40) -> str:
    body = {
        "movement_id": str(uuid4()),
        "movement_type": "plantar",
        "location_code": "A1",
        "quantity": quantity,
    }
    answer = client.post("/api/v1/stock/movements", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return body["movement_id"]


def undo(client: TestClient, movement_id: str, headers: Headers) -> tuple[int, str]:
    body = {"movement_id": str(uuid4()), "reason": "typed wrongly"}
    answer = client.post(f"/api/v1/stock/movements/{movement_id}/undo", json=body, headers=headers)
    return answer.status_code, answer.json().get("code", "")


def age(hours: float) -> None:
    """Everything was reported so long ago."""
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("stock_movements", "photo_processing_sessions", "counts"):
            session.execute(
                text(f"UPDATE {table} SET created_at = :at"),
                {"at": datetime.now(UTC) - timedelta(hours=hours)},
            )


def counted(client: TestClient, headers: Headers, seed: int = 1, plants: int = 4) -> str:
    """A session of a worker's photo, posted."""
    answer = send(client, jpeg(seed), location_code="A1", headers=headers)
    session_id = answer.json()["session_id"]
    record_answers(session_id, photo_count((plants, 0)))
    return session_id


def test_an_own_report_is_undone(client: TestClient, ana: Headers, beto: Headers) -> None:
    movement_id = plant(client, ana)
    assert undo(client, movement_id, beto) == (403, "no_longer_own")
    assert undo(client, movement_id, signed_in("vera", UserRole.VIEWER)) == (403, "not_allowed")
    assert undo(client, movement_id, ana)[0] == 200


def test_after_a_day_a_supervisor_does_it(client: TestClient, ana: Headers) -> None:
    movement_id = plant(client, ana)
    age(23.9)
    first = plant(client, ana)
    assert undo(client, first, ana)[0] == 200
    age(24.1)
    assert undo(client, movement_id, ana) == (403, "no_longer_own")
    assert undo(client, movement_id, signed_in("luis", UserRole.SUPERVISOR))[0] == 200


def test_after_the_next_count_a_supervisor_does_it(client: TestClient, ana: Headers) -> None:
    movement_id = plant(client, ana, quantity=4)
    counted(client, ana)
    assert undo(client, movement_id, ana) == (403, "no_longer_own")


def test_an_own_count_is_voided_and_moved_until_the_next(
    client: TestClient, ana: Headers, beto: Headers
) -> None:
    counted(client, ana)

    def last_count() -> int:
        return client.get("/api/v1/stock/counts").json()["items"][0]["count_id"]

    count_id = last_count()

    def act(what: str, headers: Headers, **more: str) -> tuple[int, str]:
        body = {"movement_id": str(uuid4()), "reason": "another bed", **more}
        address = f"/api/v1/stock/counts/{count_id}/{what}"
        answer = client.post(address, json=body, headers=headers)
        return answer.status_code, answer.json().get("code", "")

    assert act("void", beto) == (403, "no_longer_own")
    assert act("move", ana, location_code="A2")[0] == 200
    count_id = last_count()
    assert act("void", ana)[0] == 200


def test_an_own_photo_is_discarded_and_taken_back(
    client: TestClient, ana: Headers, beto: Headers
) -> None:
    answer = send(client, jpeg(5), headers=ana)
    session_id = answer.json()["session_id"]
    assert answer.json()["status"] == "needs_location"
    address = f"{SESSIONS}/{session_id}"
    body = {"reason": "my boots"}
    assert client.post(f"{address}/discard", json=body, headers=beto).status_code == 403
    assert client.post(f"{address}/discard", json=body, headers=ana).status_code == 200
    assert client.post(f"{address}/restore", headers=beto).status_code == 403
    assert client.post(f"{address}/restore", headers=ana).status_code == 200
    age(25)
    assert client.post(f"{address}/discard", json=body, headers=ana).status_code == 403
