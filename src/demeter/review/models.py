"""What people did to the marks of a photo."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from demeter.core.db import Base, CreatedRow, pg_enum


class CorrectionKind(StrEnum):
    """What a person did to the detections of a photo."""

    ADDED = "added"
    REMOVED = "removed"
    UNDONE = "undone"


class DetectionCorrection(CreatedRow, Base):
    """One detection that a person added or removed, or the taking back of such a correction."""

    __tablename__ = "detection_corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    attempt: Mapped[int]
    image_id: Mapped[UUID] = mapped_column(ForeignKey("s3_images.image_id"))
    container_count_id: Mapped[int] = mapped_column(ForeignKey("container_counts.id"))
    kind: Mapped[CorrectionKind] = mapped_column(
        pg_enum(CorrectionKind, "detection_correction_kind")
    )
    bbox_coordinates: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    detection_id: Mapped[int | None] = mapped_column(ForeignKey("detections.id"))
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("detection_corrections.id"))
    is_empty_container: Mapped[bool] = mapped_column(server_default="false")
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str | None]
