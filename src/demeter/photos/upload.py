"""An upload as it comes over the wire: parts are spooled to disk and measured on the way in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from demeter.accounts.identity import acting_user
from demeter.core import traces
from demeter.core.crash_points import step
from demeter.core.db import transaction
from demeter.core.errors import DomainError, InvalidInput
from demeter.core.notices import Notice
from demeter.core.pixels.errors import PhotoTooLarge
from demeter.core.pixels.pool import Allowance
from demeter.core.settings import settings
from demeter.locations.models import StorageLocation
from demeter.photos import location_guess
from demeter.photos.capture_time import captured_moment
from demeter.photos.intake import (
    Accepted,
    NoPhotos,
    Photo,
    TooManyPhotos,
    Upload,
    add_photos,
    inspect,
)
from demeter.photos.models import UploadSource
from demeter.photos.quotas import require_quota

SPOOLED_BYTES = 65_536  # of a file that is kept in memory; there may be a hundred an upload
LONGEST_TEXT_BYTES = 16_384  # of a field that is no file
KEPT_BYTES = 64_000_000  # of photos that are on their way into the database at one moment

FIELDS = frozenset(
    {
        "location_code",
        "location_id",
        "storage_location_id",
        "captured_at",
        "user",
        "upload_source",
    }
)


class NotMultipart(DomainError):
    """The body is no form with files."""

    status = 415
    code = "not_multipart"
    title = "Photos are sent as multipart/form-data"
    next_action = "Send the photos as files of a multipart/form-data body, in the field `files`."


class BrokenUpload(InvalidInput):
    """The multipart body cannot be taken apart."""

    code = "broken_upload"
    title = "The upload is broken"
    next_action = "Send it again."


@dataclass(frozen=True, slots=True)
class Received:
    """What a form brought: text fields by name, photos in order, files that were too large."""

    fields: dict[str, str]
    uploads: tuple[Upload, ...]
    size_bytes: int  # of the photos together
    too_large: tuple[PhotoTooLarge, ...]
    ignored: tuple[str, ...]


class _Spool(MultiPartParser):
    """Keeps files on disk; what is over a limit is counted and let go, not stored."""

    spool_max_size = SPOOLED_BYTES

    def __init__(self, request: Request) -> None:
        super().__init__(
            request.headers,
            request.stream(),
            max_files=10_000,
            max_fields=100,
            max_part_size=LONGEST_TEXT_BYTES,
        )
        self.sizes: dict[int, int] = {}

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """The next bytes of a part, as the parser calls it."""
        file = self._current_part.file
        if file is not None:
            size = self.sizes.get(id(file), 0) + end - start
            self.sizes[id(file)] = size
            if size > settings().max_photo_bytes or self._current_files > settings().max_photos:
                return
        super().on_part_data(data, start, end)


async def receive(request: Request) -> AsyncIterator[Received]:
    """Read a multipart body to its end, so that every fault in it can be named; then clean up.

    Any part with a file name is a photo, whatever its field is called.

    Raises:
        NotMultipart: another content type.
        BrokenUpload: no boundary, or the body does not keep to it.
        NoPhotos, TooManyPhotos: the number is not 1 to ``max_photos``.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise NotMultipart(f"the body is {request.headers.get('content-type') or 'untyped'}")
    spool = _Spool(request)
    try:
        form = await spool.parse()
    except MultiPartException as error:
        raise BrokenUpload(f"the upload cannot be read: {error.message}") from error
    files: list[UploadFile] = []
    try:
        texts: dict[str, str] = {}
        for name, value in form.multi_items():
            if isinstance(value, str):
                texts[name] = value.replace("\x00", "").strip()
            elif value.filename or value.size:
                files.append(value)
        yield _received(texts, files, spool.sizes)
    finally:
        await run_in_threadpool(_close, form)


