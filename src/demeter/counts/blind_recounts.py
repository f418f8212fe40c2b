"""Blind recounts: a set share of sessions is counted by a person who has not seen the answer.

Which sessions, is decided by the hash of their ids: the same ones wherever and whenever they
are looked at. The difference says how right counts are on the nursery's own photos, without
the machine's number leaning on the person's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import logs
from demeter.core.settings import settings
from demeter.counts.errors import BlindRecountFirst, BlindRecountNotAsked
from demeter.counts.models import BlindRecount, Count
from demeter.photos import sessions
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.review.errors import CorrectionRefused

log = logs.get(__name__)

WAITS_AT_MOST = timedelta(days=14)  # then nobody will; the answer is shown to everyone
_STATES = (SessionStatus.COMPLETED, SessionStatus.NEEDS_REVIEW, SessionStatus.NEEDS_CONFIG)


def is_chosen(session_id: UUID, share: float) -> bool:
    """Whether a session is among the share that is recounted; its id decides."""
    place = int.from_bytes(sha256(session_id.bytes).digest()[:8], "big")
    return place < share * 2**64


def is_hidden(session: Session, found: PhotoSession) -> bool:
    """Whether the machine's answer is hidden until a blind number is given.

    Only where there is an answer, nobody has reviewed it, and for two weeks at most.
    """
    if not is_chosen(found.session_id, settings().blind_share):
        return False
    if found.validated or found.status not in _STATES or found.total_detected is None:
        return False
    if found.created_at < datetime.now(UTC) - WAITS_AT_MOST or _count(session, found) is None:
        return False
    given = exists().where(
        BlindRecount.session_id == found.id, BlindRecount.attempt == found.attempt
    )
    return not session.scalar(select(given))


def require_shown(session: Session, found: PhotoSession) -> None:
    """Refuse to tell what is hidden.

    Raises:
        BlindRecountFirst: a blind number is wanted first.
    """
    if is_hidden(session, found):
        raise BlindRecountFirst(
            f"session {found.session_id} is one that a person counts before the machine's "
            "answer is shown",
            session_id=str(found.session_id),
        )


def give(
    session: Session,
    session_id: UUID,
    user: User,
    plants: int,
    containers: Mapping[int, int] | None = None,
    note: str | None = None,
) -> BlindRecount:
    """Keep a person's number; the machine's is shown from then on. Changes no stock.

    Raises:
        BlindRecountNotAsked: the session is not one of the share, or it was given already.
        CorrectionRefused: the containers' numbers do not add up, or there is no such one.
    """
    found = sessions.locked(session, session_id)
    if not is_hidden(session, found):
        raise BlindRecountNotAsked(
            f"no blind number is wanted for session {session_id}", session_id=str(session_id)
        )
    count = _count(session, found)
    assert count is not None
    _check(count, plants, containers or {})
    known = [c.machine_detected for c in count.containers if c.seen]
    parts = [c.machine_estimated for c in count.containers if c.seen]
    unknown = None in known or None in parts
    made = BlindRecount(
        session_id=found.id,
        attempt=found.attempt,
        count_id=count.id,
        plants=plants,
        containers={str(k): v for k, v in sorted((containers or {}).items())},
        machine_plants=None if unknown else sum(p or 0 for p in [*known, *parts]),
        user_id=user.id,
        note=note,
    )
    session.add(made)
    session.flush()
    log.info("blind_recount", session_id=found.id, difference=made.difference)
    return made


def _check(count: Count, plants: int, containers: Mapping[int, int]) -> None:
    there = {c.container_index for c in count.containers if c.seen}
    unknown = sorted(set(containers) - there)
    if unknown:
        raise CorrectionRefused(f"there are no containers {unknown}", unknown=unknown)
    total = sum(containers.values())
    if total > plants or (set(containers) == there and total != plants):
        raise CorrectionRefused(f"the containers hold {total}, the whole {plants}")


def _count(session: Session, found: PhotoSession) -> Count | None:
    return session.scalar(
        select(Count).where(
            Count.processing_session_id == found.id,
            Count.attempt == found.attempt,
            Count.voided_at.is_(None),
        )
    )
