"""Images, photo sessions, and the images of a session."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import Computed, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demeter.core.db import Base, ChangedRow, CreatedRow, pg_enum
from demeter.vision.values import EstimationMethod


class UploadSource(StrEnum):
    """Where a photo came in."""

    WEB = "web"
    MOBILE = "mobile"
    API = "api"


class ImageStatus(StrEnum):
    """How far a stored image is."""

    UPLOADED = "uploaded"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class SessionStatus(StrEnum):
    """Where a session stands; all but the first two are ends until a person acts."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    NEEDS_LOCATION = "needs_location"
    NEEDS_CONFIG = "needs_config"
    NEEDS_REVIEW = "needs_review"
    DISCARDED = "discarded"

    @property
    def is_end(self) -> bool:
        """Whether nothing more happens by itself."""
        return self not in (SessionStatus.PENDING, SessionStatus.PROCESSING)


class SessionImageStatus(StrEnum):
    """Where one image of a session stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def is_end(self) -> bool:
        """Whether this image will change no more in this attempt."""
        return self in (SessionImageStatus.SUCCEEDED, SessionImageStatus.FAILED)


class CapturedAtSource(StrEnum):
    """What said when the photo was taken."""

    PERSON = "person"
    EXIF = "exif"
    RECEIVED = "received"


class Image(ChangedRow, Base):
    """One stored photo; its bytes are found by ``sha256``."""

    __tablename__ = "s3_images"

    image_id: Mapped[UUID] = mapped_column(primary_key=True)
    s3_bucket: Mapped[str]
    s3_key_original: Mapped[str]
    s3_key_processed: Mapped[str | None]
    s3_key_thumbnail: Mapped[str | None]
    original_filename: Mapped[str | None]
    sha256: Mapped[str]
    content_type: Mapped[str]
    file_size_bytes: Mapped[int]
    width_px: Mapped[int]
    height_px: Mapped[int]
    exif_metadata: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    gps_coordinates: Mapped[Any | None] = mapped_column(
        Geometry("POINT", srid=4326, spatial_index=False)
    )
    gps_error_m: Mapped[float | None]
    captured_at: Mapped[datetime | None]
    upload_source: Mapped[UploadSource] = mapped_column(pg_enum(UploadSource, "upload_source"))
    uploaded_by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    status: Mapped[ImageStatus] = mapped_column(
        pg_enum(ImageStatus, "image_status"), server_default="uploaded"
    )
    error_details: Mapped[str | None]


class PhotoSession(ChangedRow, Base):
    """One upload for one location, from acceptance to its one visible end."""

    __tablename__ = "photo_processing_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    storage_location_id: Mapped[int | None] = mapped_column(
        ForeignKey("storage_locations.location_id")
    )
    requested_location_id: Mapped[int | None]
    requested_location_code: Mapped[str | None]
    status: Mapped[SessionStatus] = mapped_column(
        pg_enum(SessionStatus, "session_status"), server_default="pending"
    )
    reason_code: Mapped[str | None]
    next_action: Mapped[str | None]
    error_message: Mapped[str | None]
    reason_notices: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    warnings: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    attempt: Mapped[int] = mapped_column(server_default="1")
    captured_at: Mapped[datetime]
    captured_at_source: Mapped[CapturedAtSource] = mapped_column(
        pg_enum(CapturedAtSource, "captured_at_source")
    )
    posted_at: Mapped[datetime | None]
    original_image_id: Mapped[UUID | None] = mapped_column(ForeignKey("s3_images.image_id"))
    processed_image_id: Mapped[UUID | None] = mapped_column(ForeignKey("s3_images.image_id"))
    total_detected: Mapped[int | None]
    total_estimated: Mapped[int | None]
    total_empty_containers: Mapped[int | None]
    interval_low: Mapped[int | None]
    interval_high: Mapped[int | None]
    avg_confidence: Mapped[float | None]
    category_counts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    validated: Mapped[bool] = mapped_column(server_default="false")
    validated_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    validation_date: Mapped[datetime | None]
    manual_adjustments: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    uploaded_by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    content_key: Mapped[str]

    images: Mapped[list[SessionImage]] = relationship(
        back_populates="session", order_by="SessionImage.position"
    )

    @property
    def has_all_images_ended(self) -> bool:
        """Whether each image was counted or failed, so that the session can be recorded."""
        return all(image.status.is_end for image in self.images)


class SessionImage(ChangedRow, Base):
    """One image of a session with its own state; ``result`` is vision's answer as JSON."""

    __tablename__ = "photo_session_images"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    image_id: Mapped[UUID] = mapped_column(ForeignKey("s3_images.image_id"))
    position: Mapped[int]
    status: Mapped[SessionImageStatus] = mapped_column(
        pg_enum(SessionImageStatus, "session_image_status"), server_default="pending"
    )
    attempt: Mapped[int] = mapped_column(server_default="1")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    progress: Mapped[float] = mapped_column(server_default="0")

    session: Mapped[PhotoSession] = relationship(back_populates="images")
    image: Mapped[Image] = relationship()


