"""Who may do what."""

from __future__ import annotations

from fastapi import Request

from demeter.core.http.permissions import Permission


def allow_everyone(request: Request, permission: Permission) -> None:
    """Until people can log in, whoever reaches the server has every permission.

    It listens on loopback, and `core.http.guards` refuses other names and other sites' pages.
    """
