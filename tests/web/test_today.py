"""The first page: what needs whoever looks, the round of the month, the week."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from demeter.accounts.models import UserRole
from demeter.core import db
from demeter.core.db import transaction
from demeter.counts import commands as count_commands
from demeter.counts.first_day import FirstDay, first_day
from demeter.counts.schemas import HandCountCreate
from demeter.counts.week import week_of
from demeter.periods import exceptions_left, service
from demeter.photos.monthly_round import monthly_round
from demeter.web.ages import Ages
from demeter.web.language import read
from support.ledgerapi import key
from support.ledgersteps import supervisor
from support.nursery import photo_count, plant_nursery
from support.served import client, jpeg, record_answers, send, upload_session
from support.signing_in import person, signed_in

__all__ = ["client"]


def today(client: TestClient, role: UserRole = UserRole.SUPERVISOR, language: str = "es") -> str:
    headers = signed_in(f"a-{role}", role) | {"accept": "text/html", "accept-language": language}
    answer = client.get("/", headers=headers)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(answer.text))


def count_by_hand(plants: int, bed: str = "A1") -> None:
    with transaction() as session:
        supervisor(session)
        body = HandCountCreate(
            movement_id=UUID(key()), location_code=bed, plants=plants, user="julia"
        )
        count_commands.count_by_hand(session, body)


def test_an_empty_nursery_is_told_the_three_steps(session: Session):
    assert first_day(session) == FirstDay(has_beds=False, has_growing=False, has_people=False)
    plant_nursery(session)
    assert first_day(session) == FirstDay(has_beds=True, has_growing=True, has_people=False)
    supervisor(session)
    person(session, "rosa")
    assert first_day(session) == FirstDay(has_beds=True, has_growing=True, has_people=True)


def test_the_steps_stand_on_the_page_until_something_was_counted(client: TestClient):
    with transaction() as session:
        session.execute(text("UPDATE storage_location_config SET active = false"))
    shown = today(client)
    assert "Tres pasos y se puede contar" in shown
    assert 'href="/growing"' in shown
    upload_session(client)
    assert "Tres pasos" not in today(client)


def test_what_waits_is_grouped_by_reason_with_counts_and_one_example(client: TestClient):
    for seed in (1, 2):
        send(client, jpeg(seed))
    record_answers(upload_session(client, jpeg(3)), photo_count((100, 0)))
    record_answers(upload_session(client, jpeg(4)), photo_count((10, 0)))
    record_answers(upload_session(client, jpeg(5), location_code="A3"), photo_count((4, 0)))
    shown = today(client)
    groups = re.findall(r'href="/review\?reason=(\w+)"> <span class="how-many">(\d+)</span>', shown)
    assert groups == [("location_unknown", "2"), ("implausible_change", "1"), ("no_config", "1")]
    assert re.search(r"Bed A1 · [^<]+ · de 100 a 10 plantas", shown)
    assert '<b class="clay">4</b> esperan' in shown
    assert "Revisar las 4" in shown


def test_nothing_that_waits_leads_on_to_the_round(client: TestClient):
    shown = today(client)
    assert "Nada espera. La ronda sigue en Bed A1." in shown
    assert re.search(r'class="btn primary" href="/count\?bed=A1"', shown)
    assert "Revisar las" not in shown
    assert "/review?" not in shown


def test_a_blind_number_is_not_told_before_the_person_s(client: TestClient, monkeypatch):
    monkeypatch.setenv("DEMETER_BLIND_SHARE", "1")
    db.settings.cache_clear()
    record_answers(upload_session(client), photo_count((1234, 3)))
    shown = today(client)
    assert "Reconteo a ciegas" in shown
    assert "1.23" not in shown


def test_nobody_is_shown_what_their_role_may_not(client: TestClient):
    send(client, jpeg())
    pages = {role: today(client, role) for role in UserRole}
    may_review = {role for role, shown in pages.items() if "/review?reason" in shown}
    may_count = {role for role, shown in pages.items() if "/count?bed" in shown}
    assert may_review == {UserRole.ADMIN, UserRole.SUPERVISOR}
    assert may_count == {UserRole.ADMIN, UserRole.SUPERVISOR, UserRole.WORKER}


def test_a_worker_sees_the_next_bed_and_their_own_photos(client: TestClient):
    headers = signed_in("a-worker", UserRole.WORKER)
    answer = send(client, jpeg(), headers=headers, location_code="A1")
    assert answer.status_code == 202
    upload_session(client, jpeg(1), location_code="A3")
    shown = today(client, UserRole.WORKER)
    assert "Fotografiar Bed A2" in shown
    own = re.findall(r'href="/sessions/([0-9a-f-]{36})"', shown)
    assert own == [answer.json()["session_id"]]
    assert "Ver las 1" in shown


def test_the_round_is_what_has_no_photo_and_no_count_this_month(client: TestClient):
    del client
    now = datetime.now(UTC)
    with transaction() as session:
        before = monthly_round(session, now)
        assert (before.beds, before.left) == (3, 3)
    count_by_hand(40)
    with transaction() as session:
        after = monthly_round(session, now + timedelta(seconds=1))
        assert (after.left, after.next_bed.code if after.next_bed else None) == (2, "A2")
        following = monthly_round(session, now + timedelta(days=40))
        assert following.left == 3
        session.execute(text("UPDATE counts SET captured_at = captured_at - interval '70 days'"))
        assert monthly_round(session, now).left == 3


def test_after_the_last_bed_the_round_begins_again(client: TestClient):
    upload_session(client, location_code="A3")
    with transaction() as session:
        own_round = monthly_round(session, datetime.now(UTC))
    assert own_round.next_bed is not None
    assert own_round.next_bed.code == "A1"


def test_a_photo_that_could_not_be_read_leaves_the_bed_in_the_round(client: TestClient):
    record_answers(upload_session(client), None)
    with transaction() as session:
        assert monthly_round(session, datetime.now(UTC)).left == 3


def test_the_week_counts_each_bed_once_and_adds_up_what_changed(client: TestClient):
    count_by_hand(40)
    count_by_hand(30)
    with transaction() as session:
        week = week_of(session, datetime.now(UTC))
    assert week.beds == 1
    assert [day.beds for day in week.days if day.is_today] == [1]
    changes = week.changes
    on_hand = sum(
        getattr(changes, name)
        for name in ("planted", "dead", "sold", "differences", "first_counts", "adjusted")
    )
    assert on_hand == 30
    assert ">30</a>" in today(client)


def test_what_is_being_counted_renews_itself_only_when_something_changed(client: TestClient):
    upload_session(client)
    address = re.search(r'hx-get="(/parts/counting[^"]+)"', today(client))
    assert address
    assert client.get(address[1]).status_code == 204
    upload_session(client, jpeg(1), location_code="A2")
    assert client.get(address[1]).status_code == 200


def test_a_month_that_is_over_shows_its_exceptions_and_an_open_one_does_not(client: TestClient):
    now = datetime.now(UTC)
    with transaction() as session:
        service.open_period(session, supervisor(session), "2199-01")
        assert exceptions_left.exceptions_left(session, now) is None
        service.open_period(session, supervisor(session), "2026-01")
        left = exceptions_left.exceptions_left(session, now)
        assert left is not None
        assert (left.period_code, left.last_day.month, left.exceptions) == ("2026-01", 1, 0)
    assert "Excepciones de enero" in today(client)
    shown = client.get("/parts/exceptions", headers={"accept-language": "es"}).text
    assert "Nada que explicar" in shown


def test_more_sessions_take_no_more_statements(client: TestClient):
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        statements.append(statement)

    send(client, jpeg(100))
    today(client)
    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        today(client)
        few = len(statements)
        for seed in range(5):
            send(client, jpeg(seed))
            upload_session(client, jpeg(20 + seed))
        statements.clear()
        today(client)
        assert len(statements) == few
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=5), "ahora"),
        (timedelta(minutes=40), "hace 40 min"),
        (timedelta(hours=2), "hace 2 h"),
        (timedelta(hours=20), "ayer"),
        (timedelta(days=3), "hace 3 días"),
    ],
)
def test_ages_are_in_words(before: timedelta, words: str):
    now = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
    assert Ages(read("es"), now)(now - before) == words
