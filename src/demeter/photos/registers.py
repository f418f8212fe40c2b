"""What photos and vision left as evidence: read as it is, never written by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from demeter.accounts.models import User
from demeter.catalog.models import Packaging, Product, ProductSize
from demeter.core.registers.description import Register, RowReference
from demeter.core.schemas import Output
from demeter.counts.models import Count
from demeter.locations.models import StorageLocation
from demeter.photos.models import (
    Classification,
    Detection,
    Estimation,
    Image,
    PhotoSession,
    SessionImage,
    SessionImageStatus,
    SessionStatus,
)
from demeter.vision.values import EstimationMethod


def not_blind(session_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Rows of sessions whose numbers may be seen: no blind recount is awaited."""
    blind = select(Count.processing_session_id).where(
        Count.blind_until > func.now(), Count.processing_session_id.is_not(None)
    )
    return session_id.not_in(blind)


@dataclass(frozen=True, slots=True)
class GpsPosition:
    """Where the camera was when it took an image, as it said."""

    attribute: str = "image_id"

    def expression(self, model: type[Any]) -> ColumnElement[Any]:
        """Latitude and longitude in degrees."""
        place = func.jsonb_build_object(
            "latitude",
            func.ST_Y(Image.gps_coordinates),
            "longitude",
            func.ST_X(Image.gps_coordinates),
        )
        query = select(place).where(Image.image_id == model.image_id)
        return query.where(Image.gps_coordinates.is_not(None)).scalar_subquery()

    def from_column(self, value: Any) -> Any:
        """As it is; nothing where the camera did not say."""
        return value

    def to_column(self, session: Session, name: str, value: Any) -> Any:
        """Nobody writes it."""
        raise NotImplementedError


class PhotoSessionRow(Output):
    """An upload for a location, from acceptance to its one visible end."""

    session_id: UUID
    location_code: str | None
    status: SessionStatus
    reason_code: str | None
    error_message: str | None
    attempt: int
    captured_at: datetime
    posted_at: datetime | None
    total_detected: int | None
    total_estimated: int | None
    total_empty_containers: int | None
    avg_confidence: float | None
    validated: bool
    uploaded_by: str | None


class SessionImageRow(Output):
    """An image of a session with its own state, and the photo behind it."""

    session_id: int
    image_id: UUID
    position: int
    status: SessionImageStatus
    attempt: int
    error_code: str | None
    error_message: str | None
    started_at: datetime | None
    finished_at: datetime | None
    original_filename: str | None
    sha256: str
    content_type: str
    file_size_bytes: int
    photo_width_px: int
    photo_height_px: int
    captured_at: datetime | None
    exif_metadata: dict[str, Any] | None
    position_gps: dict[str, float] | None


class ClassificationRow(Output):
    """What a detected plant was taken to be."""

    name: str
    product_code: str | None
    size_code: str | None
    packaging_sku: str | None
    product_confidence: float | None
    size_confidence: float | None
    packaging_confidence: float | None
    model_version: str


class DetectionRow(Output):
    """A plant or an empty container seen in a photo."""

    session_id: int
    attempt: int
    image_id: UUID
    classification_id: int | None
    stock_movement_id: int | None
    center_x_px: float
    center_y_px: float
    width_px: float
    height_px: float
    area_px: float
    detection_confidence: float
    is_empty_container: bool
    is_alive: bool


class EstimationRow(Output):
    """Plants that detection could not separate, and how they were estimated."""

    session_id: int
    attempt: int
    image_id: UUID
    classification_id: int | None
    stock_movement_id: int | None
    residual_area_px: int
    detected_area_cm2: Decimal | None
    estimated_count: int | None
    unknown_reason: str | None
    calculation_method: EstimationMethod
    estimation_confidence: float
    used_density_parameters: bool


SESSIONS = Register(
    name="sessions",
    room="evidence",
    model=PhotoSession,
    create=PhotoSessionRow,
    key=None,
    fields={
        "location_code": RowReference("storage_location_id", StorageLocation.code),
        "uploaded_by": RowReference("uploaded_by_user_id", User.username),
    },
    search=("location_code", "reason_code"),
    filters=("location_code", "status"),
    columns=("location_code", "status", "captured_at", "total_detected"),
    read_only=True,
    visible=lambda: not_blind(PhotoSession.id),
)
SESSION_IMAGES = Register(
    name="session-images",
    room="evidence",
    model=SessionImage,
    create=SessionImageRow,
    key=None,
    fields={
        "original_filename": RowReference("image_id", Image.original_filename),
        "sha256": RowReference("image_id", Image.sha256),
        "content_type": RowReference("image_id", Image.content_type),
        "file_size_bytes": RowReference("image_id", Image.file_size_bytes),
        "photo_width_px": RowReference("image_id", Image.width_px),
        "photo_height_px": RowReference("image_id", Image.height_px),
        "captured_at": RowReference("image_id", Image.captured_at),
        "exif_metadata": RowReference("image_id", Image.exif_metadata),
        "position_gps": GpsPosition(),
    },
    search=(),
    filters=("session_id", "image_id", "status"),
    columns=("session_id", "position", "status", "image_id"),
    read_only=True,
)
CLASSIFICATIONS = Register(
    name="classifications",
    room="evidence",
    model=Classification,
    create=ClassificationRow,
    key=None,
    fields={
        "product_code": RowReference("product_id", Product.code),
        "size_code": RowReference("product_size_id", ProductSize.code),
        "packaging_sku": RowReference("packaging_catalog_id", Packaging.sku),
    },
    search=("name", "product_code", "model_version"),
    filters=("product_code",),
    columns=("name", "product_code", "packaging_sku", "model_version"),
    read_only=True,
)
DETECTIONS = Register(
    name="detections",
    room="evidence",
    model=Detection,
    create=DetectionRow,
    key=None,
    search=(),
    filters=("session_id", "image_id", "is_empty_container"),
    columns=("session_id", "image_id", "detection_confidence", "is_empty_container"),
    read_only=True,
    visible=lambda: not_blind(Detection.session_id),
)
ESTIMATIONS = Register(
    name="estimations",
    room="evidence",
    model=Estimation,
    create=EstimationRow,
    key=None,
    search=(),
    filters=("session_id", "image_id", "calculation_method"),
    columns=("session_id", "calculation_method", "estimated_count", "estimation_confidence"),
    read_only=True,
    visible=lambda: not_blind(Estimation.session_id),
)

EVIDENCE_OF_PHOTOS = (SESSIONS, SESSION_IMAGES, CLASSIFICATIONS, DETECTIONS, ESTIMATIONS)
