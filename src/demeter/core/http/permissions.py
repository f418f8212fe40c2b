"""Which permission each route asks for; who has which role is decided by the accounts.

A route declares one: ``@router.post("/movements", **requires(Permission.REPORT))``. Its roles
stand in the OpenAPI document as ``x-roles``. What lets a request pass is the one check that
`app.create_app` installs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.params import Depends as Dependency

from demeter.core.permissions import ROLES, Permission

# Served to whoever can reach the server: it says nothing about the nursery, or lets people in.
PUBLIC = (
    "/health/live",
    "/health/ready",
    "/metrics",  # itself asks where a request comes from, or for a token
    "/language",
    "/static",
    "/sw.js",
    "/count/shell/{language}",
    "/login",
    "/logout",
    "/start/{secret}",
    "/join/{secret}",
    "/reset/{secret}",
    "/enter/{secret}",
)

Check = Callable[[Request, Permission], Awaitable[None]]


def install(app: FastAPI, check: Check) -> None:
    """Ask ``check`` before each request; it raises where the permission is missing."""
    app.state.permission_check = check


class Requirement:
    """The dependency that asks for one permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> None:
        """Let the request pass, or raise as the installed check does."""
        await request.app.state.permission_check(request, self.permission)


def requires(
    permission: Permission,
    *,
    dependencies: Sequence[Dependency] = (),
    openapi: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a route's decorator takes to ask for a permission and to say so in the document."""
    return {
        "dependencies": [Depends(Requirement(permission)), *dependencies],
        "openapi_extra": {"x-roles": list(ROLES[permission]), **(openapi or {})},
    }
