"""ETags: who changes a row says which state of it they saw, and who comes second is told."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import BaseModel

from demeter.core.errors import DomainError


class RowChanged(DomainError):
    """Somebody changed it after it was read: ``now`` is what it is, ``yours`` what was asked."""

    status = 412
    code = "row_changed"
    title = "Somebody changed this meanwhile"
    next_action = "Look at what it is now, and change that."


def etag_of(read: BaseModel) -> str:
    """A strong ETag of what a client is shown."""
    return f'"{hashlib.sha256(read.model_dump_json().encode()).hexdigest()[:20]}"'


def require_match(
    read: BaseModel, if_match: str | None, what: str, asked: BaseModel | None = None
) -> None:
    """Refuse a change by somebody who saw another state; no ``If-Match`` asks for nothing.

    ``asked`` is the change, to be shown beside what the row is now.

    Raises:
        RowChanged: none of the ETags in ``if_match`` is that of ``read``.
    """
    if if_match is None or if_match.strip() == "*":
        return
    if etag_of(read) not in {tag.strip().removeprefix("W/") for tag in if_match.split(",")}:
        now: dict[str, Any] = read.model_dump(mode="json")
        yours = asked.model_dump(mode="json", exclude_unset=True) if asked else None
        raise RowChanged(f"{what} was changed after you read it", now=now, yours=yours)
