"""What is decided about a count, whether photos or a person made it: each to its own rules."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from demeter.counts import service
from demeter.counts.errors import CountNotFound, CountState, InvalidCount
from demeter.counts.models import Count
from demeter.counts.schemas import Correction, MoveCount
from demeter.photos.models import PhotoSession
from demeter.review import photo_counts as of_photos
from demeter.stock import commands, lookup
from demeter.stock.changes import Effect
from demeter.stock.schemas import Report


def correct(session: Session, count_id: int, body: Correction) -> Effect:
    """Say what a count should have said, container by container.

    Raises:
        CountNotFound, CountState: there is none, or it is void.
        InvalidCount: a container is not of this count, or is named twice.
    """
    photo = _standing(session, count_id)
    told = commands.told_of(session, body)
    answers = {one.container_id: one.plants for one in body.containers}
    if len(answers) < len(body.containers):
        raise InvalidCount("a container is corrected twice")
    if photo is None:
        return service.correct(session, told, count_id, answers)
    indexes = {
        row.id: row.container_index or -row.id
        for row in session.get_one(Count, count_id).containers
    }
    unknown = sorted(set(answers) - set(indexes))
    if unknown:
        raise InvalidCount(f"count {count_id} has no container {unknown[0]}", unknown=unknown)
    by_index = {indexes[container]: plants for container, plants in answers.items()}
    return of_photos.correct(session, told, photo, by_index)


def repost(session: Session, count_id: int, body: Report) -> Effect:
    """Post a count again; it writes the net difference only.

    Raises:
        CountNotFound: there is none of this id.
    """
    photo = _session_of(session, count_id)
    told = commands.told_of(session, body)
    if photo is None:
        return service.repost(session, told, count_id)
    return of_photos.repost(session, told, photo)


def void(session: Session, count_id: int, body: Report) -> Effect:
    """Take a count back.

    Raises:
        CountNotFound, CountState: there is none, or it is void already.
    """
    photo = _standing(session, count_id)
    told = commands.told_of(session, body)
    if photo is None:
        return service.void(session, told, count_id)
    return of_photos.void(session, told, photo)


def move(session: Session, count_id: int, body: MoveCount) -> Effect:
    """The photos of a count show another location.

    Raises:
        CountNotFound, CountState: there is none, it is void, or it was made by hand.
    """
    photo = _standing(session, count_id)
    if photo is None:
        raise CountState(
            f"count {count_id} was made by hand: take it back and count the other location",
            count_id=count_id,
        )
    location = lookup.location(session, body.location_code)
    return of_photos.move(session, commands.told_of(session, body), photo, location)


def _standing(session: Session, count_id: int) -> UUID | None:
    """As `_session_of`, of a count that was not taken back."""
    photo = _session_of(session, count_id)
    if session.get_one(Count, count_id).voided_at is not None:
        raise CountState(f"count {count_id} is void", count_id=count_id)
    return photo


def _session_of(session: Session, count_id: int) -> UUID | None:
    """The photo session of a count; ``None`` for a count by hand."""
    count = session.get(Count, count_id)
    if count is None:
        raise CountNotFound(f"there is no count {count_id}", count_id=count_id)
    if count.processing_session_id is None:
        return None
    return session.get_one(PhotoSession, count.processing_session_id).session_id
