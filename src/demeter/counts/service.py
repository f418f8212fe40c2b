"""Counts by hand, and what is done to counts: corrected, posted again, taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.catalog.models import LocationConfig
from demeter.catalog.queries import active_config
from demeter.core import logs
from demeter.core.errors import DomainError
from demeter.core.moments import moment_of
from demeter.core.notices import Notice, read_notices
from demeter.core.wording import english, next_action
from demeter.counts import hand_counts, stocktake, voiding
from demeter.counts.errors import CountNotFound, CountState, InvalidCount
from demeter.counts.hand_counts import HandCount
from demeter.counts.models import Count, CountCorrection
from demeter.locations import lock, retry_signal, rules
from demeter.locations.models import StorageLocation
from demeter.stock import changes, request_keys
from demeter.stock.changes import LedgerChange
from demeter.stock.errors import PeriodClosed, StockWouldBeNegative
from demeter.stock.ledger import Author, LedgerCommand, reason_text
from demeter.stock.models import MovementType, SourceType
from demeter.stock.period_lock import require_open

log = logs.get(__name__)

NO_CONFIG = "needs_config"


def count_by_hand(
    session: Session,
    command: LedgerCommand,
    user: User,
    hand_count: HandCount,
) -> LedgerChange:
    """A person's count of a location: a stocktake at its moment, like a photo's.

    The first booking of a location is `manual_init`. Where no configuration says what grows
    there, a supervisor's count makes one; a worker's waits as `needs_config`. What cannot be
    posted yet is kept and says what it waits for.

    Raises:
        CountContradictsConfig: it names another product or packaging than the configuration.
        InvalidCount: it has no numbers, or a bin of another location.
    """

    def act() -> LedgerChange:
        at = moment_of(command.at)
        location = lock.lock_locations(session, [hand_count.location_id])[hand_count.location_id]
        rules.require_active(location)
        hand_counts.require_countable(session, location, hand_count)
        config = hand_counts.config_for(session, location, hand_count, user)
        count = hand_counts.record(session, location, hand_count, user, at, command.reason)
        author = Author(
            user.id,
            SourceType.MANUAL,
            command.reason
            or command.default_reason
            or Notice("count_by_hand", {"count_id": count.id}),
            command.movement_id,
        )
        return ledger_change_by(
            session, command, "count", count, lambda: post(session, location, count, config, author)
        )

    request = command.request(**hand_count.request())
    return request_keys.answer_once(session, command.movement_id, "count", request, user.id, act)


def post(
    session: Session,
    location: StorageLocation,
    count: Count,
    config: LocationConfig | None,
    author: Author,
) -> None:
    """Post a count by hand, or say on it what it waits for."""
    try:
        require_open(session, location.location_id, count.captured_at)
        if config is None:
            _note_wait(count, NO_CONFIG, Notice("no_config", {"location": location.code}))
            return
        contradiction = hand_counts.contradiction(session, count, config)
        if contradiction is not None:
            _note_wait(count, contradiction.code, contradiction)
            return
        with session.begin_nested():
            hand_counts.assign_bins(session, location, count, config)
            first = not stocktake.has_movements(session, location.location_id)
            stocktake.post(
                session,
                location,
                count,
                config,
                author,
                MovementType.MANUAL_INIT if first else MovementType.FOTO,
            )
    except (StockWouldBeNegative, PeriodClosed) as error:
        session.expire_all()
        _note_wait(count, error.code, error.notice)
    session.flush()


def try_again(session: Session, count_id: int) -> Count:
    """Post or take back a count by hand that waits; it may go on waiting."""
    location, count = lock_count(session, count_id)
    if count.waits_for is None or count.processing_session_id is not None:
        return count
    if count.pending_void is not None:
        _void_or_wait(session, location, count, _author_of_void(count))
        return count
    by_hand = Notice("count_by_hand", {"count_id": count.id})
    author = Author(count.counted_by_user_id, SourceType.MANUAL, by_hand)
    post_again(session, count, author)
    log.info("count_retried", count_id=count_id, waits_for=count.waits_for)
    return count


def repost(session: Session, command: LedgerCommand, count_id: int) -> LedgerChange:
    """Post a count by hand again: under a changed configuration, say; the net difference only.

    Raises:
        CountState: it is void, or of a photo session.
        PeriodClosed: it is at or before a closed period's closing count.
    """

    def act() -> LedgerChange:
        location, count = _lock_hand_count(session, count_id)
        if count.posted_at is not None:
            require_open(session, location.location_id, count.captured_at)
        author = Author(
            command.user_id,
            SourceType.MANUAL,
            command.reason or Notice("posted_again"),
            command.movement_id,
        )
        return ledger_change_by(
            session, command, "repost", count, lambda: post_again(session, count, author)
        )

    return request_keys.answer_once(
        session,
        command.movement_id,
        "repost",
        command.request(count_id=count_id),
        command.user_id,
        act,
    )


def post_again(session: Session, count: Count, author: Author) -> None:
    """Post a count by hand as it says now; its location is locked."""
    location = session.get_one(StorageLocation, count.storage_location_id)
    config = active_config(session, location.location_id)
    post(session, location, count, config, author)


def void(session: Session, command: LedgerCommand, count_id: int) -> LedgerChange:
    """Take a count by hand back; where stock today would be negative it waits.

    One that was not posted wrote nothing: it is set aside.

    Raises:
        CountState: it is void already, or of a photo session.
        PeriodClosed: it is at or before a closed period's closing count.
        InvalidCount: no reason is given.
    """
    require_reason(command)

    def act() -> LedgerChange:
        location, count = _lock_hand_count(session, count_id)
        author = Author(
            command.user_id, SourceType.MANUAL, command.reason or "", command.movement_id
        )
        return ledger_change_by(
            session, command, "void", count, lambda: _void_or_wait(session, location, count, author)
        )

    return request_keys.answer_once(
        session,
        command.movement_id,
        "void",
        command.request(count_id=count_id),
        command.user_id,
        act,
    )


def require_reason(command: LedgerCommand) -> None:
    """Refuse what is not explained.

    Raises:
        InvalidCount: no reason is given.
    """
    if not (command.reason or "").strip():
        raise InvalidCount("taking a count back says its reason")


def note_corrections(
    session: Session, count: Count, answers: Mapping[int, int], user_id: int, reason: str | None
) -> None:
    """Keep what a person says instead, beside what was said before.

    Raises:
        InvalidCount: a container is not of this count's attempt, or a number is negative.
    """
    rows = {row.id: row for row in count.containers}
    unknown = sorted(set(answers) - set(rows))
    if unknown or any(plants < 0 for plants in answers.values()):
        raise InvalidCount(
            f"count {count.id} has the containers {sorted(rows)}, each with 0 plants or more",
            unknown=unknown,
        )
    for container_id, plants in sorted(answers.items()):
        row = rows[container_id]
        session.add(
            CountCorrection(
                container_count_id=row.id,
                answer_before=row.answer,
                answer_after=plants,
                user_id=user_id,
                reason=reason,
            )
        )
        row.human_corrected, row.corrected_by_user_id = plants, user_id
        row.corrected_at = datetime.now(UTC)
    session.flush()


def lock_count(session: Session, count_id: int) -> tuple[StorageLocation, Count]:
    """A count and its location, which is locked.

    Raises:
        CountNotFound: there is none of this id.
    """
    location_id = session.scalar(select(Count.storage_location_id).where(Count.id == count_id))
    if location_id is None:
        raise CountNotFound(f"there is no count {count_id}", count_id=count_id)
    location = lock.lock_locations(session, [location_id])[location_id]
    return location, session.get_one(Count, count_id, populate_existing=True)


def waiting_hand_counts(session: Session, location_id: int) -> list[int]:
    """Counts by hand that wait for a movement or a reopening, oldest first."""
    return list(
        session.scalars(
            select(Count.id)
            .where(
                Count.storage_location_id == location_id,
                Count.waits_for.in_(retry_signal.RETRIED_REASONS),
                Count.processing_session_id.is_(None),
            )
            .order_by(Count.captured_at, Count.id)
        )
    )


def ledger_change_by(
    session: Session, command: LedgerCommand, kind: str, count: Count, act: Callable[[], Any]
) -> LedgerChange:
    """What ``act`` wrote for one count, whose location is locked."""
    last_id = changes.latest_movement_id(session)
    act()
    retry_signal.retry_later(
        session, [count.storage_location_id] if count.waits_for is None else []
    )
    return LedgerChange(
        movement_id=command.movement_id,
        kind=kind,
        movements=changes.movements_since(session, last_id, count.storage_location_id),
        count_id=count.id,
        waits_for=count.waits_for,
        message=count.wait_message,
        reasons=read_notices(count.wait_notices),
        next_action=next_action(count.waits_for) if count.waits_for else None,
    )


def _lock_hand_count(session: Session, count_id: int) -> tuple[StorageLocation, Count]:
    location, count = lock_count(session, count_id)
    if count.processing_session_id is not None:
        raise CountState(f"count {count_id} is of a photo session", count_id=count_id)
    if count.voided_at is not None:
        raise CountState(f"count {count_id} is void", count_id=count_id)
    return location, count


def _void_or_wait(
    session: Session, location: StorageLocation, count: Count, author: Author
) -> None:
    if count.posted_at is None:
        voiding.note_void(count, author)
        session.flush()
        return
    try:
        with session.begin_nested():
            voiding.void(session, location, count, author)
    except StockWouldBeNegative as error:
        session.expire_all()
        note_pending_void(count, author, error)
    session.flush()


def note_pending_void(count: Count, author: Author, error: DomainError) -> None:
    """Keep a taking back that has to wait, with what it waits for."""
    fact = str(author.fact_id) if author.fact_id else None
    count.pending_void = {
        "user_id": author.user_id,
        "reason": reason_text(author.reason),
        "fact_id": fact,
    }
    _note_wait(count, error.code, error.notice)


def _author_of_void(count: Count) -> Author:
    pending = count.pending_void or {}
    return Author(pending["user_id"], SourceType.MANUAL, pending["reason"])


def _note_wait(count: Count, code: str, why: Notice) -> None:
    count.waits_for, count.wait_message = code, english(why)
    count.wait_notices = [why.to_json()]
    log.info("count_waits", count_id=count.id, reason=code)
