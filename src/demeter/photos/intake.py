"""Intake: photos are checked, kept, and given to a session, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import blob_drops, blobs, jobs, logs
from demeter.core.blob_jobs import store_blob
from demeter.core.crash_points import step
from demeter.core.errors import InvalidInput
from demeter.core.formats import site_text
from demeter.core.notices import Notice
from demeter.core.pixels import files
from demeter.core.settings import settings
from demeter.core.wording import next_action
from demeter.locations.models import StorageLocation
from demeter.photos import exif, location_guess
from demeter.photos.models import (
    Image,
    PhotoSession,
    SessionImage,
    SessionStatus,
    UploadSource,
)
from demeter.photos.tasks import ml_parent_task

log = logs.get(__name__)


class NoPhotos(InvalidInput):
    """An upload without a photo in it."""

    code = "no_photos"
    title = "No photo was sent"
    next_action = "Choose at least one photo."


class TooManyPhotos(InvalidInput):
    """More photos than one upload may carry."""

    code = "too_many_photos"
    title = "Too many photos at once"
    next_action = "Send them in several uploads."


class CapturedInFuture(InvalidInput):
    """A photo cannot have been taken later than now."""

    code = "captured_in_future"
    title = "The time given is in the future"
    next_action = "Give the time at which the photo was taken."


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in: ``read`` gives its bytes as often as it is asked.

    ``descriptor`` gives the open file, where it lies on disk: large photos are read from there
    and never pass through this process.
    """

    name: str
    read: Callable[[], bytes]
    descriptor: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """What is known of an upload once every pixel of it was decoded; it holds no pixels."""

    upload: Upload
    sha256: str
    content_type: str
    size_bytes: int
    width_px: int
    height_px: int
    taken_at: exif.CameraTime
    position: exif.Position | None
    exif: dict[str, str]
    labels: tuple[location_guess.Label, ...]
    pages_left_out: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The session that answers for some photos; ``is_new`` is false for a repeat."""

    session: PhotoSession
    is_new: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Photos of one location, or of an unknown one, and what to tell about it."""

    location: StorageLocation | None
    photos: tuple[Photo, ...]
    reason_code: str | None = None


def inspect(upload: Upload, *, read_labels: bool) -> Photo:
    """Decode an upload wholly, in a process of its own; raises what `files.read_facts` raises."""
    source = upload.descriptor() if upload.descriptor else upload.read()
    facts = files.read_facts(source, upload.name, codes=read_labels)
    return Photo(
        upload=upload,
        sha256=facts.sha256,
        content_type=facts.content_type,
        size_bytes=facts.size_bytes,
        width_px=facts.width_px,
        height_px=facts.height_px,
        taken_at=exif.camera_time(facts.tags),
        position=exif.position(facts.gps),
        exif=exif.as_json(facts.tags),
        labels=tuple(location_guess.Label(text, share) for text, share in facts.codes),
        pages_left_out=facts.pages_left_out,
    )


def inspect_all(uploads: Sequence[Upload], *, read_labels: bool) -> list[Photo]:
    """Each upload decoded, one at a time.

    Raises:
        NoPhotos, TooManyPhotos: the number is not 1 to ``max_photos``.
    """
    if not uploads:
        raise NoPhotos("no photo was sent")
    if len(uploads) > settings().max_photos:
        raise TooManyPhotos(f"{len(uploads)} photos; at most {settings().max_photos} are taken")
    return [inspect(upload, read_labels=read_labels) for upload in uploads]


def add_photos(
    session: Session,
    photos: Sequence[Photo],
    *,
    user: User,
    location: StorageLocation | None = None,
    captured_at: datetime | None = None,
    source: UploadSource = UploadSource.API,
) -> list[Accepted]:
    """Keep photos and open a session for each location, with its job; one answer a session.

    The same photos for the same location again answer the first session.

    Raises:
        CapturedInFuture: the time that a person chose has not come yet.
    """
    now = datetime.now(UTC)
    # Clocks of phones and servers differ a little; a stocktake of tomorrow is a mistake.
    if captured_at is not None and captured_at > now + timedelta(minutes=5):
        raise CapturedInFuture(Notice("in_future", {"value": site_text(captured_at)}))
    if captured_at is not None:
        captured_at = min(captured_at, now)
    groups = [Group(location, tuple(photos))] if location else group_by_place(session, photos)
    return [_accept_group(session, group, user, captured_at, source, now) for group in groups]


def group_by_place(session: Session, photos: Sequence[Photo]) -> list[Group]:
    """Photos by the location that their labels or GPS name, in the order they came.

    A label shot alone names the photos after it and is none of them, unless nothing
    follows. Two labels in one photo name nothing: a person is asked.
    """
    by_place: dict[tuple[int | None, str | None], list[Photo]] = {}
    places: dict[int, StorageLocation] = {}
    named: StorageLocation | None = None
    for index, photo in enumerate(photos):
        labelled = location_guess.by_labels(session, photo.labels)
        if len(labelled) == 1 and _is_label_shot(photo) and index + 1 < len(photos):
            named = labelled[0]
            continue
        place, reason = _place_of(session, photo, labelled, named)
        if place is not None:
            places[place.location_id] = place
        by_place.setdefault((place.location_id if place else None, reason), []).append(photo)
    return [
        Group(places[at] if at is not None else None, tuple(group), reason)
        for (at, reason), group in by_place.items()
    ]


def _is_label_shot(photo: Photo) -> bool:
    return max(label.share for label in photo.labels) >= location_guess.LABEL_ALONE_SHARE


