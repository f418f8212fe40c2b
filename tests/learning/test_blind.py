"""Which sessions are counted blind."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from sqlalchemy.orm import Session

from demeter.core.settings import settings
from demeter.counts import blind_recounts
from demeter.photos import record
from demeter.review import session_decisions
from nursery import counted_session, photo_count, plant_nursery, user

IDS = [uuid5(UUID(int=0), str(n)) for n in range(2000)]


@pytest.mark.parametrize(("share", "low", "high"), [(0, 0, 0), (0.05, 70, 130), (1, 2000, 2000)])
def test_the_share_of_sessions_is_what_was_set(share, low, high) -> None:
    assert low <= sum(blind_recounts.is_chosen(one, share) for one in IDS) <= high


def test_a_larger_share_only_adds_sessions() -> None:
    small = {one for one in IDS if blind_recounts.is_chosen(one, 0.1)}
    large = {one for one in IDS if blind_recounts.is_chosen(one, 0.2)}
    assert small < large


@pytest.fixture
def db(session: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    plant_nursery(session)
    monkeypatch.setattr(settings(), "blind_share", 1.0)
    return session


def test_only_a_recent_answer_that_nobody_has_reviewed_is_hidden(db: Session) -> None:
    made = counted_session(db, photo_count((4, None), residual_share=0.5))
    assert not blind_recounts.is_hidden(db, made)
    record.record_session(db, made)
    assert blind_recounts.is_hidden(db, made)
    made.created_at -= blind_recounts.WAITS_AT_MOST + timedelta(hours=1)
    assert not blind_recounts.is_hidden(db, made)
    db.refresh(made, ["created_at"])
    session_decisions.accept(db, made.session_id, user(db))
    assert not blind_recounts.is_hidden(db, made)


def test_where_no_container_was_found_there_is_no_answer_to_hide(db: Session) -> None:
    made = counted_session(db, photo_count())
    record.record_session(db, made)
    assert not blind_recounts.is_hidden(db, made)
