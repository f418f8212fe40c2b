"""An upload under way: its photos, and what of their bytes has come."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demeter.core.db import Base, ChangedRow


class ResumableUpload(ChangedRow, Base):
    """Photos that somebody sends together; ``id`` is made by the sender.

    ``answer`` is what it was answered once its photos were safe; there are no chunks then.
    """

    __tablename__ = "resumable_uploads"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB)
    answer: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))

    photos: Mapped[list[ResumablePhoto]] = relationship(order_by="ResumablePhoto.position")


class ResumablePhoto(Base):
    """One photo of an upload, and how many of its bytes are here."""

    __tablename__ = "resumable_photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[UUID] = mapped_column(ForeignKey("resumable_uploads.id"))
    position: Mapped[int]
    name: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    received_bytes: Mapped[int] = mapped_column(server_default="0")


class ResumableChunk(Base):
    """Bytes of a photo from one of them on."""

    __tablename__ = "resumable_chunks"

    photo_id: Mapped[int] = mapped_column(ForeignKey("resumable_photos.id"), primary_key=True)
    start_byte: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(deferred=True)
