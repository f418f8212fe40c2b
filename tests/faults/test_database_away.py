"""While the database is away: 503 with Retry-After, in the person's language; nothing by halves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from fastapi.testclient import TestClient

from journeys.test_blind_walk import VALUES, addresses
from support.outages import Database
from support.served import client, jpeg, send
from support.upserver import until

assert client  # pytest finds the fixture by its name here

AN_ID = "7d0c8a52-5b41-4f0e-8a53-1f1f3f0f9c10"
FILLED = VALUES | {"session_id": [AN_ID], "key": ["1"], "count_id": [AN_ID], "image_id": [AN_ID]}
ALIVE = {"/health/live", "/metrics", "/sw.js", "/count/shell/es"}
BROWSER = {"accept": "text/html,*/*", "cookie": "language=es"}
WRITTEN = ("photo_processing_sessions", "s3_images", "blob_inbox", "procrastinate_jobs")


@pytest.fixture
def database(client: TestClient, fresh_database: str) -> Database:
    return Database(fresh_database)


def assert_away(answer, address: str) -> None:
    assert answer.status_code == 503, address
    assert int(answer.headers["retry-after"]) > 0, address
    if answer.headers["content-type"].startswith("application/problem+json"):
        assert answer.json()["code"] == "database_unavailable", address
    else:
        assert "La base de datos no responde" in answer.text, address
        assert int(answer.headers["refresh"]) > 0, address


def test_every_address_says_so_and_is_back_by_itself(client: TestClient, database: Database):
    walked = addresses(client, FILLED)
    with database.away():
        for address in walked:
            answer = client.get(address, headers=BROWSER)
            if address in ALIVE:
                assert answer.status_code == 200, address
            elif address != "/health/ready":
                assert_away(answer, address)
    for address in ("/", "/sessions", "/api/v1/photos/sessions", "/health/ready"):
        assert client.get(address, headers=BROWSER).status_code == 200, address


def leave_within(client: TestClient, database: Database, walked: list[str]) -> None:
    """Each address, with the database leaving after it was seen who asks."""
    met = 0
    for address in walked:
        with database.away_from_transaction(2):
            answer = client.get(address, headers=BROWSER)
        if answer.status_code >= 500 and address != "/health/ready":
            assert_away(answer, address)
            met += 1
    assert met > 0


def test_a_database_that_leaves_in_the_middle_of_a_request_is_the_same(
    client: TestClient, database: Database
):
    leave_within(client, database, ["/", "/sessions", "/jobs", "/api/v1/photos/sessions"])


@pytest.mark.long
def test_at_every_address_too(client: TestClient, database: Database):
    leave_within(client, database, addresses(client, FILLED))


def test_a_change_says_so_too(client: TestClient, database: Database):
    with database.away():
        for path, operations in client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
            for method in set(operations) - {"get"}:
                answer = client.request(method, path.replace("{", "").replace("}", ""))
                assert_away(answer, f"{method} {path}")
        answer = client.post("/upload", headers=BROWSER)
        assert (answer.status_code, "refresh" in answer.headers) == (503, False)
        assert "La base de datos no responde" in answer.text


def test_an_upload_that_the_database_leaves_is_taken_wholly_the_next_time(
    client: TestClient, database: Database, fresh_database: str
):
    key = {"idempotency-key": "the-same-upload"}
    before = rows(fresh_database)
    holder = psycopg.connect(fresh_database)  # it is ended with the others
    with ThreadPoolExecutor(1) as phone:
        holder.execute("LOCK TABLE blob_inbox IN ACCESS EXCLUSIVE MODE")
        upload = phone.submit(send, client, jpeg(1), jpeg(2), headers=key, location_code="A1")
        with psycopg.connect(fresh_database, autocommit=True) as looker:
            blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
            until(lambda: looker.execute(blocked + "current_database()").fetchall(), "it writes")
        database.go()
        answer = upload.result(60)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    database.come()
    assert rows(fresh_database) == before
    again = send(client, jpeg(1), jpeg(2), headers=key, location_code="A1")
    assert again.status_code == 202
    once = rows(fresh_database)
    assert once["photo_processing_sessions"] == before["photo_processing_sessions"] + 1
    assert once["s3_images"] == before["s3_images"] + 2
    third = send(client, jpeg(1), jpeg(2), headers=key, location_code="A1")
    assert third.json() == again.json()
    assert rows(fresh_database) == once


def rows(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
            for table in WRITTEN
        }
