"""Correcting a count: one act for photos' and people's counts, whoever asks for it.

The machine's rows stay as they are. A posted count is posted again, which writes only the net
difference; one that waits is tried again with the corrected numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.crash_points import step
from demeter.core.notices import Notice
from demeter.counts import blind_recounts, service
from demeter.counts.errors import CountNotFound, CountState, InvalidCount
from demeter.counts.models import ContainerCount, Count
from demeter.counts.schemas import CountCorrect
from demeter.locations import lock
from demeter.photos import record, sessions
from demeter.photos.models import PhotoSession
from demeter.review import marks, photo_counts
from demeter.review.errors import CorrectionRefused
from demeter.review.mark_edits import NewMark, keep_marks
from demeter.review.queries import require_unchanged
from demeter.stock import commands, request_keys
from demeter.stock.changes import LedgerChange
from demeter.stock.ledger import Author, LedgerCommand
from demeter.stock.models import SourceType
from demeter.stock.period_lock import require_open

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Edits:
    """All that a person changes at once.

    ``plants`` gives whole containers' numbers by their id in the count; ``remove`` are ids of
    the machine's detections, ``undo`` ids of corrections.
    """

    plants: Mapping[int, int] = field(default_factory=dict)
    add: tuple[NewMark, ...] = ()
    remove: tuple[int, ...] = ()
    undo: tuple[int, ...] = ()

    @property
    def of_marks(self) -> bool:
        """Whether marks on a photo are changed."""
        return bool(self.add or self.remove or self.undo)

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the request."""
        return {
            "plants": {str(k): v for k, v in sorted(self.plants.items())},
            "add": [asdict(m) | {"xyxy_px": list(m.xyxy_px)} for m in self.add],
            "remove": sorted(self.remove),
            "undo": sorted(self.undo),
        }


def correct_count(
    session: Session,
    command: LedgerCommand,
    count_id: int,
    edits: Edits,
    *,
    accept: bool = False,
    if_match: str | None = None,
) -> LedgerChange:
    """Keep a person's corrections of a count and post what they change.

    A container's number follows its marks until a person says another number. A count that
    waits is posted if nothing speaks against it any more, if numbers were said, or if
    ``accept`` says that the rest is right. ``if_match`` is the ETag that the person has seen.

    Raises:
        CountNotFound: there is no such count.
        CountState: it is void, or its photos are being processed.
        BlindRecountFirst: a person counts it before the machine's answer is shown.
        CountChanged: it is not as ``if_match`` says.
        CorrectionRefused: a mark or an id makes no sense here.
        InvalidCount: there is no such container, or a number is negative.
        PeriodClosed: the count is at or before a closed period's closing count.
    """

    def act() -> LedgerChange:
        photo_session, count = lock_count(session, count_id)
        blind_recounts.require_not_blind(count)
        require_unchanged(session, count, if_match)
        require_open(session, count.storage_location_id, count.captured_at)
        author = Author(
            command.user_id,
            SourceType.MANUAL,
            command.reason or Notice("corrected"),
            command.movement_id,
        )
        if photo_session is None:
            return _correct_by_hand(session, command, count, edits, author)
        return _correct_photo(session, command, photo_session, count, edits, author, accept=accept)

    request = command.request(count_id=count_id, accept=accept, **edits.as_json())
    return request_keys.answer_once(
        session, command.movement_id, "correct", request, command.user_id, act
    )


def correct_containers(
    session: Session, count_id: int, body: CountCorrect, if_match: str | None = None
) -> LedgerChange:
    """`correct_count` with what people send: whole numbers by the containers' ids.

    Raises:
        InvalidCount: a container is named twice; else as `correct_count`.
    """
    plants = {number.container_id: number.plants for number in body.containers}
    if len(plants) < len(body.containers):
        raise InvalidCount("a container is corrected twice")
    return correct_count(
        session, commands.command_from(session, body), count_id, Edits(plants), if_match=if_match
    )


