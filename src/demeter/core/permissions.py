"""Permissions by name, and the roles that have each; features name one for what they do.

What asks for them on a route is in `core.http.permissions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Permission(StrEnum):
    """What people may do."""

    SEE = "see"
    REPORT = "report"
    DECIDE = "decide"
    ADMINISTER = "administer"


ROLES: Mapping[Permission, tuple[str, ...]] = {
    Permission.SEE: ("admin", "supervisor", "worker", "viewer"),
    Permission.REPORT: ("admin", "supervisor", "worker"),
    Permission.DECIDE: ("admin", "supervisor"),
    Permission.ADMINISTER: ("admin",),
}
