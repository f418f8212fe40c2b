"""The server as a client meets it, and photos that were counted without waiting for models."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from demeter.app import create_app
from demeter.core import db
from demeter.core.db import transaction
from demeter.photos import inference, record
from demeter.photos.models import PhotoSession, SessionImageStatus, SessionStatus
from demeter.vision import overlay
from demeter.vision.values import PhotoCount
from support.nursery import SIDE, plant_nursery
from support.pictures import encoded, picture
from support.signing_in import signed_in

SESSIONS = "/api/v1/photos/sessions"
UPLOAD = "/api/v1/stock/photo"


@pytest.fixture
def client(fresh_database: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client of the whole server, on a database and a home of the test's own."""
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path))
    db.settings.cache_clear()
    with transaction() as session:
        plant_nursery(session)
    with TestClient(
        _app(), base_url="http://localhost", headers=signed_in(), client=("127.0.0.1", 5)
    ) as test_client:
        yield test_client


@lru_cache(maxsize=1)
def _app() -> FastAPI:
    """It holds nothing of a test's: settings and engine are asked for at each request."""
    return create_app()


def jpeg(seed: int = 0) -> bytes:
    """A picture of the size that the made-up answers of vision are about."""
    return encoded(picture(SIDE, SIDE, seed))


def send(client: TestClient, *bodies: bytes, headers: dict[str, str] | None = None, **fields: Any):
    """Upload photos; ``fields`` are the form's."""
    files = [("files", (f"bed-{n}.jpg", body)) for n, body in enumerate(bodies, start=1)]
    return client.post(UPLOAD, files=files, data=fields, headers=headers or {})


def upload_session(client: TestClient, *bodies: bytes, **fields: Any) -> str:
    """The id of the one session that took these photos in."""
    answer = send(client, *(bodies or (jpeg(),)), **{"location_code": "A1", **fields})
    assert answer.status_code == 202, answer.text
    return answer.json()["session_id"]


def record_answers(session_id: str, *answers: PhotoCount | None) -> None:
    """Let vision have said this of a session's images, and record it; ``None`` is a failure."""
    with transaction() as session:
        photo_session = _photo_session(session, session_id)
        photo_session.status = SessionStatus.PROCESSING
        for row, answer in zip(photo_session.images, answers, strict=True):
            if answer is None:
                row.status = SessionImageStatus.FAILED
                row.error_code, row.error_message = (
                    "photo_truncated",
                    "PhotoTruncated: it breaks off",
                )
                continue
            row.status, row.result, row.progress = SessionImageStatus.SUCCEEDED, answer.to_json(), 1
            rgb = np.asarray(picture(SIDE, SIDE))
            pictures = overlay.render(rgb, answer), overlay.thumbnail(rgb)
            image = inference.CountedImage(answer.to_json(), *pictures, {})
            inference.keep_pictures(session, row.id, image)
        session.flush()
        record.record_session(session, photo_session)


def _photo_session(session, session_id: str) -> PhotoSession:
    query = select(PhotoSession).where(PhotoSession.session_id == UUID(session_id))
    return session.scalars(query).one()


def row_count(model: type) -> int:
    """How many rows a table has."""
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(model))
