"""Counts by hand that wait: on Today, in the navigation's number, on a page of their own."""

from __future__ import annotations

import html
import re
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from demeter.counts import commands
from demeter.counts.schemas import HandCountCreate
from demeter.counts.waiting_counts import how_many_wait, waiting_counts
from demeter.stock.changes import LedgerChange
from support.ledgersteps import supervisor
from support.served import client
from support.signing_in import person, signed_in

__all__ = ["client"]


@pytest.fixture
def unsaid(client: TestClient) -> TestClient:
    """Nobody has said what grows in A1."""
    with transaction() as session:
        supervisor(session)
        person(session, "rosa")
        session.execute(text("UPDATE storage_location_config SET active = false"))
    return client


def counted(plants: int, user: str = "rosa", bed: str = "A1") -> LedgerChange:
    with transaction() as session:
        body = HandCountCreate(movement_id=uuid4(), location_code=bed, plants=plants, user=user)
        return commands.count_by_hand(session, body)


def opened(client: TestClient, path: str, role: UserRole = UserRole.SUPERVISOR) -> str:
    headers = signed_in(f"a-{role}", role) | {"accept": "text/html", "accept-language": "es"}
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", html.unescape(answer.text))


def test_a_count_by_hand_that_waits_is_on_today_and_in_the_number(unsaid: TestClient):
    assert "/review/counts" not in opened(unsaid, "/")
    assert counted(40).waits_for == "needs_config"
    counted(41, bed="A2")
    shown = opened(unsaid, "/")
    assert re.search(r'href="/review/counts"> <span class="how-many">2</span>', shown)
    assert "Conteos a mano que esperan" in shown
    assert '<b class="clay">2</b> esperan' in shown
    assert re.search(r'class="dot">2<', opened(unsaid, "/parts/waiting"))
    assert 'href="/review/counts"' in opened(unsaid, "/review")


def test_the_page_says_bed_number_person_reason_and_what_to_do(unsaid: TestClient):
    change = counted(40)
    shown = opened(unsaid, "/review/counts")
    assert "Un conteo a mano espera" in shown
    assert 'href="/beds/A1"' in shown
    assert re.search(r"40 <small>plantas</small>", shown)
    assert "Rosa" in shown or "rosa" in shown
    assert "choose=A1" in shown
    assert f"/beds/A1/counts/{change.count_id}/void" in shown


def test_tried_again_it_is_written_when_nothing_hinders_and_waits_on_otherwise(
    unsaid: TestClient,
):
    count_id = counted(40).count_id
    headers = signed_in("julia", UserRole.SUPERVISOR) | {"accept": "text/html"}
    answer = again(unsaid, count_id, headers)
    assert answer.headers["location"] == f"/review/counts?again={count_id}"
    assert "sigue esperando" in opened(unsaid, f"/review/counts?again={count_id}")
    with transaction() as session:
        session.execute(text("UPDATE storage_location_config SET active = true"))
    again(unsaid, count_id, headers)
    assert "quedó anotado" in opened(unsaid, f"/review/counts?again={count_id}")
    with transaction() as session:
        assert how_many_wait(session) == 0
    assert "Ningún conteo a mano espera" in opened(unsaid, "/review/counts")


def test_a_count_that_was_taken_back_meanwhile_is_refused_on_the_page(unsaid: TestClient):
    count_id = counted(40).count_id
    headers = signed_in("julia", UserRole.SUPERVISOR) | {"accept": "text/html"}
    voided = unsaid.post(f"/beds/A1/counts/{count_id}/void", headers=headers, data={"act": "write"})
    assert voided.status_code in (200, 303)
    with transaction() as session:
        assert waiting_counts(session, 10) == []
    assert "anulado" in opened(unsaid, "/beds/A1").lower()
    refused = again(unsaid, count_id, headers)
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text


def test_a_worker_is_shown_no_list_and_no_number(unsaid: TestClient):
    counted(40)
    headers = signed_in("pedro", UserRole.WORKER) | {"accept": "text/html"}
    assert unsaid.get("/review/counts", headers=headers).status_code == 403
    assert unsaid.get("/parts/waiting", headers=headers).status_code == 204


def again(client: TestClient, count_id: int | None, headers: dict[str, str]):
    return client.post(
        f"/review/counts/{count_id}/again",
        headers=headers,
        data={"key": str(UUID(int=uuid4().int))},
        follow_redirects=False,
    )
