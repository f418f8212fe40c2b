"""One key, one effect: also for two requests at the same moment, and never across contents."""

from __future__ import annotations

import threading

from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.core.db import transaction
from demeter.core.idempotency_keys import IdempotencyKey
from demeter.photos.models import PhotoSession
from support.served import client, jpeg, row_count, send

__all__ = ["client"]


def test_ten_requests_under_one_key_at_once_have_one_effect(client: TestClient):
    answers = []

    def one() -> None:
        answers.append(send(client, jpeg(), headers={"Idempotency-Key": "k"}, location_code="A1"))

    threads = [threading.Thread(target=one) for _ in range(10)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert [a.status_code for a in answers] == [202] * 10
    assert len({a.text for a in answers}) == 1
    assert sum("idempotency-replayed" not in a.headers for a in answers) == 1
    assert row_count(PhotoSession) == row_count(IdempotencyKey) == 1


def test_a_key_of_last_week_is_forgotten(client: TestClient):
    send(client, jpeg(), headers={"Idempotency-Key": "old"}, location_code="A1")
    with transaction() as session:
        session.execute(text("UPDATE idempotency_keys SET created_at = now() - interval '8 days'"))
    send(client, jpeg(1), headers={"Idempotency-Key": "new"}, location_code="A1")
    with transaction() as session:
        assert session.scalars(text("SELECT key FROM idempotency_keys")).all() == ["new"]


def test_a_key_that_is_no_key_is_refused(client: TestClient):
    for key in ("", "k" * 201):
        answer = send(client, jpeg(), headers={"Idempotency-Key": key}, location_code="A1")
        assert answer.status_code == 422
        assert "idempotency-key" in answer.json()["detail"].lower()
