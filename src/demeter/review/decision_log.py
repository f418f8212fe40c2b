"""Who decided and changed what of a session, and whether it is still as somebody has seen it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.counts.queries import standing_count
from demeter.photos.models import PhotoSession
from demeter.review.queries import count_etag

Kind = Literal["accepted", "corrected", "discarded", "restored", "marked", "redrawn"]


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """What a person did about a session, and what they wrote beside it.

    ``added`` and ``removed`` are marks on its photos.
    """

    kind: Kind
    by: str
    at: datetime
    note: str | None = None
    added: int = 0
    removed: int = 0


def last_decision(session: Session, photo_session: PhotoSession) -> DecisionMade | None:
    """The latest decision that is kept with a session; ``None`` where none is."""
    return next(iter(decisions(session, photo_session)), None)


def decisions(session: Session, photo_session: PhotoSession) -> list[DecisionMade]:
    """All that people did about a session, the latest first."""
    kept = [*_kept(photo_session), *_marked(session, photo_session)]
    names = _names(session, [row["by"] for row in kept])
    made = [DecisionMade(**{**row, "by": names.get(row["by"], str(row["by"]))}) for row in kept]
    return sorted(made, key=lambda decision: decision.at, reverse=True)


def seen_version(session: Session, photo_session: PhotoSession) -> str:
    """Changes whenever a decision about the session, or its count, does."""
    count = standing_count(session, photo_session.id)
    facts = (
        photo_session.attempt,
        photo_session.status.value,
        photo_session.reason_code,
        photo_session.storage_location_id,
        count_etag(session, count) if count is not None else None,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _kept(photo_session: PhotoSession) -> list[dict[str, Any]]:
    """Decisions as they stand in the session's own row."""
    kept = photo_session.manual_adjustments or {}
    rows = [_row("accepted", e["by"], e["at"], e.get("note")) for e in kept.get("accepted", ())]
    rows += [_row("corrected", e["by"], e["at"], e.get("reason")) for e in kept.get("changes", ())]
    rows += [_row("redrawn", e["by"], e["at"], e["reason"]) for e in kept.get("redrawn", ())]
    for entry in kept.get("discarded", ()):
        rows.append(_row("discarded", entry["by"], entry["at"], entry["reason"]))
        if "taken_back_by" in entry:
            rows.append(_row("restored", entry["taken_back_by"], entry["taken_back_at"], None))
    return rows


def _row(kind: Kind, by: Any, at: str, note: str | None) -> dict[str, Any]:
    return {"kind": kind, "by": by, "at": datetime.fromisoformat(at), "note": note}


def _marked(session: Session, photo_session: PhotoSession) -> list[dict[str, Any]]:
    """Changes of marks, those that a person made at once together."""
    rows = session.execute(text(_MARKED), {"session": photo_session.id}).mappings()
    return [{"kind": "marked"} | dict(row) for row in rows]


def _names(session: Session, people: Sequence[Any]) -> dict[Any, str]:
    """Full names by user name and by id, as both are kept."""
    users = session.scalars(
        select(User).where(User.id.in_(_of(int, people)) | User.username.in_(_of(str, people)))
    ).all()
    by_id = {user.id: user.full_name for user in users}
    return by_id | {user.username: user.full_name for user in users}


def _of(kind: type, people: Iterable[Any]) -> list[Any]:
    return [person for person in people if isinstance(person, kind)]


# What was written within one second was one act: rows have moments of their own. Marks that
# went along into a later attempt are told once.
_MARKED = """
SELECT DISTINCT ON (user_id, second) user_id AS by, at, note, added, removed
FROM (
    SELECT user_id, date_trunc('second', created_at) AS second, attempt,
           max(created_at) AS at, max(reason) AS note,
           count(*) FILTER (WHERE kind = 'added') AS added,
           count(*) FILTER (WHERE kind = 'removed') AS removed
    FROM detection_corrections WHERE session_id = :session
    GROUP BY user_id, second, attempt
) AS acts
ORDER BY user_id, second, attempt
"""
