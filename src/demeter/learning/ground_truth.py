"""What people have accepted or corrected, as marked photos with where each mark comes from.

Only sessions that a person has looked at are truth: posted, not void, and accepted or
corrected. What nobody marked one by one (a part of a container that was only estimated, or a
container whose number a person gave without marks) is unmarked, never background.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload, undefer

from demeter.accounts.models import User
from demeter.core.blob_drops import drop_times
from demeter.counts.models import ContainerCount, Count
from demeter.counts.queries import standing_count
from demeter.locations.models import StorageLocation
from demeter.photos.models import PhotoSession, SessionImage, SessionStatus
from demeter.photos.pair_results import BEFORE
from demeter.photos.person_edits import machine_result
from demeter.review import marks as detections
from demeter.review.marks import Box, Mark
from demeter.vision.geometry import Polygon
from demeter.vision.values import ContainerType, CountUnit, PhotoCount, container_type_of

_WITH_RESULTS = selectinload(PhotoSession.images).options(
    joinedload(SessionImage.image), undefer(SessionImage.result)
)


class TruthSource(StrEnum):
    """Who a truth comes from."""

    ACCEPTED = "accepted"  # seen by the machine, and a person found it right
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class TrueMark:
    """A plant or empty container, in pixels of the upright image."""

    xyxy_px: Box
    is_empty_container: bool
    container: int
    source: TruthSource


@dataclass(frozen=True, slots=True)
class TrueContainer:
    """A container, how many plants it holds, and where in it plants are not marked."""

    index: int
    container_type: ContainerType
    polygon_px: Polygon
    plants: int
    source: TruthSource
    unmarked_px: tuple[Polygon, ...]


@dataclass(frozen=True, slots=True)
class TruePhoto:
    """A photo with its truth, and how that came to be known."""

    session_id: UUID
    image_id: UUID
    sha256: str
    size_wh: tuple[int, int]
    location_code: str
    captured_at: datetime
    accepted_by: str | None
    accepted_at: datetime | None
    models: dict[str, str]
    containers: tuple[TrueContainer, ...]
    marks: tuple[TrueMark, ...]


def accepted_photos(session: Session) -> Iterator[TruePhoto]:
    """The photos of every session whose present attempt is posted and was looked at by a person.

    In the order they were taken, without those that are no longer kept; one session's rows at a
    time are held.
    """
    for session_id in accepted_ids(session):
        photos = list(
            photos_of(session, session.get_one(PhotoSession, session_id, options=[_WITH_RESULTS]))
        )
        dropped = drop_times(session, [photo.sha256 for photo in photos])
        yield from (photo for photo in photos if photo.sha256 not in dropped)
        session.expunge_all()


def accepted_ids(session: Session) -> Sequence[int]:
    """Those sessions, in the order their photos were taken.

    None that counts occupied places: of several plants in one, it marks but one.
    """
    return session.scalars(
        select(PhotoSession.id)
        .join(Count, Count.processing_session_id == PhotoSession.id)
        .where(
            PhotoSession.status == SessionStatus.COMPLETED,
            PhotoSession.validated,
            Count.posted_at.is_not(None),
            Count.voided_at.is_(None),
            Count.posted_attempt == PhotoSession.attempt,
            Count.unit == CountUnit.PLANTS,
        )
        .order_by(PhotoSession.captured_at, PhotoSession.id)
    ).all()


def photos_of(session: Session, photo_session: PhotoSession) -> Iterator[TruePhoto]:
    """The counted photos of an accepted session, in their order."""
    count = standing_count(session, photo_session.id)
    assert count is not None  # what is accepted has one
    location = session.get_one(StorageLocation, count.storage_location_id)
    accepting_user = (
        session.get(User, photo_session.validated_by_user_id)
        if photo_session.validated_by_user_id
        else None
    )
    rows = [c for c in count.containers if c.seen and c.container_index is not None]
    marks = [m for m in detections.marks_of(session, photo_session, count.attempt) if not m.removed]
    residuals = detections.residuals_of(session, photo_session)
    for image in photo_session.images:
        if image.result is None or BEFORE in image.result:
            continue  # a photo whose plants are counted in another one in part is not learnt from
        photo = PhotoCount.from_json(image.result)
        machine = PhotoCount.from_json(machine_result(image)).containers
        image_rows = [c for c in rows if c.image_id == image.image_id]
        containers = tuple(
            _container(c, i, marks, residuals, photo, is_drawn=photo.containers[i] not in machine)
            for i, c in enumerate(image_rows)
        )
        yield TruePhoto(
            session_id=photo_session.session_id,
            image_id=image.image_id,
            sha256=image.image.sha256,
            size_wh=(photo.width_px, photo.height_px),
            location_code=location.code,
            captured_at=photo_session.captured_at,
            accepted_by=accepting_user.username if accepting_user else None,
            accepted_at=photo_session.validation_date,
            models=photo.models,
            containers=containers,
            marks=tuple(_marks(image_rows, marks)),
        )


def _container(
    row: ContainerCount,
    position: int,
    marks: list[Mark],
    residuals: detections.Residuals,
    photo: PhotoCount,
    *,
    is_drawn: bool,
) -> TrueContainer:
    """As it stands now; a person's is one whose plants, outline or type a person said."""
    segment = row.segment or {}
    own_marks = [m for m in marks if m.container_count_id == row.id]
    return TrueContainer(
        index=row.container_index or 0,
        container_type=container_type_of(segment["container_type"]) or ContainerType.SEGMENT,
        polygon_px=tuple((int(x), int(y)) for x, y in segment["polygon"]),
        plants=row.answer or 0,
        source=TruthSource.PERSON
        if is_drawn or row.human_corrected is not None
        else TruthSource.ACCEPTED,
        unmarked_px=_unmarked_areas(row, position, own_marks, residuals, photo),
    )


def _unmarked_areas(
    row: ContainerCount,
    position: int,
    own_marks: list[Mark],
    residuals: detections.Residuals,
    photo: PhotoCount,
) -> tuple[Polygon, ...]:
    """Where plants stand that have no mark: what was estimated, or else all of it."""
    plants = sum(not m.is_empty_container for m in own_marks)
    if row.answer == plants:
        return ()
    whole = (tuple((int(x), int(y)) for x, y in (row.segment or {})["polygon"]),)
    if row.answer != detections.number_of(row, own_marks, residuals):
        return whole
    parts = [
        part
        for e in photo.estimations
        if e.container == position
        for part in e.residual_polygons_px
    ]
    return tuple(p for p in parts if len(p) > 2) or whole  # noqa: PLR2004


def _marks(rows: list[ContainerCount], marks: list[Mark]) -> Iterator[TrueMark]:
    position = {row.id: place for place, row in enumerate(rows)}
    for mark in marks:
        if mark.container_count_id in position:
            yield TrueMark(
                mark.xyxy_px,
                mark.is_empty_container,
                position[mark.container_count_id],
                TruthSource.PERSON if mark.by_person else TruthSource.ACCEPTED,
            )
