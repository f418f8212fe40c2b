"""Who may do what: the roles that an operation declares."""

from __future__ import annotations

from fastapi import Depends

from demeter.core.http.idempotency import Once

SEES = {"x-roles": ["admin", "supervisor", "worker", "viewer"]}


REPORTS = {"x-roles": ["admin", "supervisor", "worker"]}


DECIDES = {"x-roles": ["admin", "supervisor"]}


KEYED = [Depends(Once)]  # taken on every POST; what changes nothing has nothing to remember
