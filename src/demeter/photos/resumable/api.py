"""Uploads in chunks over HTTP: begun under an id of the sender's, continued, finished."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.photos import openapi
from demeter.photos.resumable import finishing, queries, service
from demeter.photos.resumable.schemas import (
    KnownPhoto,
    ResumableUploadCreate,
    ResumableUploadRead,
    Sha256,
)
from demeter.photos.schemas import UploadRead

router = APIRouter(
    prefix="/api/v1/photos", tags=["photos"], responses=PROBLEMS | {409: PROBLEM, 429: PROBLEM}
)

Position = Annotated[int, Path(ge=1, le=100)]
CHUNK = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


async def _body(request: Request) -> bytes:
    return await request.body()


@router.put(
    "/uploads/{upload_id}",
    summary="Begin an upload in chunks, or ask how far it is",
    **requires(Permission.REPORT),
)
def begin_upload(upload_id: UUID, body: ResumableUploadCreate) -> ResumableUploadRead:
    """The id is the sender's own; the same again is answered with the offsets to go on at.

    Chunks are kept for 24 hours. Nothing is safe before `finish` answers 202.
    """
    with transaction() as session:
        return service.begin(session, upload_id, body, acting_user(session))


@router.get(
    "/uploads/{upload_id}",
    summary="How far an upload in chunks is",
    **requires(Permission.REPORT),
)
def get_upload(upload_id: UUID) -> ResumableUploadRead:
    """Of each photo the next byte to send."""
    with transaction() as session:
        return service.read(service.find(session, upload_id, acting_user(session)))


@router.patch(
    "/uploads/{upload_id}/{position}",
    summary="Send the next bytes of a photo",
    **requires(Permission.REPORT, openapi=CHUNK),
)
def add_chunk(
    upload_id: UUID,
    position: Position,
    body: Annotated[bytes, Depends(_body)],
    upload_offset: Annotated[int, Header(ge=0, lt=2**53, description="where the bytes begin")],
    chunk_sha256: Annotated[Sha256, Header(description="of these bytes alone")],
) -> ResumableUploadRead:
    """At the offset that was answered last; elsewhere it is refused with the right one."""
    with transaction() as session:
        return service.add_chunk(
            session,
            upload_id,
            position,
            acting_user(session),
            offset=upload_offset,
            sha256=chunk_sha256,
            body=body,
        )


@router.post(
    "/uploads/{upload_id}/finish",
    status_code=202,
    response_model=UploadRead | list[UploadRead],
    responses=openapi.UPLOADED,
    summary="Make sessions of an upload's photos",
    **requires(Permission.REPORT),
)
def finish_upload(upload_id: UUID, once: OnceOnly) -> Any:
    """Answered as `POST /stock/photo` is, once the photos are safe; again, with the same."""
    return finishing.finish(upload_id, once)


@router.get(
    "/known",
    summary="Which photos are here already",
    **requires(Permission.REPORT),
)
def find_known(sha256: Annotated[list[Sha256], Query(max_length=100)]) -> list[KnownPhoto]:
    """By hash, so that a repeat is known before it is sent; others are left out."""
    with transaction() as session:
        return queries.known_photos(session, sha256)
