"""What waits for a person, in the order in which it is decided: by reason, then by age."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.core.permissions import Permission

# What decides about most plants comes first; reasons that are not listed come last.
ORDER = (
    "implausible_change",
    "location_unknown",
    "two_labels",
    "no_config",
    "needs_config",
    "other_product",
    "may_show_no_plants",
    "interval_too_wide",
    "units_of_photos_differ",
    "unit_not_as_set",
    "unit_not_as_last",
    "estimate_unknown",
    "photos_may_overlap",
    "image_failed",
    "no_container_found",
    "no_image_counted",
    "blind_recount",
    "stock_would_be_negative",
    "voided",
    "period_closed",
)


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """Where a session stands in the queue, from 1, and its neighbours.

    ``next_name`` is the bed of the next one; ``None`` where that is not known.
    """

    session_id: UUID
    place: int
    total: int
    previous_id: UUID | None
    next_id: UUID | None
    next_name: str | None


def first_place(session: Session, reason: str | None = None) -> QueuePlace | None:
    """The first session that waits, of one reason or of all; ``None`` where none does.

    A reason is a session's ``reason_code``, or the status of all that wait in it.
    """
    return _place(session, reason, None)


def place_of(session: Session, session_id: UUID, reason: str | None = None) -> QueuePlace | None:
    """Where a session stands; ``None`` where it waits for nobody, or for another reason."""
    return _place(session, reason, session_id)


def waiting_sessions(session: Session) -> int:
    """How many sessions wait for who asks."""
    values = {"reason": None, "decides": identity.has(Permission.DECIDE)}
    return session.execute(text(f"SELECT count(*) {_WAITING}"), values).scalar_one()


def _place(session: Session, reason: str | None, session_id: UUID | None) -> QueuePlace | None:
    values = {
        "reason": reason or None,
        "order": list(ORDER),
        "session": session_id,
        "decides": identity.has(Permission.DECIDE),
    }
    row = session.execute(text(_PLACES), values).mappings().one_or_none()
    return None if row is None else QueuePlace(**row)


# Who does not decide says which bed a photo shows, and counts blind.
_WAITING = """
FROM photo_processing_sessions f
LEFT JOIN storage_locations l ON l.location_id = f.storage_location_id
WHERE f.status IN ('needs_location', 'needs_config', 'needs_review', 'failed')
  AND (CAST(:reason AS text) IS NULL OR f.reason_code = :reason OR f.status::text = :reason)
  AND (:decides OR f.status = 'needs_location' OR f.reason_code = 'blind_recount')
"""

_PLACES = f"""
WITH waiting AS (
    SELECT f.session_id, row_number() OVER w AS place, count(*) OVER () AS total,
           lag(f.session_id) OVER w AS previous_id, lead(f.session_id) OVER w AS next_id,
           lead(l.name) OVER w AS next_name
    {_WAITING}
    WINDOW w AS (ORDER BY array_position(CAST(:order AS text[]), f.reason_code) NULLS LAST,
                          f.created_at, f.id)
)
SELECT * FROM waiting
WHERE CASE WHEN CAST(:session AS uuid) IS NULL THEN place = 1 ELSE session_id = :session END
"""  # noqa: S608  parts of the query itself
