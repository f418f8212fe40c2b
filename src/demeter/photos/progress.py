"""Progress of a session as server-sent events; the same small answer can be polled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from demeter.core import jobs
from demeter.core.db import transaction
from demeter.photos import queue_forecast, session_detail
from demeter.photos.schemas import ImageProgress, SecondsRange, SessionProgress

LOOK_EVERY_S = 0.5
SIGN_OF_LIFE_S = 15.0
LONGEST_S = 600.0  # then the stream ends and the browser opens a new one


def look(session_id: UUID) -> SessionProgress:
    """How far a session is now.

    Raises:
        SessionNotFound: there is none.
    """
    with transaction() as session:
        photo_session = session_detail.find(session, session_id)
        forecast = queue_forecast.forecast_of(session, photo_session)
        wait = forecast.wait
        return SessionProgress(
            status=photo_session.status,
            is_end=photo_session.status.is_end,
            reason_code=photo_session.reason_code,
            attempt=photo_session.attempt,
            progress=session_detail.progress(photo_session),
            workers_alive=jobs.workers_alive(session),
            photos_ahead=forecast.photos_ahead,
            seconds_left=SecondsRange(low=wait.low_s, high=wait.high_s) if wait else None,
            images=[
                ImageProgress(position=row.position, state=row.status, progress=row.progress)
                for row in photo_session.images
            ],
        )


async def events(session_id: UUID, first: SessionProgress) -> AsyncIterator[bytes]:
    """An event for each change until the session ends, in the wire format of SSE."""
    yield b"retry: 2000\n\n"
    yield _event(first)
    last, silent_s, total_s = first, 0.0, 0.0
    while not last.is_end and total_s < LONGEST_S:
        await asyncio.sleep(LOOK_EVERY_S)
        silent_s, total_s = silent_s + LOOK_EVERY_S, total_s + LOOK_EVERY_S
        now = await run_in_threadpool(look, session_id)
        if now != last:
            last, silent_s = now, 0.0
            yield _event(now)
        elif silent_s >= SIGN_OF_LIFE_S:
            silent_s = 0.0
            yield b": still here\n\n"


def _event(now: SessionProgress) -> bytes:
    name = b"end" if now.is_end else b"progress"
    return b"event: " + name + b"\ndata: " + now.model_dump_json().encode() + b"\n\n"
