"""The photos' HTTP API: upload, look, watch, draw; what a person decides is in `api_actions`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from demeter.core.db import transaction
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.photos import openapi, pictures, progress, queries, session_detail, urls
from demeter.photos import queries as photo_queries
from demeter.photos.intake import Accepted
from demeter.photos.models import SessionStatus
from demeter.photos.schemas import AcceptedAnswer, Drawn, ProgressAnswer, SessionAnswer, SessionPage
from demeter.photos.upload import Received, accept, inspect_each, location_of, receive, wish_of

router = APIRouter(prefix="/api/v1", tags=["photos"], responses=PROBLEMS)

FOR_EVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"

Upload = Annotated[Received, Depends(receive)]


@router.post(
    "/stock/photo",
    status_code=202,
    response_model=AcceptedAnswer | list[AcceptedAnswer],
    openapi_extra=openapi.UPLOAD,
    responses=openapi.ACCEPTED | {415: PROBLEM},
    summary="Send photos to be counted",
)
def upload_photos(received: Upload, once: OnceOnly) -> list[AcceptedAnswer] | AcceptedAnswer:
    """Answered once the photos are safe; counting follows by itself.

    One session a location: photos that fall on several locations are answered with a list.
    The same photos for the same location again are answered by their first session.
    """
    wish = wish_of(received.fields)
    with transaction() as session:
        has_location = location_of(session, wish) is not None
    photos = inspect_each(received, read_labels=not has_location)
    content = [received.fields, [photo.sha256 for photo in photos]]
    with transaction() as session:
        return once.answer(
            session,
            content,
            lambda: _answers(accept(session, wish, photos), received.ignored),
        )


@router.get(
    "/photos/sessions",
    responses=openapi.EXAMPLE_PAGE,
    summary="Sessions, latest first",
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
)
def get_session(session_id: UUID) -> SessionAnswer:
    """`null` is "not known", with its reason beside it; it is never 0."""
    with transaction() as session:
        return session_detail.answer(session, session_detail.find(session, session_id))


@router.get("/photos/sessions/{session_id}/progress", summary="How far a session is")
def get_progress(session_id: UUID) -> ProgressAnswer:
    """Small enough to poll where events do not come through."""
    return progress.look(session_id)


async def _first_look(session_id: UUID) -> ProgressAnswer:
    return await run_in_threadpool(progress.look, session_id)


@router.get(
    "/photos/sessions/{session_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
    summary="Progress as server-sent events",
)
async def watch_session(
    session_id: UUID, first: Annotated[ProgressAnswer, Depends(_first_look)]
) -> StreamingResponse:
    """`progress` for each change, `end` when the session has ended; the data is as of progress."""
    stream: AsyncIterator[bytes] = progress.events(session_id, first)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


@router.get(
    "/photos/sessions/{session_id}/detections",
    summary="What was seen in each image, for drawing",
)
def get_detections(
    session_id: UUID, position: Annotated[int | None, Query(ge=1, le=100)] = None
) -> list[Drawn]:
    """Of all images or of the one at a position; empty until something was counted."""
    with transaction() as session:
        return photo_queries.drawn(session, session_detail.find(session, session_id), position)


@router.get(
    "/photos/images/{image_id}/{variant}",
    response_class=Response,
    responses={200: {"content": {"image/*": {}}}, 304: {"description": "as you have it"}},
    summary="A picture: original, view (for browsers), processed (drawn on), thumbnail",
)
def get_picture(
    request: Request,
    image_id: UUID,
    variant: pictures.Variant,
    v: Annotated[str | None, Query(max_length=64, description="a version, as in our URLs")] = None,
) -> Response:
    """By content: the `ETag` is the hash, and what cannot change may be kept for ever."""
    with transaction() as session:
        found = pictures.find(session, image_id, variant)
    headers = {
        "etag": found.etag,
        "cache-control": FOR_EVER if found.is_final(v) else ASK_FIRST,
    }
    if found.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(pictures.read(found), media_type=found.content_type, headers=headers)


def _answers(
    accepted: list[Accepted], ignored: tuple[str, ...]
) -> list[AcceptedAnswer] | AcceptedAnswer:
    answers = [_answer(one, ignored) for one in accepted]
    return answers[0] if len(answers) == 1 else answers


def _answer(accepted: Accepted, ignored: tuple[str, ...]) -> AcceptedAnswer:
    found = accepted.session
    unknown = [f"the field {name!r} is not known and was ignored" for name in ignored]
    return AcceptedAnswer(
        session_id=found.session_id,
        status=found.status,
        is_new=accepted.is_new,
        location_code=found.requested_location_code,
        reason_code=found.reason_code,
        next_action=found.next_action,
        warnings=[*found.warnings, *unknown],
        **urls.of_session(found.session_id),
    )
