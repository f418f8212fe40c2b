"""What was changed of people, places and the catalog: who, when, before and after."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from demeter.accounts import queries
from demeter.accounts.schemas import AuditRead
from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.web import render

router = APIRouter(prefix="/changes")

ON_A_PAGE = 50
Text = Annotated[str, Query(max_length=200)]


@router.get("", **requires(Permission.ADMINISTER))
def show_changes(
    request: Request,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    subject: Text = "",
    subject_key: Text = "",
    username: Text = "",
) -> Response:
    """Last first; each filter is as the list itself shows it."""
    asked = {"subject": subject, "subject_key": subject_key, "username": username}
    filters = {name: _clean(text) for name, text in asked.items()}
    with transaction() as session:
        page = queries.changes(
            session,
            limit=ON_A_PAGE,
            cursor=cursor,
            **{name: text or None for name, text in filters.items()},
        )
    return render.page(
        request,
        "changes.html",
        rows=[(row, _differences(row)) for row in page.items],
        filters=filters,
        next_cursor=page.next_cursor,
    )


def _differences(row: AuditRead) -> list[tuple[str, Any, Any]]:
    """Column, before, after; of a row that came or went all that was in it."""
    before, after = row.before or {}, row.after or {}
    return [(name, before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after])]


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()
