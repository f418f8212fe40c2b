"""From a received form to accepted sessions: each fault is named, and nothing is half kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from demeter.accounts.models import find_user
from demeter.core.errors import DomainError, InvalidInput
from demeter.core.settings import settings
from demeter.locations.models import StorageLocation
from demeter.photos import location_guess
from demeter.photos.intake import Accepted, Photo, add_photos, inspect
from demeter.photos.models import UploadSource
from demeter.photos.upload import Received

EARLIEST_YEAR = 2000  # earlier is a slip of the keyboard


class PhotosRefused(InvalidInput):
    """Several photos of an upload cannot be taken; ``files`` has a problem for each."""

    code = "photos_refused"
    title = "Some of these photos cannot be taken"
    next_action = "Leave out or replace the files named, then send all of them again."


class FieldInvalid(InvalidInput):
    """A field of the form cannot be what it says."""

    code = "invalid_input"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person who sent photos said about them; ``None`` is not said."""

    location_code: str | None
    location_id: int | None
    captured_at: datetime | None
    user: str | None
    source: UploadSource


def wish_of(fields: dict[str, str], default_source: UploadSource = UploadSource.API) -> Wish:
    """The text fields, understood.

    Raises:
        FieldInvalid: one of them is not what its name asks for; ``field`` names it.
    """
    raw_id = fields.get("location_id") or fields.get("storage_location_id")
    return Wish(
        location_code=fields.get("location_code"),
        location_id=_whole(raw_id) if raw_id else None,
        captured_at=_moment(fields["captured_at"]) if "captured_at" in fields else None,
        user=fields.get("user"),
        source=_source(fields.get("upload_source"), default_source),
    )


def location_of(session: Session, wish: Wish) -> StorageLocation | None:
    """The location that was named, by code or id, or ``None`` where none was.

    Raises:
        LocationNotFound, LocationInactive: as `locate.by_code`.
        FieldInvalid: code and id name two locations.
    """
    found = (
        location_guess.by_id(session, wish.location_id) if wish.location_id is not None else None
    )
    if wish.location_code is None:
        return found
    by_code = location_guess.by_code(session, wish.location_code)
    if found is not None and found is not by_code:
        raise FieldInvalid(
            f"location_id {wish.location_id} is {found.code}, not {wish.location_code}",
            field="location_id",
        )
    return by_code


def inspect_each(received: Received, *, read_labels: bool) -> list[Photo]:
    """Decode every upload, one in memory at a time.

    Raises:
        DomainError: the one fault there is, as `decode` raises it.
        PhotosRefused: several; each is in ``files``.
    """
    photos: list[Photo] = []
    faults: list[DomainError] = list(received.too_large)
    for upload in received.uploads:
        try:
            photos.append(inspect(upload, read_labels=read_labels))
        except InvalidInput as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise PhotosRefused(
            "; ".join(fault.message for fault in faults),
            files=[fault.problem() for fault in faults],
        )
    return photos


def accept(session: Session, wish: Wish, photos: Sequence[Photo]) -> list[Accepted]:
    """Keep the photos and open their sessions, in the caller's transaction."""
    return add_photos(
        session,
        photos,
        user=find_user(session, wish.user),
        location=location_of(session, wish),
        captured_at=wish.captured_at,
        source=wish.source,
    )


def _whole(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or int(raw) >= 2**63:
        raise FieldInvalid(f"location_id is a whole number, not {raw!r}", field="location_id")
    return int(raw)


def _moment(raw: str) -> datetime:
    """ISO 8601; without an offset it is the site's time."""
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError as error:
        raise FieldInvalid(
            f"captured_at is an ISO 8601 time like 2026-05-04T10:30, not {raw!r}",
            field="captured_at",
        ) from error
    if moment.year < EARLIEST_YEAR:
        raise FieldInvalid(f"captured_at {raw} is before any photo here", field="captured_at")
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(settings().time_zone))


def _source(raw: str | None, default: UploadSource) -> UploadSource:
    if raw is None:
        return default
    try:
        return UploadSource(raw)
    except ValueError as error:
        known = ", ".join(UploadSource)
        raise FieldInvalid(
            f"upload_source is one of {known}, not {raw!r}", field="upload_source"
        ) from error
