"""Every error is a problem with a stable type, for machines; a page with advice, for people."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from demeter.app import create_app
from demeter.core.errors import Conflict

PROBLEM = "application/problem+json"


class TooManyCacti(Conflict):
    code = "too_many_cacti"
    title = "Too many cacti"
    next_action = "Give one away."


@pytest.fixture
def broken() -> TestClient:
    """The server with routes that fail in every way there is."""
    app: FastAPI = create_app()

    @app.get("/api/fact")
    def fact() -> None:
        raise TooManyCacti("7 cacti, room for 5", cacti=7)

    @app.get("/api/bug")
    @app.get("/bug")
    def bug() -> None:
        raise ZeroDivisionError("the secret number is 42")

    @app.get("/api/database")
    def database() -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    @app.get("/api/number/{number}")
    def number(number: int) -> int:
        return number

    return TestClient(app, base_url="http://localhost")


def test_a_fact_leaves_with_its_type_numbers_and_next_action(broken: TestClient):
    answer = broken.get("/api/fact")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json() == {
        "type": "urn:demeter:error:too_many_cacti",
        "title": "Too many cacti",
        "status": 409,
        "detail": "7 cacti, room for 5",
        "code": "too_many_cacti",
        "next_action": "Give one away.",
        "cacti": 7,
        "instance": "/api/fact",
    }


def test_a_bug_is_told_by_an_id_and_logged_whole(broken: TestClient):
    with capture_logs(processors=[merge_contextvars]) as logged:
        answer = broken.get("/api/bug", headers={"x-request-id": "abc-1"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["x-request-id"] == "abc-1"
    assert answer.json()["correlation_id"] == "abc-1"
    assert "42" not in answer.text
    failed = next(entry for entry in logged if entry["event"] == "request_failed")
    assert failed["error"] == "ZeroDivisionError: the secret number is 42"
    assert failed["request_id"] == "abc-1"
    assert failed["exc_info"]


def test_an_id_that_would_spoil_the_log_is_replaced(broken: TestClient):
    for sent_id in ("a b", "x" * 65, ""):
        answer = broken.get("/health/live", headers={"x-request-id": sent_id})
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_a_database_that_is_away_is_a_503(broken: TestClient):
    answer = broken.get("/api/database")
    assert answer.status_code == 503
    assert answer.json()["code"] == "database_unavailable"


def test_a_field_that_is_wrong_is_named(broken: TestClient):
    problem = broken.get("/api/number/many").json()
    assert problem["status"] == 422
    assert problem["errors"][0]["field"] == "number"


@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("DELETE", 404)])
def test_an_address_with_nothing_behind_it_is_a_problem_too(broken: TestClient, method, status):
    answer = broken.request(method, "/api/v1/nothing")
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert broken.delete("/api/v1/photos/sessions").status_code == 405


def test_a_browser_gets_a_page_with_advice(broken: TestClient):
    browser = {"accept": "text/html,*/*", "accept-language": "es"}
    answer = broken.get("/nowhere", headers=browser)
    assert answer.status_code == 404
    assert "Aquí no hay nada" in answer.text
    answer = broken.get("/bug", headers=browser | {"x-request-id": "abc-2"})
    assert answer.status_code == 500
    assert "abc-2" in answer.text
    assert "Traceback" not in answer.text


def test_a_program_that_goes_away_is_no_error(broken: TestClient):
    from starlette.requests import ClientDisconnect  # noqa: PLC0415

    @broken.app.post("/api/gone")  # type: ignore[attr-defined]
    async def gone(_request: Request) -> None:
        raise ClientDisconnect

    with capture_logs() as logged, pytest.raises(AssertionError):  # there is nobody to answer
        broken.post("/api/gone")
    assert [e["event"] for e in logged if e["log_level"] != "info"] == []
    assert "client_went_away" in [entry["event"] for entry in logged]
