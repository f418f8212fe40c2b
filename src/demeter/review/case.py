"""A session that waits, with everything that decides about it, ready to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.accounts.models import User
from demeter.catalog.queries import location_configs_of
from demeter.catalog.schemas import LocationConfigRead
from demeter.core.permissions import Permission
from demeter.counts import blind_recounts
from demeter.counts.ledger_writes import next_count
from demeter.counts.models import Count
from demeter.counts.queries import standing_count
from demeter.photos import session_detail
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.photos.queries import NEEDS_A_PERSON
from demeter.photos.schemas import Interval, SessionContainer, SessionRead
from demeter.review import container_standing, near_beds, offers
from demeter.review.acceptance_preview import AcceptancePreview, preview_acceptance
from demeter.review.bed_history import BedHistory, bed_history
from demeter.review.container_standing import ContainerChange, ContainerStanding
from demeter.review.decision_log import DecisionMade, last_decision, seen_version
from demeter.review.near_beds import NearBed
from demeter.review.offers import Disagreement, Offer
from demeter.stock.own_reports import NoLongerOwn, require_own


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """All that is known of one session, and what can be done about it.

    ``before`` and ``answer`` are the deciding figures, ``None`` where they are not known or
    not to be seen; ``machine`` is what the machine counted before a person changed it.
    """

    session: SessionRead
    reason: str
    uploader: str
    bed: LocationConfigRead | None
    history: BedHistory | None
    distance_m: float | None
    near: tuple[NearBed, ...]
    growing: tuple[LocationConfigRead, ...]
    containers: tuple[ContainerStanding, ...]
    preview: AcceptancePreview | None
    offers: tuple[Offer, ...]
    decided: DecisionMade | None
    is_waiting: bool
    is_blind: bool
    can_edit: bool
    version: str

    @property
    def answer(self) -> int | None:
        """Plants in the photo, as they stand now; what is known of them where a part is not."""
        if self.session.total is not None:
            return self.session.total
        known = [c.answer for c in self.seen_containers if c.answer is not None]
        return sum(known) if known else None

    @property
    def machine(self) -> int | None:
        """What the machine counted of them."""
        numbers = [
            (c.machine_detected or 0) + (c.machine_estimated or 0)
            for c in self.seen_containers
            if c.machine_detected is not None
        ]
        return sum(numbers) if numbers else None

    @property
    def by_person(self) -> int:
        """What a person's corrections added to it."""
        return (self.answer or 0) - (self.machine or 0) if self.machine is not None else 0

    @property
    def interval(self) -> Interval | None:
        """The machine's interval, moved along with what a person corrected."""
        bounds = self.session.interval_90
        if bounds is None:
            return None
        low, high = (max(0, bound + self.by_person) for bound in bounds)
        return low, high

    @property
    def before(self) -> int | None:
        """What stood in the bed."""
        return self.history.before if self.history and not self.is_blind else None

    @property
    def change(self) -> int | None:
        """What the photo changes, where both figures are known."""
        if self.before is None or self.answer is None:
            return None
        return self.answer - self.before

    @property
    def seen_containers(self) -> tuple[SessionContainer, ...]:
        """Those in the photo."""
        return tuple(c for c in self.session.containers if c.seen)

    @property
    def tiles(self) -> tuple[ContainerChange, ...]:
        """How each container stands, those that stayed the same first."""
        return tuple(container_standing.tiles_of(self.containers))

    @property
    def tally(self) -> dict[ContainerChange, int]:
        """How many containers stand how."""
        return container_standing.tally_of(self.containers)


