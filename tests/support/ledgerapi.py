"""The ledger as a client meets it, in short words: counted, moved, on hand, a period's line."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi.testclient import TestClient

from demeter.accounts.models import UserRole
from demeter.core import jobs
from demeter.core.checks import references, run
from demeter.core.db import transaction
from demeter.counts.checks import COUNTS
from demeter.periods.checks import CLOSINGS
from demeter.stock.checks import LOTS, MOVES
from support.ledgersteps import day
from support.nursery import photo_count
from support.served import jpeg, record_answers, upload_session
from support.signing_in import signed_in

STOCK = "/api/v1/stock"
PERIODS = "/api/v1/periods"


def key() -> str:
    return str(uuid4())


def as_julia() -> dict[str, str]:
    """The headers with which the supervisor comes."""
    return signed_in("julia", UserRole.SUPERVISOR)


def ok(response: Any) -> Any:
    assert response.is_success, response.text
    return response.json()


def count_by_hand(client: TestClient, plants: int, when: float, code: str = "A1") -> Any:
    """A person counted a whole location on a day."""
    body = {
        "movement_id": key(),
        "location_code": code,
        "plants": plants,
        "occurred_at": day(when).isoformat(),
    }
    return ok(client.post(f"{STOCK}/counts", json=body, headers=as_julia()))


def count_by_photo(
    client: TestClient, *plants: int, when: float, code: str = "A1", width: int = 400
) -> str:
    """A photo of a day shows containers with so many plants; it is uploaded and counted now."""
    photo = jpeg(seed=int(when * 10) + sum(plants))
    session = upload_session(client, photo, location_code=code, captured_at=day(when).isoformat())
    record_answers(
        session,
        photo_count(*((number, 0) for number in plants), width=min(width, max(sum(plants), 10))),
    )
    return session


def session_read(client: TestClient, session: str) -> Any:
    return ok(client.get(f"/api/v1/photos/sessions/{session}"))


def report_movement(client: TestClient, kind: str, quantity: int, when: float, **parts: Any) -> Any:
    """What a person reported: it happened on that day."""
    return ok(post_movement(client, kind, quantity, when, **parts))


def post_movement(client: TestClient, kind: str, quantity: int, when: float, **parts: Any) -> Any:
    """As `moved`, also where it is refused."""
    body = {
        "movement_id": key(),
        "movement_type": kind,
        "quantity": quantity,
        "location_code": "A1",
        "occurred_at": day(when).isoformat(),
        **parts,
    }
    return client.post(f"{STOCK}/movements", json=body)


def undo(client: TestClient, change: Any, reason: str = "was wrong") -> Any:
    path = f"{STOCK}/movements/{change['movement_id']}/undo"
    return ok(client.post(path, json={"movement_id": key(), "reason": reason}))


def void(client: TestClient, change: Any) -> Any:
    path = f"{STOCK}/counts/{change['count_id']}/void"
    return ok(client.post(path, json={"movement_id": key(), "reason": "the wrong bed"}))


def on_hand(client: TestClient, code: str = "A1", when: float | None = None, **parts: Any) -> int:
    """Plants booked at a location, today or as of a day."""
    at = {} if when is None else {"at": day(when).isoformat()}
    params = {"by": "location", "location": code, **at, **parts}
    rows = ok(client.get(f"{STOCK}/on-hand", params=params))
    return sum(row["plants"] or 0 for row in rows)  # null: nobody counted it, nothing is booked


def open_period(client: TestClient, code: str, ends: float, grace_hours: int = 48) -> None:
    body = {"code": code, "boundary_at": day(ends).isoformat(), "grace_hours": grace_hours}
    assert client.post(PERIODS, json=body).status_code == 201


def period_line(client: TestClient, period: str, code: str = "A1") -> Any:
    """What closing finds at a location."""
    lines = ok(client.get(f"{PERIODS}/{period}"))["lines"]
    (line,) = [candidate for candidate in lines if candidate["location_code"] == code]
    return line


def exception_kinds(client: TestClient, period: str, code: str = "A1") -> list[str]:
    return [exception["kind"] for exception in period_line(client, period, code)["exceptions"]]


def close_period(client: TestClient, period: str) -> None:
    """The period is closed, and stock is the same before and after."""
    before = ok(client.get(f"{STOCK}/on-hand"))
    closed = ok(client.post(f"{PERIODS}/{period}/close", json={}, headers=as_julia()))
    assert closed["status"] == "closed"
    assert ok(client.get(f"{STOCK}/on-hand")) == before


def run_queued_jobs() -> None:
    """The jobs that were queued have run."""
    jobs.work(["cpu", "io"], wait=False)


def assert_ledger_verified() -> None:
    """Everything that `demeter verify` checks holds."""
    with transaction() as session:
        checks = [references(session), *LOTS, *MOVES, *COUNTS, *CLOSINGS]
        assert [result for result in run(session, checks) if result.wrong] == []
