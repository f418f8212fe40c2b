"""Sessions page by page, latest first, by keyset: a page stays right while others arrive."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Select, case, select
from sqlalchemy.orm import Session, selectinload

from demeter.core.errors import InvalidInput
from demeter.photos import redaction, session_detail
from demeter.photos import urls as addresses
from demeter.photos.models import PhotoSession, SessionImage, SessionStatus
from demeter.photos.schemas import SessionPage, SessionSummary

NEEDS_A_PERSON = (
    SessionStatus.NEEDS_LOCATION,
    SessionStatus.NEEDS_CONFIG,
    SessionStatus.NEEDS_REVIEW,
    SessionStatus.FAILED,
)


class BadCursor(InvalidInput):
    """The cursor is not one that a page gave."""

    code = "bad_cursor"
    title = "This cursor is not one of ours"
    next_action = "Begin again without a cursor."


def page(
    session: Session,
    *,
    limit: int,
    cursor: str | None = None,
    status: Sequence[SessionStatus] = (),
    location_code: str | None = None,
) -> SessionPage:
    """A page of sessions, latest first.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    query = _all().order_by(PhotoSession.id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(PhotoSession.id < _position(cursor))
    if status:
        query = query.where(PhotoSession.status.in_(status))
    if location_code is not None:
        query = query.where(PhotoSession.requested_location_code == location_code)
    rows = list(session.scalars(query))
    more = len(rows) > limit
    return SessionPage(
        items=[redaction.in_list(session, row, summary(row)) for row in rows[:limit]],
        next_cursor=f"s{rows[limit - 1].id:x}" if more else None,
    )


def for_a_person(session: Session, limit: int) -> list[SessionSummary]:
    """What waits for a person first, then what is under way, then the rest, latest first."""
    rank = case(
        (PhotoSession.status.in_(NEEDS_A_PERSON), 0),
        (PhotoSession.status == SessionStatus.COMPLETED, 2),
        else_=1,
    )
    query = _all().order_by(rank, PhotoSession.id.desc()).limit(limit)
    return [redaction.in_list(session, row, summary(row)) for row in session.scalars(query)]


def summary(found: PhotoSession) -> SessionSummary:
    """A session in a few words."""
    names = "session_id status reason_code next_action attempt created_at captured_at posted_at"
    urls = addresses.of_session(found.session_id)
    numbers = session_detail.totals(found)
    del numbers["unknown_reason"]
    return SessionSummary.model_validate(
        {name: getattr(found, name) for name in names.split()}
        | numbers
        | {
            "progress": session_detail.progress(found),
            "location_code": found.requested_location_code,
            "photos": len(found.images),
            "thumbnail_url": _thumbnail(found),
            "poll_url": urls["poll_url"],
            "page_url": urls["page_url"],
        }
    )


def _thumbnail(found: PhotoSession) -> str | None:
    if not found.images:
        return None
    first = found.images[0].image
    return addresses.of_image(first.image_id, "thumbnail", first.s3_key_thumbnail)


def _all() -> Select[PhotoSession]:
    return select(PhotoSession).options(
        selectinload(PhotoSession.images).joinedload(SessionImage.image)
    )


def _position(cursor: str) -> int:
    if not re.fullmatch("s[0-9a-f]{1,15}", cursor):
        raise BadCursor(f"{cursor!r} is not a cursor")
    return int(cursor[1:], 16)
