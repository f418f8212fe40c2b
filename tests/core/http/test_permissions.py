"""Every route asks for one permission, through one check; the public ones are listed."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, Request
from fastapi.routing import RouteContext, iter_route_contexts
from fastapi.testclient import TestClient

from demeter.accounts.models import UserRole
from demeter.app import create_app
from demeter.core.errors import DomainError
from demeter.core.http import permissions
from demeter.core.http.permissions import PUBLIC, Requirement
from demeter.core.permissions import ROLES, Permission

APP = create_app()
ROUTES = list(iter_route_contexts(APP.routes))
CLOSED = [route for route in ROUTES if route.path not in PUBLIC]


class NotAllowed(DomainError):
    status = 403
    code = "not_allowed"


def name(route: RouteContext) -> str:
    return f"{sorted(route.methods or [])} {route.path}"


def asked_for(route: RouteContext) -> list[Permission]:
    dependencies = getattr(route, "dependencies", [])
    return [
        dependency.dependency.permission
        for dependency in dependencies
        if isinstance(dependency.dependency, Requirement)
    ]


@pytest.mark.parametrize("route", CLOSED, ids=name)
def test_every_route_that_is_not_public_asks_for_one_permission(route: RouteContext):
    (permission,) = asked_for(route)
    assert route.openapi_extra["x-roles"] == list(ROLES[permission])


@pytest.mark.parametrize("path", PUBLIC)
def test_what_is_public_is_there_and_asks_for_nothing(path: str):
    served = [route for route in ROUTES if route.path == path]
    assert served
    assert [asked_for(route) for route in served] == [[]] * len(served)


def test_only_health_the_language_static_files_and_the_door_are_public():
    door = {"login", "logout", "start", "join", "reset", "enter"}
    shell = {"sw.js", "count"}  # the page of counting without anybody in it
    assert {path.split("/")[1] for path in PUBLIC} == {
        "health",
        "metrics",  # it asks by itself: tests/monitoring/test_metrics.py
        "language",
        "static",
    } | door | shell
    assert [path for path in PUBLIC if path.startswith("/count")] == ["/count/shell/{language}"]


def test_roles_are_those_of_the_accounts_and_each_permission_is_part_of_the_one_before():
    assert set(ROLES) == set(Permission)
    assert ROLES[Permission.SEE] == tuple(UserRole)
    for wider, narrower in zip(list(Permission), list(Permission)[1:], strict=False):
        assert set(ROLES[narrower]) < set(ROLES[wider])


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", "/api/v1/stock/photo", Permission.REPORT),
        ("POST", "/api/v1/stock/movements", Permission.REPORT),
        ("POST", "/api/v1/photos/sessions/{session_id}/location", Permission.REPORT),
        ("POST", "/api/v1/photos/sessions/{session_id}/accept", Permission.DECIDE),
        ("POST", "/api/v1/photos/sessions/{session_id}/reprocess", Permission.DECIDE),
        ("POST", "/api/v1/photos/sessions/{session_id}/corrections", Permission.DECIDE),
        ("PUT", "/api/v1/photos/sessions/{session_id}/containers", Permission.DECIDE),
        ("POST", "/api/v1/stock/counts/{count_id}/void", Permission.REPORT),  # their own, for a day
        ("POST", "/api/v1/stock/counts/{count_id}/repost", Permission.DECIDE),
        ("POST", "/api/v1/periods/{code}/close", Permission.DECIDE),
        ("GET", "/api/v1/photos/sessions/{session_id}", Permission.SEE),
        ("GET", "/", Permission.SEE),
        ("GET", "/count", Permission.REPORT),
        ("POST", "/upload", Permission.REPORT),
        ("POST", "/sessions/{session_id}/accept", Permission.DECIDE),
    ],
)
def test_who_may_do_what_is_as_people_agreed(method: str, path: str, permission: Permission):
    (route,) = [r for r in ROUTES if r.path == path and method in (r.methods or ())]
    assert asked_for(route) == [permission]


def test_a_preview_asks_for_what_its_command_asks_for():
    posts = {r.path: asked_for(r) for r in ROUTES if "POST" in (r.methods or ())}
    previews = [path for path in posts if path and path.endswith("/preview")]
    assert len(previews) == 8
    for path in previews:
        assert posts[path] == posts[path.removesuffix("/preview")]


def test_the_one_check_refuses_before_anything_is_read_or_done():
    asked: list[Permission] = []

    async def refuse(request: Request, permission: Permission) -> None:
        asked.append(permission)
        raise NotAllowed(f"{request.url.path} is not for everyone")

    app: FastAPI = create_app()
    permissions.install(app, check=refuse)
    client = TestClient(app, base_url="http://localhost")
    assert client.post("/api/v1/stock/photo", content=b"no form").json()["code"] == "not_allowed"
    assert client.post("/api/v1/stock/movements", json={}).status_code == 403
    assert client.get("/").status_code == 403
    assert client.get("/api/v1/docs").status_code == 403
    assert asked == [Permission.REPORT, Permission.REPORT, Permission.SEE, Permission.SEE]
    assert client.get("/health/live").status_code == 200
