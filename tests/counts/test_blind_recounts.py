"""Counts that a person makes blind before the machine's is shown and posted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from demeter.core.settings import settings
from demeter.counts import blind_recounts
from demeter.counts.errors import BlindRecountFirst, BlindRecountNotAsked
from demeter.counts.queries import standing_count
from demeter.photos import record
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.review import photo_counts, session_decisions
from support.corrections import correct_session
from support.ledgersteps import command
from support.nursery import counted_session, location, on_hand, photo_count, plant_nursery, user

IDS = [uuid5(UUID(int=0), str(n)) for n in range(2000)]


@pytest.mark.parametrize(("share", "low", "high"), [(0, 0, 0), (0.05, 70, 130), (1, 2000, 2000)])
def test_the_share_of_sessions_is_what_was_set(share, low, high) -> None:
    assert low <= sum(blind_recounts.is_chosen(session_id, share) for session_id in IDS) <= high


def test_a_larger_share_only_adds_sessions() -> None:
    small = {session_id for session_id in IDS if blind_recounts.is_chosen(session_id, 0.1)}
    large = {session_id for session_id in IDS if blind_recounts.is_chosen(session_id, 0.2)}
    assert small < large


@pytest.fixture
def db(session: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    plant_nursery(session)
    monkeypatch.setattr(settings(), "blind_share", 1.0)
    return session


def recorded(db: Session, *containers: tuple[int, int | None], **facts) -> PhotoSession:
    photo_session = counted_session(db, photo_count(*containers, **facts))
    record.record_session(db, photo_session)
    return photo_session


def test_a_blind_count_is_hidden_and_not_posted(db: Session) -> None:
    photo_session = recorded(db, (4, 1))
    assert blind_recounts.is_hidden(db, photo_session.id)
    assert (photo_session.status, photo_session.reason_code) == ("needs_review", "blind_recount")
    assert (on_hand(db), photo_session.posted_at) == (0, None)


def test_the_recount_posts_the_count_and_is_asked_for_once(db: Session) -> None:
    photo_session = recorded(db, (4, 1))
    recount = session_decisions.recount_blind(db, photo_session.session_id, user(db), 7, {})
    assert (recount.machine_plants, recount.difference) == (5, 2)
    assert (photo_session.status, on_hand(db)) == (SessionStatus.COMPLETED, 5)
    assert not blind_recounts.is_hidden(db, photo_session.id)
    with pytest.raises(BlindRecountNotAsked):
        session_decisions.recount_blind(db, photo_session.session_id, user(db), 7, {})


def test_what_spoke_against_the_count_is_told_after_the_recount(db: Session) -> None:
    photo_session = recorded(db, (4, None), residual_share=0.5)
    assert photo_session.reason_code == "blind_recount"
    session_decisions.recount_blind(db, photo_session.session_id, user(db), 7, {})
    assert (photo_session.reason_code, on_hand(db)) == ("estimate_unknown", 0)


@pytest.mark.parametrize(
    "decide",
    [
        lambda db, of: session_decisions.accept(db, of.session_id, user(db)),
        lambda db, of: correct_session(db, command(db, None), of, {1: 9}),
        lambda db, of: correct_session(db, command(db, None), of, {1: 9}, accept=True),
    ],
)
def test_nobody_decides_about_a_count_before_the_recount(db: Session, decide) -> None:
    photo_session = recorded(db, (4, 1))
    with pytest.raises(BlindRecountFirst):
        decide(db, photo_session)
    assert (on_hand(db), photo_session.validated) == (0, False)


def test_posting_again_waits_for_the_recount_too(db: Session) -> None:
    photo_session = recorded(db, (4, 1))
    session_decisions.retry_posting(db, photo_session.session_id, user(db))
    effect = photo_counts.repost(db, command(db, None), photo_session.session_id)
    assert (effect.waits_for, effect.movements, on_hand(db)) == ("blind_recount", [], 0)


def test_moved_to_another_bed_it_stays_blind(db: Session) -> None:
    photo_session = recorded(db, (4, 1))
    photo_counts.move(
        db, command(db, None, "it is A2"), photo_session.session_id, location(db, "A2")
    )
    assert photo_session.reason_code == "blind_recount"
    assert (on_hand(db, "A1"), on_hand(db, "A2")) == (0, 0)


def test_after_three_days_it_is_shown_and_posted(db: Session) -> None:
    photo_session = recorded(db, (4, 1))
    assert blind_recounts.show_expired(db) == 0
    count = standing_count(db, photo_session.id)
    assert count is not None
    count.blind_until = datetime.now(UTC) - timedelta(seconds=1)
    db.flush()
    assert not blind_recounts.is_hidden(db, photo_session.id)
    assert blind_recounts.show_expired(db) == 1
    queued = db.execute(
        text("SELECT args FROM procrastinate_jobs WHERE task_name = 'retry_waiting_counts'")
    ).scalars()
    assert queued.all() == [{"location_id": photo_session.storage_location_id}]
    photo_counts.post_kept(db, photo_session)
    assert (photo_session.status, on_hand(db)) == (SessionStatus.COMPLETED, 5)


def test_the_database_refuses_to_post_a_blind_count(db: Session) -> None:
    photo_session = recorded(db, (4, 1))
    with pytest.raises(IntegrityError, match="ck_counts_blind_is_unposted"), db.begin_nested():
        db.execute(
            text("UPDATE counts SET posted_at = now() WHERE processing_session_id = :id"),
            {"id": photo_session.id},
        )


def test_a_session_counted_once_is_not_hidden_afterwards(db: Session) -> None:
    photo_session = recorded(db, (4, 1))
    session_decisions.recount_blind(db, photo_session.session_id, user(db), 5, {})
    photo_counts.void(db, command(db, None, "wrong bed"), photo_session.session_id)
    photo_counts.repost(db, command(db, None), photo_session.session_id)
    assert (photo_session.status, on_hand(db)) == (SessionStatus.COMPLETED, 5)


def test_where_no_container_was_found_there_is_no_answer_to_hide(db: Session) -> None:
    photo_session = recorded(db)
    assert photo_session.reason_code == "no_container_found"
    session_decisions.confirm_empty(db, photo_session.session_id, user(db))
    assert photo_session.status is SessionStatus.COMPLETED