def _place_of(
    session: Session,
    photo: Photo,
    labelled: Sequence[StorageLocation],
    named: StorageLocation | None,
) -> tuple[StorageLocation | None, str | None]:
    if len(labelled) > 1:
        return None, "two_labels"
    if labelled:
        return labelled[0], None
    if named is not None:
        return named, None
    place = location_guess.by_position(session, photo.position) if photo.position else None
    return place, None if place else "location_unknown"


def _accept_group(
    session: Session,
    group: Group,
    user: User,
    chosen: datetime | None,
    source: UploadSource,
    now: datetime,
) -> Accepted:
    photos, repeats = _distinct(group.photos)
    moment = exif.moment([(p.upload.name, p.taken_at) for p in photos], chosen, now)
    row = {
        "session_id": uuid4(),
        "storage_location_id": group.location.location_id if group.location else None,
        "requested_location_id": group.location.location_id if group.location else None,
        "requested_location_code": group.location.code if group.location else None,
        "captured_at": moment.captured_at,
        "captured_at_source": moment.source,
        "uploaded_by_user_id": user.id,
        "content_key": content_key(photos),
        "warnings": [
            warning.to_json() for warning in (*moment.warnings, *_pages_left_out(photos), *repeats)
        ],
    }
    if group.location is None:
        reason = group.reason_code or "location_unknown"
        row |= {
            "status": SessionStatus.NEEDS_LOCATION,
            "reason_code": reason,
            "next_action": next_action(reason),
        }
    new_id = session.scalar(
        insert(PhotoSession).values(row).on_conflict_do_nothing().returning(PhotoSession.id)
    )
    if new_id is None:
        _keep_on(session, photos)
        return Accepted(_first(session, row), is_new=False)
    accepted = session.get_one(PhotoSession, new_id)
    step("intake.session_written")
    _keep(session, accepted, photos, user, source)
    step("intake.photos_kept")
    if group.location is not None:
        start(session, accepted)
    log.info("photos_accepted", session_id=new_id, photos=len(photos), status=accepted.status)
    return Accepted(accepted, is_new=True)


def start(session: Session, photo_session: PhotoSession) -> None:
    """Queue the session's processing, in this transaction."""
    jobs.enqueue(
        session, ml_parent_task, session_id=photo_session.id, attempt=photo_session.attempt
    )


def content_key(photos: Sequence[Photo]) -> str:
    """One hash for a set of photos, in whatever order they came."""
    joined = "\n".join(sorted(photo.sha256 for photo in photos))
    return hashlib.sha256(joined.encode()).hexdigest()


def _distinct(photos: Sequence[Photo]) -> tuple[list[Photo], list[Notice]]:
    first_by_hash: dict[str, Photo] = {}
    repeats = []
    for photo in photos:
        first = first_by_hash.setdefault(photo.sha256, photo)
        if first is not photo:
            repeats.append(
                Notice("same_photo", {"name": photo.upload.name, "first": first.upload.name})
            )
    return list(first_by_hash.values()), repeats


def _pages_left_out(photos: Sequence[Photo]) -> list[Notice]:
    return [
        Notice("pages_not_counted", {"name": photo.upload.name, "pages": photo.pages_left_out})
        for photo in photos
        if photo.pages_left_out
    ]


def _first(session: Session, row: dict[str, Any]) -> PhotoSession:
    return session.scalars(
        select(PhotoSession).where(
            PhotoSession.requested_location_id.is_not_distinct_from(row["requested_location_id"]),
            PhotoSession.content_key == row["content_key"],
        )
    ).one()


def _keep_on(session: Session, photos: Sequence[Photo]) -> None:
    """Photos that came before are kept anew from now on; the bytes, too, where they were let go."""
    for photo in sorted(photos, key=lambda p: p.sha256):
        blob_drops.share(session, photo.sha256)
        session.execute(text(_TOUCH), {"sha256": photo.sha256})
        if blob_drops.drop_times(session, [photo.sha256]):
            _keep_bytes(session, photo)


# Rows of a day are young by all rules; an upload that is repeated at once writes nothing.
_TOUCH = """
UPDATE s3_images SET updated_at = now()
WHERE sha256 = :sha256 AND greatest(created_at, updated_at) < now() - interval '1 day'
"""


def _keep_bytes(session: Session, photo: Photo) -> None:
    blobs.accept(session, photo.upload.read(), photo.content_type)
    jobs.enqueue(session, store_blob, sha256=photo.sha256)


def _keep(
    session: Session,
    accepted: PhotoSession,
    photos: Sequence[Photo],
    user: User,
    source: UploadSource,
) -> None:
    for position, photo in enumerate(photos, start=1):
        image = _image(photo, user, source)
        session.add(image)
        session.flush()
        session.add(
            SessionImage(session_id=accepted.id, image_id=image.image_id, position=position)
        )
        if position == 1:
            accepted.original_image_id = image.image_id
    # One order of hashes for everybody, so that two uploads never wait for each other.
    for photo in sorted(photos, key=lambda p: p.sha256):
        _keep_bytes(session, photo)
    session.flush()


def _image(photo: Photo, user: User, source: UploadSource) -> Image:
    at = photo.position
    return Image(
        image_id=uuid4(),
        s3_bucket=blobs.bucket(),
        s3_key_original=blobs.key_of(photo.sha256),
        original_filename=photo.upload.name,
        sha256=photo.sha256,
        content_type=photo.content_type,
        file_size_bytes=photo.size_bytes,
        width_px=photo.width_px,
        height_px=photo.height_px,
        exif_metadata=photo.exif or None,
        gps_coordinates=f"SRID=4326;POINT({at.longitude} {at.latitude})" if at else None,
        gps_error_m=at.error_m if at else None,
        captured_at=photo.taken_at.at,
        upload_source=source,
        uploaded_by_user_id=user.id,
    )
