"""Containers as a person drew them: a new attempt by a person, recorded like the machine's.

The machine's attempt and its rows stay. What people corrected of its marks goes along, in
their name; a number that a person said of a container goes along where its plants do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.notices import Notice
from demeter.counts import blind_recounts
from demeter.counts.models import Count
from demeter.locations.bins import photo_bins
from demeter.locations.models import StorageLocation
from demeter.photos import evidence, person_edits, record, sessions
from demeter.photos.evidence import ImageCount
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.review import corrections, photo_counts
from demeter.review.container_numbers import SaidNumbers, keep_numbers
from demeter.review.container_plan import DrawnContainer, Formers, ImagePlan, formers_of, plan_image
from demeter.review.errors import CorrectionRefused, OutlineRefused, PlantsLeftOut
from demeter.review.mark_edits import NewMark
from demeter.review.mark_pool import (
    MarkHand,
    PooledMark,
    change_pool,
    keep_corrections,
    pool_of,
)
from demeter.review.queries import require_unchanged
from demeter.stock import request_keys
from demeter.stock.changes import LedgerChange
from demeter.stock.ledger import Author, LedgerCommand
from demeter.stock.models import SourceType
from demeter.stock.period_lock import require_open
from demeter.vision_models import active

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class ContainerEdits:
    """A session's whole set of containers, and the marks that are changed along with it.

    ``leaves_out`` says that plants may stand outside of every container: they count no more,
    and come back when an outline is drawn around them.
    """

    containers: tuple[DrawnContainer, ...]
    add: tuple[NewMark, ...] = ()
    remove: tuple[int, ...] = ()
    undo: tuple[int, ...] = ()
    leaves_out: bool = False

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the request."""
        return {
            "containers": [
                asdict(c)
                | {"outline_px": [list(p) for p in c.outline_px], "former": list(c.former)}
                for c in self.containers
            ],
            "add": [asdict(m) | {"xyxy_px": list(m.xyxy_px)} for m in self.add],
            "remove": sorted(self.remove),
            "undo": sorted(self.undo),
            "leaves_out": self.leaves_out,
        }


def edit_containers(
    session: Session,
    command: LedgerCommand,
    count_id: int,
    edits: ContainerEdits,
    *,
    accept: bool = False,
    if_match: str | None = None,
) -> LedgerChange:
    """Record a session's photos in the containers that a person drew, as an attempt of theirs.

    Plants and empty places go to the smallest container around their centre. Numbers and
    intervals follow as `vision.containers.redraw` says. A count that waits is posted if
    nothing speaks against it any more, or if ``accept`` says that it is right; one that is
    posted is posted again, which writes the net difference.

    Raises:
        CountNotFound, CountState, BlindRecountFirst, CountChanged, PeriodClosed: as
            `corrections.correct_count`.
        OutlineRefused: an outline crosses itself, has no area, lies outside of its photo, or
            shares plants with another; or a bin cannot be the one it is said to be.
        PlantsLeftOut: plants would stand in no container, and ``leaves_out`` does not say so.
        CorrectionRefused: a mark or an index makes no sense here.
    """

    def act() -> LedgerChange:
        photo_session, count = corrections.lock_count(session, count_id)
        if photo_session is None:
            raise CorrectionRefused(f"count {count_id} was made by hand: it has no photo")
        blind_recounts.require_not_blind(count)
        require_unchanged(session, count, if_match)
        require_open(session, count.storage_location_id, count.captured_at)
        return _edit(session, command, photo_session, count, edits, accept=accept)

    request = command.request(count_id=count_id, accept=accept, **edits.as_json())
    return request_keys.answer_once(
        session, command.movement_id, "correct", request, command.user_id, act
    )


def _edit(
    session: Session,
    command: LedgerCommand,
    photo_session: PhotoSession,
    count: Count,
    edits: ContainerEdits,
    *,
    accept: bool,
) -> LedgerChange:
    counted = evidence.results_of(photo_session).counted
    formers = formers_of(counted)
    _require_known(counted, formers, edits.containers)
    _require_bins(session, count, edits.containers)
    _require_boxes(counted, edits.add)
    pool = _pool(session, command, photo_session, count, edits)
    plans = _plans(session, counted, formers, edits.containers, pool)
    _require_held(plans, edits)
    said = SaidNumbers.of(session, photo_session, count).follow(plans)
    confirmed = accept or count.posted_at is not None
    _begin_attempt(photo_session, command, plans, said, confirmed=confirmed)
    session.flush()

    def amend(new_count: Count) -> None:
        keep_corrections(session, photo_session, new_count, _sorted_marks(plans))
        keep_numbers(session, command, photo_session, new_count, said)

    author = Author(
        command.user_id,
        SourceType.MANUAL,
        command.reason or Notice("corrected"),
        command.movement_id,
    )
    log.info("containers_edited", count_id=count.id, attempt=photo_session.attempt)
    return photo_counts.effect_on(
        session,
        command,
        "correct",
        photo_session,
        count,
        lambda: record.persist_ml_results(
            session,
            photo_session,
            evidence.results_of(photo_session),
            amend=amend,
            author=author,
            confirmed=confirmed,
        ),
    )


