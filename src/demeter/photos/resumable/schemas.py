"""What is said to begin an upload in chunks, and how far it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from demeter.core.fields import IS_NUMBER
from demeter.core.schemas import Input, Output
from demeter.photos.models import SessionStatus, UploadSource

CHUNK_BYTES = 262_144  # a slow line sends it in a few seconds; it fits into every body
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class ResumablePhotoCreate(Input):
    """A photo that will come; its whole hash and length."""

    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=1, le=2**40), IS_NUMBER]
    name: Words = "photo"


class ResumableUploadCreate(Input):
    """Photos that will come together, and what a form with them would say."""

    photos: list[ResumablePhotoCreate] = Field(min_length=1, max_length=100)
    location_code: Words | None = None
    captured_at: Words | None = None
    upload_source: UploadSource | None = None

    def fields(self) -> dict[str, Any]:
        """As the fields of a form, with the photos' hashes."""
        words = self.model_dump(mode="json", exclude={"photos"}, exclude_none=True)
        return {**words, "sha256": [photo.sha256 for photo in self.photos]}


class ResumablePhotoRead(Output):
    """How far a photo is: the next byte to send is ``offset``."""

    position: int
    sha256: str
    size_bytes: int
    offset: int


class ResumableUploadRead(Output):
    """How far an upload is; photos are safe once ``is_finished``."""

    upload_id: UUID
    photos: list[ResumablePhotoRead]
    chunk_bytes: int = Field(description="the most that one chunk may hold")
    expires_at: datetime
    is_finished: bool


class KnownPhoto(Output):
    """A photo that is here already, and where."""

    sha256: str
    session_id: UUID
    status: SessionStatus
    location_code: str | None
    page_url: str