class Classification(CreatedRow, Base):
    """What a detected plant is taken to be: here the location's configuration."""

    __tablename__ = "classifications"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    product_size_id: Mapped[int | None] = mapped_column(ForeignKey("product_sizes.id"))
    packaging_catalog_id: Mapped[int | None] = mapped_column(ForeignKey("packaging_catalog.id"))
    product_confidence: Mapped[float | None]
    size_confidence: Mapped[float | None]
    packaging_confidence: Mapped[float | None]
    model_version: Mapped[str]
    name: Mapped[str]


class Detection(CreatedRow, Base):
    """One plant or empty container seen in a photo."""

    __tablename__ = "detections"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    attempt: Mapped[int]
    image_id: Mapped[UUID] = mapped_column(ForeignKey("s3_images.image_id"))
    container_count_id: Mapped[int] = mapped_column(ForeignKey("container_counts.id"))
    stock_movement_id: Mapped[int | None] = mapped_column(ForeignKey("stock_movements.id"))
    classification_id: Mapped[int | None] = mapped_column(ForeignKey("classifications.id"))
    center_x_px: Mapped[float]
    center_y_px: Mapped[float]
    width_px: Mapped[float]
    height_px: Mapped[float]
    area_px: Mapped[float] = mapped_column(Computed("width_px * height_px"))
    bbox_coordinates: Mapped[dict[str, Any]] = mapped_column(JSONB)
    detection_confidence: Mapped[float]
    is_empty_container: Mapped[bool] = mapped_column(server_default="false")
    is_alive: Mapped[bool] = mapped_column(server_default="true")


class Estimation(CreatedRow, Base):
    """Plants that detection could not separate, as estimated from what it left."""

    __tablename__ = "estimations"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    attempt: Mapped[int]
    image_id: Mapped[UUID] = mapped_column(ForeignKey("s3_images.image_id"))
    container_count_id: Mapped[int] = mapped_column(ForeignKey("container_counts.id"))
    stock_movement_id: Mapped[int | None] = mapped_column(ForeignKey("stock_movements.id"))
    classification_id: Mapped[int | None] = mapped_column(ForeignKey("classifications.id"))
    vegetation_polygon: Mapped[list[Any]] = mapped_column(JSONB)
    residual_area_px: Mapped[int]
    detected_area_cm2: Mapped[Decimal | None]
    estimated_count: Mapped[int | None]
    unknown_reason: Mapped[str | None]
    calculation_method: Mapped[EstimationMethod] = mapped_column(
        pg_enum(EstimationMethod, "calculation_method")
    )
    estimation_confidence: Mapped[float]
    used_density_parameters: Mapped[bool] = mapped_column(server_default="false")
    bands: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