def lock_count(session: Session, count_id: int) -> tuple[PhotoSession | None, Count]:
    """A count that stands, locked: its photo session first, then its location.

    Raises:
        CountNotFound: there is none of this id.
        CountState: it is void, or its photos are being processed.
    """
    count = session.get(Count, count_id)
    if count is None:
        raise CountNotFound(f"there is no count {count_id}", count_id=count_id)
    photo_session = None
    if count.processing_session_id is not None:
        photo_session = sessions.lock_by_id(session, count.processing_session_id)
    lock.lock_locations(session, [count.storage_location_id])
    count = session.get_one(Count, count_id, populate_existing=True)
    if count.voided_at is not None:
        raise CountState(f"count {count_id} is void", count_id=count_id)
    if photo_session is not None:
        sessions.require_not_discarded(photo_session)
    if photo_session is not None and not photo_session.status.is_end:
        raise CountState(
            f"session {photo_session.session_id} is {photo_session.status}: its count can be "
            "corrected when it has ended",
            session_id=str(photo_session.session_id),
        )
    return photo_session, count


def _correct_by_hand(
    session: Session, command: LedgerCommand, count: Count, edits: Edits, author: Author
) -> LedgerChange:
    if edits.of_marks:
        raise CorrectionRefused(f"count {count.id} was made by hand: it has no photo with marks")
    service.note_corrections(session, count, edits.plants, command.user_id, command.reason)
    step("correction.numbers_kept")
    change = service.ledger_change_by(
        session, command, "correct", count, lambda: service.post_again(session, count, author)
    )
    step("correction.posted")
    return change


def _correct_photo(
    session: Session,
    command: LedgerCommand,
    photo_session: PhotoSession,
    count: Count,
    edits: Edits,
    author: Author,
    *,
    accept: bool,
) -> LedgerChange:
    numbers = _keep_edits(session, command, photo_session, count, edits)
    step("correction.numbers_kept")
    confirmed = accept or bool(edits.plants) or count.posted_at is not None
    if confirmed:
        entry = {
            "corrected": _by_index(count, edits.plants),
            "added": len(edits.add),
            "removed": len(edits.remove),
            "undone": len(edits.undo),
            "by": command.user_id,
            "reason": command.reason,
        }
        sessions.note_decision(photo_session, "changes", command.user_id, entry)
    log.info("count_corrected", count_id=count.id, containers=len(numbers))
    change = photo_counts.effect_on(
        session,
        command,
        "correct",
        photo_session,
        count,
        lambda: record.post_again(session, photo_session, author, confirmed=confirmed),
    )
    step("correction.posted")
    return change


def _keep_edits(
    session: Session,
    command: LedgerCommand,
    photo_session: PhotoSession,
    count: Count,
    edits: Edits,
) -> dict[int, int]:
    """Write the corrections; returns the numbers that changed, by container's id."""
    numbers = dict(edits.plants)
    if edits.of_marks:
        numbers = _keep_marks(session, command, photo_session, count, edits) | numbers
    service.note_corrections(session, count, numbers, command.user_id, command.reason)
    return numbers


def _keep_marks(
    session: Session,
    command: LedgerCommand,
    photo_session: PhotoSession,
    count: Count,
    edits: Edits,
) -> dict[int, int]:
    """The numbers that follow the marks, by container's id."""
    residuals = marks.residuals_of(session, photo_session)
    before = _numbers_by_marks(session, photo_session, count, residuals)
    keep_marks(
        session,
        command,
        photo_session,
        count,
        add=edits.add,
        remove=edits.remove,
        undo=edits.undo,
    )
    after = _numbers_by_marks(session, photo_session, count, residuals)
    return {
        row.id: after[row.id]
        for row in _in_photos(count)
        if after[row.id] != before[row.id] and row.answer == before[row.id]
    }


def _numbers_by_marks(
    session: Session, photo_session: PhotoSession, count: Count, residuals: marks.Residuals
) -> dict[int, int]:
    all_marks = marks.marks_of(session, photo_session, count.attempt)
    return {row.id: marks.number_of(row, all_marks, residuals) for row in _in_photos(count)}


def _by_index(count: Count, plants: Mapping[int, int]) -> dict[str, int]:
    """Numbers by the containers' index, as people know them; unseen ones by their id."""
    return {
        str(row.container_index or f"id {row.id}"): plants[row.id]
        for row in count.containers
        if row.id in plants
    }


def _in_photos(count: Count) -> list[ContainerCount]:
    return [row for row in count.containers if row.container_index is not None]
