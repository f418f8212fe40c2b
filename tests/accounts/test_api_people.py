"""People, tokens and the record of changes over HTTP; what each role may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import update

from demeter.accounts import people
from demeter.accounts.models import ApiToken, UserRole
from demeter.app import create_app
from demeter.core.db import transaction
from demeter.core.http.permissions import PUBLIC, Requirement
from demeter.core.permissions import ROLES
from support.served import client
from support.signing_in import signed_in

__all__ = ["client"]
PEOPLE, TOKENS, ME = "/api/v1/people", "/api/v1/tokens", "/api/v1/me"


def add(client: TestClient, name: str = "Ana Quiroga", **fields: object):
    return client.post(PEOPLE, json={"name": name, "role": "worker", **fields})


def test_without_a_token_everything_is_refused(client: TestClient):
    del client.headers["Authorization"]
    answer = client.get(PEOPLE)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_a_person_is_added_invited_changed_and_let_go(client: TestClient):
    added = add(client)
    assert added.status_code == 201
    person = added.json()["person"]
    assert (person["username"], person["has_password"], person["updated_at"]) == (
        "ana",
        False,
        None,
    )
    assert "/join/" in added.json()["link"]
    assert add(client).json()["person"]["username"] == "ana2"
    assert add(client, username="ana").json()["code"] == "user_name_taken"
    changed = client.patch(f"{PEOPLE}/ana", json={"role": "supervisor", "name": "Ana Q"})
    assert (changed.json()["role"], changed.json()["name"]) == ("supervisor", "Ana Q")
    assert client.patch(f"{PEOPLE}/ana", json={"is_active": False}).json()["is_active"] is False
    found = client.get(PEOPLE, params={"search": "ana q", "active": False}).json()["items"]
    assert [row["username"] for row in found] == ["ana"]


def test_the_second_of_two_who_change_a_person_is_told_and_sees_both(client: TestClient):
    add(client)
    etag = client.get(f"{PEOPLE}/ana").headers["etag"]
    first = client.patch(f"{PEOPLE}/ana", json={"role": "viewer"}, headers={"If-Match": etag})
    assert first.status_code == 200
    second = client.patch(f"{PEOPLE}/ana", json={"role": "admin"}, headers={"If-Match": etag})
    assert (second.status_code, second.json()["code"]) == (412, "row_changed")
    assert second.json()["now"]["role"] == "viewer"


def test_an_address_that_somebody_has_is_refused_by_name(client: TestClient):
    for name in ("Ana Gil", "Eva Ruiz"):
        body = {"name": name, "role": "worker", "email": f"{name[:3].lower()}@example.org"}
        assert client.post("/api/v1/people", json=body).status_code == 201
    path = "/api/v1/people/eva"
    etag = client.get(path).headers["etag"]
    changed = {"email": "ana@example.org"}
    taken = client.patch(path, json=changed, headers={"if-match": etag})
    assert (taken.status_code, taken.json()["code"]) == (409, "user_name_taken")
    same = client.patch(path, json={"email": "eva@example.org"}, headers={"if-match": etag})
    assert same.status_code == 200


def test_a_repeated_request_adds_nobody_and_tells_no_secret_again(client: TestClient):
    key = {"Idempotency-Key": str(uuid4())}
    body = {"name": "Ana", "role": "worker"}
    first = client.post(PEOPLE, json=body, headers=key).json()
    again = client.post(PEOPLE, json=body, headers=key).json()
    assert again["person"] == first["person"]
    assert (first["link"] is not None, again["link"]) == (True, None)


def test_one_key_of_two_people_is_two_keys(client: TestClient):
    key = {"Idempotency-Key": "the same"}
    one = client.post(TOKENS, json={"name": "a"}, headers=key)
    other = client.post(TOKENS, json={"name": "b"}, headers=key | signed_in("luis"))
    assert (one.status_code, other.status_code) == (201, 201)
    assert client.post(TOKENS, json={"name": "c"}, headers=key).status_code == 409


def test_a_token_acts_as_its_person_with_no_more_than_its_scope(client: TestClient):
    secret = client.post(TOKENS, json={"name": "reader", "role": "viewer"}).json()["secret"]
    reader = {"Authorization": f"Bearer {secret}"}
    assert client.get(ME, headers=reader).json()["role"] == "viewer"
    assert client.get(PEOPLE, headers=reader).status_code == 200
    refused = client.post(PEOPLE, json={"name": "Eva", "role": "worker"}, headers=reader)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    made = client.post(TOKENS, json={"name": "more", "role": "admin"}, headers=reader)
    assert (made.status_code, made.json()["code"]) == (403, "role_too_high")


@pytest.mark.parametrize("end", ["revoked", "expired", "tampered", "inactive", "cut"])
def test_a_token_that_is_not_whole_opens_nothing(client: TestClient, end: str):
    with_luis = signed_in("luis", UserRole.WORKER)
    made = client.post(TOKENS, json={"name": "phone"}, headers=with_luis).json()
    secret, token_id = made["secret"], made["token"]["id"]
    match end:
        case "revoked":
            assert client.delete(f"{TOKENS}/{token_id}", headers=with_luis).status_code == 200
        case "expired":
            past = datetime.now(UTC) - timedelta(seconds=1)
            with transaction() as session:
                session.execute(
                    update(ApiToken).where(ApiToken.id == token_id).values(expires_at=past)
                )
        case "tampered":
            secret = secret[:-1] + ("A" if secret[-1] != "A" else "B")
        case "inactive":
            client.patch(f"{PEOPLE}/luis", json={"is_active": False})
        case _:
            secret = secret[:-1]
    answer = client.get(ME, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401


def test_others_tokens_are_an_admins_business(client: TestClient):
    luis = signed_in("luis", UserRole.WORKER)
    mine = client.post(TOKENS, json={"name": "mine"}).json()["token"]["id"]
    assert client.delete(f"{TOKENS}/{mine}", headers=luis).status_code == 403
    assert client.get(TOKENS, params={"everybody": True}, headers=luis).status_code == 403
    assert (
        client.post(TOKENS, json={"name": "x", "username": "rosa"}, headers=luis).status_code == 403
    )
    assert client.get(TOKENS, params={"everybody": True}).status_code == 200


def test_the_last_admin_stays(client: TestClient):
    with transaction() as session:
        boss = people.add_person(session, "Boss", UserRole.ADMIN)
        people.set_password(session, boss, "tres palabras largas")
    for change in ({"role": "worker"}, {"is_active": False}):
        answer = client.patch(f"{PEOPLE}/boss", json=change, headers=signed_in("boss"))
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


def test_every_change_is_recorded_with_who_and_what_and_no_secret(client: TestClient):
    add(client)
    client.patch(f"{PEOPLE}/ana", json={"role": "viewer"}, headers=signed_in("marta"))
    last, first = client.get("/api/v1/audit", params={"subject_key": "ana"}).json()["items"]
    assert (first["act"], first["username"]) == ("insert", "demeter-service")
    assert first["after"]["hashed_password"] == "•••"
    assert (last["act"], last["username"]) == ("update", "marta")
    assert (last["before"], last["after"]) == ({"role": "worker"}, {"role": "viewer"})
    refused = client.get("/api/v1/audit", headers=signed_in("luis", UserRole.SUPERVISOR))
    assert refused.status_code == 403


@pytest.mark.parametrize("kind", ["ventas", "ajuste", "muerte"])
def test_sales_and_adjustments_are_a_supervisors(client: TestClient, kind: str):
    body = {
        "movement_id": str(uuid4()),
        "movement_type": kind,
        "location_code": "A1",
        "quantity": 1,
        "reason": "counted again",
    }
    luis = signed_in("luis", UserRole.WORKER)
    refused = client.post("/api/v1/stock/movements", json=body, headers=luis)
    assert (refused.json()["code"] == "not_allowed") == (kind != "muerte")
    luis = signed_in("luis", UserRole.SUPERVISOR)
    answer = client.post("/api/v1/stock/movements", json=body, headers=luis)
    assert answer.json()["code"] != "not_allowed"


def closed_routes() -> list[tuple[str, str, tuple[str, ...]]]:
    """Each route's method, address and roles, from the routes themselves."""
    rows = []
    for route in iter_route_contexts(create_app().routes):
        if route.path in PUBLIC:
            continue
        (permission,) = [
            dependency.dependency.permission
            for dependency in getattr(route, "dependencies", [])
            if isinstance(dependency.dependency, Requirement)
        ]
        rows += [(method, route.path, ROLES[permission]) for method in route.methods or ()]
    return [row for row in rows if row[0] != "HEAD"]


@pytest.mark.parametrize("role", [None, *UserRole], ids=lambda role: role or "anonymous")
def test_each_role_may_what_the_table_says_on_every_route(
    client: TestClient, role: UserRole | None
):
    """A refusal comes before anything is read, so nonsense in the address does for all."""
    headers = signed_in("luis", role) if role else {"Authorization": "Bearer none"}
    wrong = []
    for method, path, roles in closed_routes():
        address = path.replace("{", "").replace("}", "")
        status = client.request(method, address, headers=headers).status_code
        refused = {401} if role is None else {403}
        may = role is not None and role in roles
        if (status in refused) == may:
            wrong.append((method, path, status))
    assert wrong == []
