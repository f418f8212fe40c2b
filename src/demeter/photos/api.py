"""Photos over HTTP: upload, sessions, progress, detections, pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from demeter.accounts import identity
from demeter.core.db import transaction
from demeter.core.http.bodies import FileRoute, Files, takes
from demeter.core.http.commands import run_once
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.photos import openapi, pictures, progress, queries, session_detail
from demeter.photos.models import SessionStatus
from demeter.photos.receipts import receipt
from demeter.photos.schemas import (
    ImageDetections,
    SessionPage,
    SessionProgress,
    SessionRead,
    UploadRead,
)
from demeter.photos.upload import (
    Received,
    accept,
    look_through,
    receive,
    room_to_keep,
    wish_of,
)

router = APIRouter(prefix="/api/v1", tags=["photos"], responses=PROBLEMS, route_class=FileRoute)

IMMUTABLE = "private, max-age=31536000, immutable"
REVALIDATE = "private, no-cache"

Upload = Annotated[Received, Depends(receive)]


@router.post(
    "/stock/photo",
    status_code=202,
    response_model=UploadRead | list[UploadRead],
    responses=openapi.UPLOADED | {415: PROBLEM},
    summary="Send photos to be counted",
    **requires(Permission.REPORT, openapi=openapi.UPLOAD | takes(Files.PHOTOS)),
)
def upload_photos(received: Upload, once: OnceOnly) -> list[UploadRead] | UploadRead:
    """Answered once the photos are safe; counting follows by itself.

    One session a location: photos that fall on several locations are answered with a list.
    The same photos for the same location again are answered by their first session.
    """
    wish = wish_of(received.fields)
    photos = look_through(received, wish)
    content = [received.fields, [photo.sha256 for photo in photos]]
    with room_to_keep(photos):
        return run_once(
            once,
            content,
            lambda session: receipt(accept(session, wish, photos), received.ignored),
        )


@router.get(
    "/photos/sessions",
    responses=openapi.EXAMPLE_PAGE,
    summary="Sessions, latest first",
    **requires(Permission.SEE),
)
def list_sessions(
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    status: Annotated[list[SessionStatus] | None, Query(description="any of these")] = None,
    location_code: Annotated[str | None, Query(pattern="^[A-Z0-9_-]{1,50}$")] = None,
) -> SessionPage:
    """A page at a time; `next_cursor` leads on."""
    with transaction() as session:
        return queries.page(
            session, limit=limit, cursor=cursor, status=status or (), location_code=location_code
        )


@router.get(
    "/photos/sessions/{session_id}",
    responses=openapi.EXAMPLE_SESSION,
    summary="One session with everything known about it",
    **requires(Permission.SEE),
)
def get_session(session_id: UUID) -> SessionRead:
    """`null` is "not known", with its reason beside it; it is never 0."""
    with transaction() as session:
        return session_detail.answer(session, session_detail.find(session, session_id))


@router.get(
    "/photos/sessions/{session_id}/progress",
    summary="How far a session is",
    **requires(Permission.SEE),
)
def get_progress(session_id: UUID) -> SessionProgress:
    """Small enough to poll where events do not come through."""
    return progress.look(session_id)


async def _first_progress(session_id: UUID) -> SessionProgress:
    return await run_in_threadpool(progress.look, session_id)


@router.get(
    "/photos/sessions/{session_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
    summary="Progress as server-sent events",
    **requires(Permission.SEE),
)
async def watch_session(
    session_id: UUID, first: Annotated[SessionProgress, Depends(_first_progress)]
) -> StreamingResponse:
    """`progress` for each change, `end` when the session has ended; the data is as of progress."""
    stream: AsyncIterator[bytes] = progress.events(session_id, first)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


@router.get(
    "/photos/sessions/{session_id}/detections",
    summary="What was seen in each image, for drawing",
    **requires(Permission.SEE),
)
def get_detections(
    session_id: UUID, position: Annotated[int | None, Query(ge=1, le=100)] = None
) -> list[ImageDetections]:
    """Of all images or of the one at a position; empty until something was counted."""
    with transaction() as session:
        return queries.image_detections(session, session_detail.find(session, session_id), position)


@router.get(
    "/photos/images/{image_id}/{variant}",
    response_class=Response,
    responses={200: {"content": {"image/*": {}}}, 304: {"description": "as you have it"}},
    summary="A picture: original, file, view, screen (smaller), processed (drawn on), thumbnail",
    **requires(Permission.SEE),
)
def get_picture(
    request: Request,
    image_id: UUID,
    variant: pictures.Variant,
    v: Annotated[str | None, Query(max_length=64, description="a version, as in our URLs")] = None,
) -> Response:
    """By content: the `ETag` is the hash, and what cannot change may be kept for ever.

    Pictures are encoded anew, without what the camera wrote of time, place and owner. `file`,
    for supervisors, is the photo byte by byte as it came in.
    """
    if variant is pictures.Variant.FILE:
        identity.require(Permission.DECIDE)
    with transaction() as session:
        picture = pictures.find(session, image_id, variant)
    headers = {
        "etag": picture.etag,
        "cache-control": IMMUTABLE if picture.is_final(v) else REVALIDATE,
    }
    if variant is pictures.Variant.FILE:
        headers["content-disposition"] = f'attachment; filename="{image_id}"'
    if picture.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(pictures.read(picture), media_type=picture.content_type, headers=headers)
