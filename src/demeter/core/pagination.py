"""Pages by keyset: a page stays right while others write."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from demeter.core.errors import InvalidInput

Item = TypeVar("Item")
Row = TypeVar("Row")


class BadCursor(InvalidInput):
    """The cursor is not one that a page gave."""

    code = "bad_cursor"
    title = "This cursor is not one of ours"
    next_action = "Begin again without a cursor."


class Page(BaseModel, Generic[Item]):
    """A page of rows; ``next_cursor`` leads on, and is null on the last page."""

    items: list[Item]
    next_cursor: str | None = Field(description="give it back as `cursor`; null: there is no more")


def next_cursor(
    rows: Sequence[Row], limit: int, kind: str, row_id: Callable[[Row], int]
) -> str | None:
    """The cursor of the next page, ``None`` on the last one.

    ``rows`` are the ``limit + 1`` that were read; ``kind`` is one letter for what is listed.
    """
    return f"{kind}{row_id(rows[limit - 1]):x}" if len(rows) > limit else None


def last_id(cursor: str | None, kind: str) -> int | None:
    """The id of the last row of the page before; ``None`` at the beginning.

    Raises:
        BadCursor: ``cursor`` did not come from a page of this kind.
    """
    if cursor is None:
        return None
    if not re.fullmatch(rf"{kind}[0-9a-f]{{1,15}}", cursor):
        raise BadCursor(f"{cursor!r} is not a cursor that a page gave")
    return int(cursor[1:], 16)


def where_clause(conditions: list[str]) -> str:
    """Only what is asked for: the database then plans for it, and pages cost the same anywhere."""
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""