def case_of(session: Session, photo_session: PhotoSession) -> ReviewCase:
    """Everything about a session that a page of its review shows."""
    read = session_detail.answer(session, photo_session)
    reason = _reason(photo_session)
    is_waiting = photo_session.status in NEEDS_A_PERSON
    count = standing_count(session, photo_session.id)
    is_blind = blind_recounts.is_blind(count)
    history = bed_history(session, photo_session)
    distance = near_beds.distance_from_bed(session, photo_session)
    bed = _bed(session, read)
    offered = _offers(session, photo_session, reason, _disagreement(bed, history, distance))
    acts = {offer.act for offer in offered} if is_waiting else set()
    decides = identity.has(Permission.DECIDE)
    standings = _standings(session, photo_session, count, read)
    return ReviewCase(
        session=read,
        reason=reason,
        uploader=_full_name(session, photo_session.uploaded_by_user_id),
        bed=bed,
        history=history,
        distance_m=distance,
        near=tuple(near_beds.near_beds(session, photo_session))
        if acts & {"location", "move"}
        else (),
        growing=_growing(session, photo_session, acts),
        containers=tuple(container_standing.sort_by_change(standings)),
        preview=_preview(session, read, count, reason, history, bed) if decides else None,
        offers=offered if is_waiting else (),
        decided=last_decision(session, photo_session),
        is_waiting=is_waiting,
        is_blind=is_blind,
        can_edit=decides and count is not None and not is_blind and photo_session.status.is_end,
        version=seen_version(session, photo_session),
    )


def _standings(
    session: Session, photo_session: PhotoSession, count: Count | None, read: SessionRead
) -> list[ContainerStanding]:
    """Beside the ledger as it is; of a count that is posted, as it was then."""
    if blind_recounts.is_blind(count):
        return []
    if count is None or count.posted_at is not None:
        return container_standing.posted_standings(read.containers)
    return container_standing.expected_standings(session, photo_session, count)


def _preview(
    session: Session,
    read: SessionRead,
    count: Count | None,
    reason: str,
    history: BedHistory | None,
    bed: LocationConfigRead | None,
) -> AcceptancePreview | None:
    is_waiting = read.status in (SessionStatus.NEEDS_REVIEW, SessionStatus.NEEDS_CONFIG)
    if count is None or count.posted_at is not None or not is_waiting:
        return None
    if blind_recounts.is_blind(count):
        return None
    return preview_acceptance(
        reason,
        history.held if history else (),
        sum(row.answer or 0 for row in count.containers if row.seen),
        bed.product_code if bed else None,
        is_latest=next_count(session, count) is None,
    )


def _reason(photo_session: PhotoSession) -> str:
    status = photo_session.status
    if status is SessionStatus.FAILED and photo_session.storage_location_id is None:
        return "location_gone"
    return photo_session.reason_code or status.value


def _bed(session: Session, read: SessionRead) -> LocationConfigRead | None:
    if read.location is None:
        return None
    rows = location_configs_of(session, [read.location.code])
    return next((row for row in rows if row.location_code == read.location.code), None)


def _disagreement(
    bed: LocationConfigRead | None, history: BedHistory | None, distance: float | None
) -> Disagreement:
    held = {kind.product_code for kind in history.held} if history else set()
    is_other = bool(held) and bed is not None and bed.product_code not in held
    return Disagreement(is_far=distance is not None, is_other_product=is_other)


def _offers(
    session: Session, photo_session: PhotoSession, reason: str, disagreement: Disagreement
) -> tuple[Offer, ...]:
    own = ("discard", "another-photo", "move")
    left_out: Sequence[str] = () if _is_own(session, photo_session) else own
    return offers.offers_of(reason, disagreement, identity.has, left_out=left_out)


def _is_own(session: Session, photo_session: PhotoSession) -> bool:
    location_id = photo_session.storage_location_id
    try:
        require_own(
            session,
            reporter_id=photo_session.uploaded_by_user_id,
            reported_at=photo_session.created_at,
            location_ids=[] if location_id is None else [location_id],
        )
    except NoLongerOwn:
        return False
    return True


def _growing(
    session: Session, photo_session: PhotoSession, acts: set[str]
) -> tuple[LocationConfigRead, ...]:
    if "config" not in acts or photo_session.storage_location_id is None:
        return ()
    return tuple(near_beds.growing_nearby(session, photo_session.storage_location_id))


def _full_name(session: Session, user_id: int) -> str:
    return session.scalars(select(User).where(User.id == user_id)).one().full_name