def _require_known(
    counted: Sequence[ImageCount], formers: Formers, drawn: Sequence[DrawnContainer]
) -> None:
    if not drawn:
        raise CorrectionRefused("no container is left: a bed that is empty is confirmed as such")
    positions = {image.row.position for image in counted}
    for one in drawn:
        if one.position not in positions:
            raise CorrectionRefused(f"there is no counted photo {one.position}")
        for index in one.former:
            if index not in formers or formers[index][0].row.position != one.position:
                raise CorrectionRefused(f"there is no container {index} in photo {one.position}")


def _require_bins(session: Session, count: Count, drawn: Sequence[DrawnContainer]) -> None:
    location = session.get_one(StorageLocation, count.storage_location_id)
    known = {storage_bin.bin_id for storage_bin in photo_bins(session, location)}
    taken: dict[int, int] = {}
    for index, one in enumerate(drawn, start=1):
        if one.bin_id is None:
            continue
        if one.bin_id not in known:
            _refuse_bin(
                Notice("bin_not_here", {"index": index, "location": location.code}), one.bin_id
            )
        if one.bin_id in taken:
            first = taken[one.bin_id]
            _refuse_bin(Notice("bin_chosen_twice", {"first": first, "second": index}), one.bin_id)
        taken[one.bin_id] = index


def _refuse_bin(fault: Notice, bin_id: int) -> None:
    raise OutlineRefused(fault, fault=fault.code, bin_id=bin_id)


def _require_boxes(counted: Sequence[ImageCount], new_marks: Sequence[NewMark]) -> None:
    photos = {image.row.position: image.photo for image in counted}
    for mark in new_marks:
        photo = photos.get(mark.position)
        x1, y1, x2, y2 = mark.xyxy_px
        if not photo or not (0 <= x1 < x2 <= photo.width_px and 0 <= y1 < y2 <= photo.height_px):
            raise CorrectionRefused(
                f"the box {list(mark.xyxy_px)} is not within a counted photo {mark.position}"
            )


def _pool(
    session: Session,
    command: LedgerCommand,
    photo_session: PhotoSession,
    count: Count,
    edits: ContainerEdits,
) -> list[PooledMark]:
    """All marks as the person leaves them, with those that are new."""
    hand = MarkHand(command.user_id, None, command.reason)
    pool = pool_of(session, photo_session, count)
    pool = change_pool(pool, hand, remove=edits.remove, undo=edits.undo)
    return pool + [
        PooledMark(m.position, m.xyxy_px, m.is_empty_container, None, added=hand) for m in edits.add
    ]


def _plans(
    session: Session,
    counted: Sequence[ImageCount],
    formers: Formers,
    drawn: Sequence[DrawnContainer],
    pool: Sequence[PooledMark],
) -> list[ImagePlan]:
    _, _, errors = active.choice_at_work(session)
    return [
        plan_image(
            image,
            [d for d in drawn if d.position == image.row.position],
            formers,
            [m for m in pool if m.position == image.row.position],
            errors,
        )
        for image in counted
    ]


def _require_held(plans: Sequence[ImagePlan], edits: ContainerEdits) -> None:
    """Nothing is lost in silence: neither what was counted, nor what a person adds."""
    for plan in plans:
        for mark, holder in zip(plan.pool, plan.holders, strict=True):
            if holder is None and mark.is_new:
                raise CorrectionRefused(
                    f"the box {list(mark.xyxy_px)} lies in no container of photo {mark.position}"
                )
    lost = sum(max(0, p.plants_outside - p.plants_outside_before) for p in plans)
    if lost and not edits.leaves_out:
        raise PlantsLeftOut(Notice("plants_left_out", {"plants": lost}), plants=lost)


def _begin_attempt(
    photo_session: PhotoSession,
    command: LedgerCommand,
    plans: Sequence[ImagePlan],
    said: SaidNumbers,
    *,
    confirmed: bool,
) -> None:
    photo_session.attempt += 1
    for image in photo_session.images:
        image.attempt = photo_session.attempt
    for plan in plans:
        row = plan.image.row
        edit = plan.result(command.user_id)
        row.result = person_edits.result_by_person(row, plan.photo, edit)
    photo_session.status = SessionStatus.PROCESSING
    sessions.clear_reason(photo_session)
    entry = {
        "attempt": photo_session.attempt,
        "containers": sum(len(plan.drawn) for plan in plans),
        "left_out": sum(plan.plants_outside for plan in plans),
        "numbers_lost": list(said.lost),
        "reason": command.reason,
    }
    sessions.note_redrawing(photo_session, command.user_id, entry)
    if confirmed:
        photo_session.validated = True
        photo_session.validated_by_user_id = command.user_id
        photo_session.validation_date = datetime.now(UTC)


def _sorted_marks(plans: Sequence[ImagePlan]) -> list[tuple[PooledMark, int]]:
    """The marks that stand in a container, with its index in the session."""
    found: list[tuple[PooledMark, int]] = []
    first = 1
    for plan in plans:
        pairs: Iterable[tuple[PooledMark, int | None]] = zip(plan.pool, plan.holders, strict=True)
        found += [(mark, first + holder) for mark, holder in pairs if holder is not None]
        first += len(plan.drawn)
    return found
