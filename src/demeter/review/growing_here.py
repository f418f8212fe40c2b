"""What grows where a session's photos were taken, said in its review: its count is tried again."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.catalog.service import Growing, set_location_config
from demeter.locations.errors import LocationGone
from demeter.locations.models import StorageLocation
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.photos.sessions import lock_by_uuid, require_not_discarded
from demeter.review import session_decisions


def say_growing(session: Session, session_id: UUID, user: User, growing: Growing) -> PhotoSession:
    """Say it of a session that waits to know it, or whose bed is said to grow something else.

    Raises:
        SessionNotWaiting: the session waits for nothing that this settles.
        LocationGone: its location was deleted.
    """
    photo_session = lock_by_uuid(session, session_id)
    if photo_session.status is SessionStatus.NEEDS_CONFIG:
        return session_decisions.configure(session, session_id, user, growing)
    require_not_discarded(photo_session)
    location = session.get(StorageLocation, photo_session.storage_location_id or 0)
    if location is None:
        raise LocationGone(f"the location of session {session_id} does not exist any more")
    set_location_config(session, location, growing)
    return session_decisions.retry_posting(session, session_id, user)
