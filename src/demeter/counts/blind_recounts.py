"""Blind recounts: a set share of photos is counted by a person who has not seen the answer.

Which sessions, is decided by the hash of their ids: the same ones wherever and whenever they
are looked at. Until the person's number is in, or `WAITS_AT_MOST` has passed, the count is not
posted, for a posted count tells its number through stock, movements and periods, and no reader
shows what the machine saw. The difference says how right counts are on the nursery's own
photos, without the machine's number leaning on the person's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.settings import settings
from demeter.core.totals import known_sum
from demeter.counts.errors import BlindRecountFirst, BlindRecountNotAsked, InvalidCount
from demeter.counts.models import BlindRecount, Count
from demeter.counts.queries import standing_count
from demeter.locations import retry_signal

log = logs.get(__name__)

WAITS_AT_MOST = timedelta(hours=72)  # then it posts as it is; nobody will recount it


def is_chosen(session_uuid: UUID, share: float) -> bool:
    """Whether a session is among the share that is recounted; its id decides."""
    place = int.from_bytes(sha256(session_uuid.bytes).digest()[:8], "big")
    return place < share * 2**64


def blind_until(session: Session, session_id: int, session_uuid: UUID) -> datetime | None:
    """Until when a session's first count is hidden; ``None`` where it is not recounted.

    A later count of the same session is never hidden: people may have seen the first one.
    """
    if not is_chosen(session_uuid, settings().blind_share):
        return None
    counted_before = exists().where(Count.processing_session_id == session_id)
    if session.scalar(select(counted_before)):
        return None
    return datetime.now(UTC) + WAITS_AT_MOST


def is_blind(count: Count | None) -> bool:
    """Whether a count's numbers are hidden now."""
    return (
        count is not None
        and count.blind_until is not None
        and count.blind_until > datetime.now(UTC)
    )


def is_hidden(session: Session, session_id: int) -> bool:
    """Whether the machine's answer to a photo session is hidden now."""
    return is_blind(standing_count(session, session_id))


def require_shown(session: Session, session_id: int) -> None:
    """Refuse to tell what is hidden, or to decide about it.

    Raises:
        BlindRecountFirst: a blind number is wanted first.
    """
    require_not_blind(standing_count(session, session_id))


def require_not_blind(count: Count | None) -> None:
    """As `require_shown`, of a count.

    Raises:
        BlindRecountFirst: a blind number is wanted first.
    """
    if count is not None and is_blind(count):
        raise BlindRecountFirst(
            f"count {count.id} is one that a person counts before the machine's answer is shown",
            count_id=count.id,
        )


def keep_recount(
    session: Session,
    count: Count | None,
    user_id: int,
    plants: int,
    containers: Mapping[int, int],
    note: str | None,
) -> BlindRecount:
    """Keep a person's number for a count whose location is locked; it is shown from then on.

    ``containers`` are numbers by the containers' index, where the person counted so.

    Raises:
        BlindRecountNotAsked: the count is not one of the share, or it was recounted already.
        InvalidCount: the containers' numbers do not add up, or there is no such one.
    """
    if count is None or not is_blind(count):
        raise BlindRecountNotAsked("no blind number is wanted for this session")
    assert count.processing_session_id is not None
    _check_sum(count, plants, containers)
    recount = BlindRecount(
        session_id=count.processing_session_id,
        attempt=count.attempt,
        count_id=count.id,
        plants=plants,
        containers={str(index): number for index, number in sorted(containers.items())},
        machine_plants=_machine_plants(count),
        user_id=user_id,
        note=note,
    )
    session.add(recount)
    count.blind_until = None
    session.flush()
    log.info("blind_recount", count_id=count.id, difference=recount.difference)
    return recount


def show_expired(session: Session) -> int:
    """Show counts that nobody recounted in time, and queue their posting; how many."""
    rows = session.execute(
        update(Count)
        .where(Count.blind_until <= func.now())
        .values(blind_until=None)
        .returning(Count.id, Count.storage_location_id)
    ).all()
    if rows:
        log.info("blind_recounts_expired", count_ids=[row.id for row in rows])
        retry_signal.retry_later(session, {row.storage_location_id for row in rows})
    return len(rows)


def _machine_plants(count: Count) -> int | None:
    """What the machine counted; ``None`` where a part of it is not known."""
    return known_sum(
        number
        for row in count.containers
        if row.seen
        for number in (row.machine_detected, row.machine_estimated)
    ).whole


def _check_sum(count: Count, plants: int, containers: Mapping[int, int]) -> None:
    indexes = {row.container_index for row in count.containers if row.seen}
    unknown = sorted(set(containers) - indexes)
    if unknown:
        raise InvalidCount(f"there are no containers {unknown}", unknown=unknown)
    total = sum(containers.values())
    if total > plants or (set(containers) == indexes and total != plants):
        raise InvalidCount(f"the containers hold {total}, the whole {plants}")