def _received(texts: dict[str, str], files: list[UploadFile], sizes: dict[int, int]) -> Received:
    if not files:
        raise NoPhotos("no photo was sent")
    limit = settings()
    if len(files) > limit.max_photos:
        raise TooManyPhotos(f"{len(files)} photos; at most {limit.max_photos} are taken")
    too_large = tuple(
        PhotoTooLarge(
            Notice(
                "photo_of_bytes",
                {"name": _name(file), "bytes": size, "limit": limit.max_photo_bytes},
            ),
            file=_name(file),
        )
        for file in files
        if (size := sizes.get(id(file), 0)) > limit.max_photo_bytes
    )
    return Received(
        fields={name: text for name, text in texts.items() if name in FIELDS and text},
        uploads=tuple(
            _upload(file) for file in files if sizes.get(id(file), 0) <= limit.max_photo_bytes
        ),
        size_bytes=sum(file.size or 0 for file in files),
        too_large=too_large,
        ignored=tuple(sorted(set(texts) - FIELDS)),
    )


def _upload(file: UploadFile) -> Upload:
    def read() -> bytes:
        file.file.seek(0)
        return file.file.read()

    # What lies on disk is read from there by another process; what is small is in memory.
    is_on_disk = (file.size or 0) > SPOOLED_BYTES
    return Upload(_name(file), read, file.file.fileno if is_on_disk else None)


def _name(file: UploadFile) -> str:
    """The last part of the name: some browsers send a path."""
    return (file.filename or "photo").replace("\\", "/").rsplit("/", 1)[-1].replace("\x00", "")


def _close(form: Any) -> None:
    for _, value in form.multi_items():
        if not isinstance(value, str):
            value.file.close()


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
        captured_at=captured_moment(fields["captured_at"]) if "captured_at" in fields else None,
        user=fields.get("user"),
        source=_source(fields.get("upload_source"), default_source),
    )


def location_of(session: Session, wish: Wish) -> StorageLocation | None:
    """The location that was named, by code or id, or ``None`` where none was.

    Raises:
        LocationNotFound, LocationInactive: as `locate.by_code`.
        FieldInvalid: code and id name two locations.
    """
    by_id = (
        location_guess.by_id(session, wish.location_id) if wish.location_id is not None else None
    )
    if wish.location_code is None:
        return by_id
    by_code = location_guess.by_code(session, wish.location_code)
    if by_id is not None and by_id is not by_code:
        raise FieldInvalid(
            f"location_id {wish.location_id} is {by_id.code}, not {wish.location_code}",
            field="location_id",
        )
    return by_code


def look_through(received: Received, wish: Wish) -> list[Photo]:
    """The photos of an upload, each decoded once; raises as `require_quota` and `inspect_each`."""
    with transaction() as session:
        has_location = location_of(session, wish) is not None
        user = acting_user(session, wish.user)
        require_quota(session, user, len(received.uploads), received.size_bytes)
    with traces.span("check photos", photos=len(received.uploads)):
        photos = inspect_each(received, read_labels=not has_location)
    step("intake.photos_checked")
    return photos


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


@contextmanager
def room_to_keep(photos: Sequence[Photo]) -> Iterator[None]:
    """Room in memory for the largest of these photos, held while they are kept.

    It stands around the transaction, never in it: who waits here holds no row.

    Raises:
        DecoderBusy: too many others are being kept.
    """
    largest = max((photo.size_bytes for photo in photos), default=0)
    with _KEPT.hold(largest, settings().decoder_wait_s):
        yield


_KEPT = Allowance(KEPT_BYTES)


def accept(session: Session, wish: Wish, photos: Sequence[Photo]) -> list[Accepted]:
    """Keep the photos and open their sessions, in the caller's transaction."""
    accepted = add_photos(
        session,
        photos,
        user=acting_user(session, wish.user),
        location=location_of(session, wish),
        captured_at=wish.captured_at,
        source=wish.source,
    )
    step("intake.before_commit")
    return accepted


def _whole(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or int(raw) >= 2**63:
        raise FieldInvalid(f"location_id is a whole number, not {raw!r}", field="location_id")
    return int(raw)


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
