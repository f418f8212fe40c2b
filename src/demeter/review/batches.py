"""One decision about many sessions: each is done or refused by itself, and none is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core.errors import DomainError
from demeter.photos.models import PhotoSession
from demeter.review import session_decisions


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """How many sessions were decided, and which were refused, by what."""

    done: int
    refused: tuple[tuple[UUID, DomainError], ...]


def discard_all(session: Session, ids: Iterable[UUID], user: User, reason: str) -> BatchOutcome:
    """Put sessions aside; see `session_decisions.discard` for what is refused."""
    return _decide_each(
        session, ids, lambda each: session_decisions.discard(session, each, user, reason)
    )


def reprocess_all(session: Session, ids: Iterable[UUID], user: User) -> BatchOutcome:
    """Count sessions anew; see `session_decisions.reprocess` for what is refused."""
    return _decide_each(session, ids, lambda each: session_decisions.reprocess(session, each, user))


def _decide_each(
    session: Session, ids: Iterable[UUID], decide: Callable[[UUID], PhotoSession]
) -> BatchOutcome:
    done, refused = 0, []
    for session_id in sorted(set(ids)):  # in one order, so that two batches do not deadlock
        try:
            with session.begin_nested():
                decide(session_id)
            done += 1
        except DomainError as error:
            refused.append((session_id, error))
    return BatchOutcome(done, tuple(refused))
