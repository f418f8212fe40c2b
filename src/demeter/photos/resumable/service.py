"""Uploads in chunks: begun, continued by any process, and made an upload like every other."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import IO
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import logs
from demeter.core.blobs import copy_bytes
from demeter.core.db import transaction
from demeter.core.notices import Notice
from demeter.core.pixels.errors import PhotoTooLarge
from demeter.core.settings import settings
from demeter.photos.intake import TooManyPhotos, Upload
from demeter.photos.quotas import require_quota
from demeter.photos.resumable.errors import (
    ChunkDamaged,
    ChunkMisplaced,
    ChunkTooLong,
    HashDiffers,
    ResumableUploadDiffers,
    ResumableUploadNotFound,
    UploadIncomplete,
)
from demeter.photos.resumable.models import ResumableChunk, ResumablePhoto, ResumableUpload
from demeter.photos.resumable.schemas import (
    CHUNK_BYTES,
    ResumablePhotoRead,
    ResumableUploadCreate,
    ResumableUploadRead,
)
from demeter.photos.upload import FIELDS, Received, location_of, wish_of

KEPT_FOR = timedelta(hours=24)
SPOOLED_BYTES = 1_000_000  # of a photo that is put together in memory; more goes to disk
log = logs.get(__name__)


def begin(
    session: Session, upload_id: UUID, request: ResumableUploadCreate, user: User
) -> ResumableUploadRead:
    """An upload under the sender's own id; begun again, it says how far it is.

    Raises:
        ResumableUploadDiffers, ResumableUploadNotFound: the id is taken for other photos, or
            by somebody else.
        TooManyPhotos, PhotoTooLarge, UploadLimit: as an upload in one piece.
        LocationNotFound, LocationInactive, FieldInvalid: as `upload.location_of`.
    """
    _require_size(request)
    row = {"id": upload_id, "user_id": user.id, "fields": request.fields()}
    made = session.scalar(
        insert(ResumableUpload).values(row).on_conflict_do_nothing().returning(ResumableUpload.id)
    )
    if made is None:
        upload = find(session, upload_id, user)
        if upload.fields != row["fields"]:
            raise ResumableUploadDiffers(f"upload {upload_id} was begun with other photos")
        return read(upload)
    location_of(session, wish_of(row["fields"]))  # told now, and not after all bytes have come
    _require_room(session, request, user)
    session.add_all(
        ResumablePhoto(
            upload_id=upload_id,
            position=position,
            name=photo.name,
            sha256=photo.sha256,
            size_bytes=photo.size_bytes,
        )
        for position, photo in enumerate(request.photos, start=1)
    )
    session.flush()
    return read(find(session, upload_id, user))


def _require_size(request: ResumableUploadCreate) -> None:
    limit = settings()
    if len(request.photos) > limit.max_photos:
        raise TooManyPhotos(f"{len(request.photos)} photos; at most {limit.max_photos} are taken")
    for photo in request.photos:
        if photo.size_bytes > limit.max_photo_bytes:
            raise PhotoTooLarge(
                Notice(
                    "photo_of_bytes",
                    {
                        "name": photo.name,
                        "bytes": photo.size_bytes,
                        "limit": limit.max_photo_bytes,
                    },
                ),
                file=photo.name,
            )


def _require_room(session: Session, request: ResumableUploadCreate, user: User) -> None:
    """What waits in chunks counts as if it had come already."""
    waiting = (
        select(func.count(), func.coalesce(func.sum(ResumablePhoto.size_bytes), 0))
        .join(ResumableUpload, ResumableUpload.id == ResumablePhoto.upload_id)
        .where(ResumableUpload.user_id == user.id, ResumableUpload.answer.is_(None))
    )
    photos, size_bytes = session.execute(waiting).one()
    size_bytes += sum(photo.size_bytes for photo in request.photos)
    require_quota(session, user, int(photos) + len(request.photos), int(size_bytes))


def find(session: Session, upload_id: UUID, user: User) -> ResumableUpload:
    """A person's own upload.

    Raises:
        ResumableUploadNotFound: it is not here, or somebody else's: both look alike.
    """
    upload = session.get(ResumableUpload, upload_id)
    if upload is None or upload.user_id != user.id:
        raise ResumableUploadNotFound(f"there is no upload {upload_id}")
    return upload


def read(upload: ResumableUpload) -> ResumableUploadRead:
    """How far an upload is."""
    return ResumableUploadRead(
        upload_id=upload.id,
        photos=[
            ResumablePhotoRead(
                position=photo.position,
                sha256=photo.sha256,
                size_bytes=photo.size_bytes,
                offset=photo.received_bytes,
            )
            for photo in upload.photos
        ],
        chunk_bytes=CHUNK_BYTES,
        expires_at=upload.created_at + KEPT_FOR,
        is_finished=upload.answer is not None,
    )


def add_chunk(
    session: Session,
    upload_id: UUID,
    position: int,
    user: User,
    *,
    offset: int,
    sha256: str,
    body: bytes,
) -> ResumableUploadRead:
    """Keep the next bytes of a photo.

    Raises:
        ResumableUploadNotFound: no such upload or photo of this person.
        ChunkMisplaced: the last chunk ended elsewhere; ``offset`` says where.
        ChunkDamaged, ChunkTooLong: the bytes cannot be those.
    """
    upload = find(session, upload_id, user)
    photo = session.scalar(
        select(ResumablePhoto)
        .where(ResumablePhoto.upload_id == upload_id, ResumablePhoto.position == position)
        .with_for_update()
    )
    if photo is None:
        raise ResumableUploadNotFound(f"upload {upload_id} has no photo {position}")
    if offset != photo.received_bytes:
        raise ChunkMisplaced(
            f"the chunk begins at {offset}; {photo.received_bytes} bytes are here",
            offset=photo.received_bytes,
        )
    if not 0 < len(body) <= min(CHUNK_BYTES, photo.size_bytes - offset):
        raise ChunkTooLong(f"a chunk of {len(body)} bytes at {offset} of {photo.size_bytes}")
    if hashlib.sha256(body).hexdigest() != sha256:
        raise ChunkDamaged(f"the chunk at {offset} does not have the hash {sha256}")
    copy_bytes(
        session,
        "COPY resumable_chunks (photo_id, start_byte, body) FROM STDIN (FORMAT BINARY)",
        ("int8", "int8", "bytea"),
        (photo.id, offset, body),
    )
    photo.received_bytes = offset + len(body)
    session.flush()
    return read(upload)


@contextmanager
def whole_photos(upload: ResumableUpload) -> Iterator[Received]:
    """The photos of an upload put together, as a form would have brought them.

    Raises:
        UploadIncomplete: bytes are missing.
        HashDiffers: the bytes of a photo are not those that were announced.
    """
    for photo in upload.photos:
        if photo.received_bytes < photo.size_bytes:
            raise UploadIncomplete(
                f"{photo.received_bytes} of {photo.size_bytes} bytes of {photo.name} are here",
                position=photo.position,
                offset=photo.received_bytes,
            )
    with ExitStack() as files:
        uploads = tuple(
            _upload(photo, files.enter_context(_put_together(photo))) for photo in upload.photos
        )
        yield Received(
            fields={name: text for name, text in upload.fields.items() if name in FIELDS and text},
            uploads=uploads,
            size_bytes=sum(photo.size_bytes for photo in upload.photos),
            too_large=(),
            ignored=(),
        )


@contextmanager
def _put_together(photo: ResumablePhoto) -> Iterator[IO[bytes]]:
    digest = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES) as file:
        for body in _chunks(photo):
            digest.update(body)
            file.write(body)
        if digest.hexdigest() != photo.sha256:
            raise HashDiffers(f"{photo.name} is not {photo.sha256}", position=photo.position)
        yield file


def _chunks(photo: ResumablePhoto) -> Iterator[bytes]:
    """One at a time, in a transaction each: nothing is held open while a photo is written."""
    at = 0
    while at < photo.size_bytes:
        with transaction() as session:
            body = session.scalar(
                select(ResumableChunk.body).where(
                    ResumableChunk.photo_id == photo.id, ResumableChunk.start_byte == at
                )
            )
        if body is None:  # finished meanwhile by somebody else, or a day old
            raise ResumableUploadNotFound(f"the bytes of {photo.name} are gone")
        at += len(body)
        yield body


def _upload(photo: ResumablePhoto, file: IO[bytes]) -> Upload:
    def content() -> bytes:
        file.seek(0)
        return file.read()

    is_on_disk = photo.size_bytes > SPOOLED_BYTES
    return Upload(photo.name, content, _descriptor(file) if is_on_disk else None)


def _descriptor(file: IO[bytes]) -> Callable[[], int]:
    def descriptor() -> int:
        file.flush()
        return file.fileno()

    return descriptor


def lock(session: Session, upload_id: UUID, user: User) -> ResumableUpload:
    """The upload, held until the transaction ends: it is finished once; raises as `find`."""
    find(session, upload_id, user)
    query = select(ResumableUpload).where(ResumableUpload.id == upload_id)
    upload = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if upload is None:
        raise ResumableUploadNotFound(f"there is no upload {upload_id}")
    return upload


def close(session: Session, upload: ResumableUpload, answer: object) -> None:
    """The photos are safe elsewhere: let the chunks go, and remember the answer."""
    upload.answer = answer
    photos = select(ResumablePhoto.id).where(ResumablePhoto.upload_id == upload.id)
    session.execute(
        delete(ResumableChunk)
        .where(ResumableChunk.photo_id.in_(photos))
        .execution_options(synchronize_session=False)
    )
    session.flush()


def drop_old(session: Session) -> int:
    """Drop uploads that were begun more than a day ago; how many."""
    dropped = session.scalars(
        delete(ResumableUpload)
        .where(ResumableUpload.created_at < func.now() - KEPT_FOR)
        .returning(ResumableUpload.id)
        .execution_options(synchronize_session=False)
    ).all()
    if dropped:
        log.info("uploads_dropped", uploads=len(dropped))
    return len(dropped)
