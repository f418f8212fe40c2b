"""A command is carried out once; its preview answers alike and keeps nothing."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from demeter.core import db
from demeter.core.http import permissions
from demeter.core.http.commands import post_with_preview, run_once
from demeter.core.http.idempotency import REPLAYED, OnceOnly
from demeter.core.idempotency_keys import IdempotencyKey
from demeter.core.permissions import Permission
from support.served import row_count

KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def commands(fresh_database: str) -> TestClient:
    """A server with one command, which writes a row."""
    router = APIRouter()

    @post_with_preview(
        router, "/notes", summary="Write", preview="Show", permission=Permission.REPORT
    )
    def write(body: dict[str, str], once: OnceOnly) -> dict[str, int]:
        """Write a row."""

        def act(session: Session) -> dict[str, int]:
            session.add(IdempotencyKey(key=body["note"], request_sha256="-"))
            session.flush()
            return {"length": len(body["note"])}

        return run_once(once, body, act)

    async def allow(_request: Request, _permission: Permission) -> None:
        """Everybody."""

    app = FastAPI()
    permissions.install(app, check=allow)
    app.include_router(router)
    return TestClient(app)


def test_a_preview_answers_as_the_command_does_and_keeps_nothing(commands: TestClient):
    body = {"note": "seven"}
    preview = commands.post("/notes/preview", json=body, headers=KEY)
    assert preview.json() == {"length": 5}
    assert row_count(IdempotencyKey) == 0
    command = commands.post("/notes", json=body, headers=KEY)
    assert command.json() == preview.json()
    assert REPLAYED not in command.headers
    assert row_count(IdempotencyKey) == 2  # the row and the key


def test_a_command_is_carried_out_once_under_a_key(commands: TestClient):
    first = commands.post("/notes", json={"note": "a"}, headers=KEY)
    again = commands.post("/notes", json={"note": "a"}, headers=KEY)
    assert first.json() == again.json()
    assert again.headers[REPLAYED] == "true"
    assert row_count(IdempotencyKey) == 2


def test_a_preview_runs_within_the_transaction_of_its_caller(session: Session):
    session.add(IdempotencyKey(key="before", request_sha256="-"))

    def act() -> int:
        session.add(IdempotencyKey(key="within", request_sha256="-"))
        session.flush()
        return session.query(IdempotencyKey).count()

    assert db.preview(session, act) == 2
    assert [row.key for row in session.query(IdempotencyKey)] == ["before"]
