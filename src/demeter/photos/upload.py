"""An upload as it comes over the wire: parts are spooled to disk and measured on the way in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from demeter.core.errors import DomainError, InvalidInput
from demeter.core.settings import settings
from demeter.photos.decode import PhotoTooLarge
from demeter.photos.intake import NoPhotos, TooManyPhotos, Upload

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
    too_large: tuple[PhotoTooLarge, ...]
    ignored: tuple[str, ...]


class _Spool(MultiPartParser):
    """Keeps files on disk; what is over a limit is counted and let go, not stored."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.headers, request.stream(), max_files=10_000, max_fields=100)
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
            f"{_name(file)} has {size:,} bytes; at most {limit.max_photo_bytes:,} are taken",
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
        too_large=too_large,
        ignored=tuple(sorted(set(texts) - FIELDS)),
    )


def _upload(file: UploadFile) -> Upload:
    def read() -> bytes:
        file.file.seek(0)
        return file.file.read()

    return Upload(_name(file), read)


def _name(file: UploadFile) -> str:
    """The last part of the name: some browsers send a path."""
    return (file.filename or "photo").replace("\\", "/").rsplit("/", 1)[-1].replace("\x00", "")


def _close(form: Any) -> None:
    for _, value in form.multi_items():
        if not isinstance(value, str):
            value.file.close()
