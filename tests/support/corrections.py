"""Corrections as tests say them: numbers by the containers' index in a session."""

from __future__ import annotations

from sqlalchemy.orm import Session

from demeter.photos.models import PhotoSession
from demeter.review import corrections, queries
from demeter.stock.changes import LedgerChange
from demeter.stock.ledger import LedgerCommand


def correct_session(
    session: Session,
    command: LedgerCommand,
    photo_session: PhotoSession,
    plants: dict[int, int] | None = None,
    *,
    accept: bool = False,
    **edits: tuple,
) -> LedgerChange:
    count = queries.require_count(session, photo_session)
    by_id = queries.by_container_id(count, plants or {})
    return corrections.correct_count(
        session, command, count.id, corrections.Edits(by_id, **edits), accept=accept
    )
