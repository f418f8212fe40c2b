"""Batches, movements, counts; detections and estimations, the evidence beneath them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demeter.catalog.models import Product
from demeter.core.db import Base, Changed, Created, pg_enum
from demeter.locations.models import BinCategory, StorageBin


class MovementType(StrEnum):
    """Everything that changes stock (SPEC §4)."""

    PLANTAR = "plantar"
    SEMBRAR = "sembrar"
    MANUAL_INIT = "manual_init"
    MUERTE = "muerte"
    TRANSPLANTE = "transplante"
    VENTAS = "ventas"
    FOTO = "foto"
    AJUSTE = "ajuste"


class SourceType(StrEnum):
    """Who said so: a person or the model."""

    MANUAL = "manual"
    IA = "ia"


class CalculationMethod(StrEnum):
    """How plants that detection could not separate were counted."""

    BAND = "band_estimation"
    DENSITY = "density_estimation"
    GRID = "grid_analysis"


class StockBatch(Changed, Base):
    """A lot in a bin; ``quantity_current`` is the database's own sum of its movements."""

    __tablename__ = "stock_batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_code: Mapped[str]
    current_storage_bin_id: Mapped[int] = mapped_column(ForeignKey("storage_bins.bin_id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    product_state_id: Mapped[int] = mapped_column(ForeignKey("product_states.product_state_id"))
    product_size_id: Mapped[int | None] = mapped_column(ForeignKey("product_sizes.id"))
    has_packaging: Mapped[bool] = mapped_column(server_default="false")
    packaging_catalog_id: Mapped[int | None] = mapped_column(ForeignKey("packaging_catalog.id"))
    quantity_initial: Mapped[int] = mapped_column(server_default="0")
    quantity_current: Mapped[int] = mapped_column(server_default="0")
    quantity_empty_containers: Mapped[int] = mapped_column(server_default="0")
    quality_score: Mapped[Decimal | None]
    planting_date: Mapped[date | None]
    germination_date: Mapped[date | None]
    transplant_date: Mapped[date | None]
    expected_ready_date: Mapped[date | None]
    notes: Mapped[str | None]
    custom_attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")

    bin: Mapped[StorageBin] = relationship()
    product: Mapped[Product] = relationship()


class StockFact(Created, Base):
    """One thing a person said about stock, under the caller's key, and how it was answered."""

    __tablename__ = "stock_facts"

    movement_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class StockMovement(Created, Base):
    """One change of one batch; written once, never changed."""

    __tablename__ = "stock_movements"

    id: Mapped[int] = mapped_column(primary_key=True)
    movement_id: Mapped[UUID]
    batch_id: Mapped[int] = mapped_column(ForeignKey("stock_batches.id"))
    movement_type: Mapped[MovementType] = mapped_column(pg_enum(MovementType, "movement_type"))
    source_bin_id: Mapped[int | None] = mapped_column(ForeignKey("storage_bins.bin_id"))
    destination_bin_id: Mapped[int | None] = mapped_column(ForeignKey("storage_bins.bin_id"))
    quantity: Mapped[int]
    transfer_id: Mapped[UUID | None]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    unit_price: Mapped[Decimal | None]
    total_price: Mapped[Decimal | None]
    reason_description: Mapped[str | None]
    processing_session_id: Mapped[int | None] = mapped_column(
        ForeignKey("photo_processing_sessions.id")
    )
    count_id: Mapped[int | None] = mapped_column(ForeignKey("counts.id"))
    reverses_movement_id: Mapped[int | None] = mapped_column(ForeignKey("stock_movements.id"))
    fact_id: Mapped[UUID | None] = mapped_column(ForeignKey("stock_facts.movement_id"))
    closing_id: Mapped[int | None]
    source_type: Mapped[SourceType] = mapped_column(pg_enum(SourceType, "source_type"))
    is_inbound: Mapped[bool]
    occurred_at: Mapped[datetime]

    batch: Mapped[StockBatch] = relationship()


class Count(Changed, Base):
    """One count of a location: a stocktake at ``captured_at``, once it is posted."""

    __tablename__ = "counts"

    id: Mapped[int] = mapped_column(primary_key=True)
    storage_location_id: Mapped[int] = mapped_column(ForeignKey("storage_locations.location_id"))
    captured_at: Mapped[datetime]
    source_type: Mapped[SourceType] = mapped_column(pg_enum(SourceType, "source_type"))
    processing_session_id: Mapped[int | None] = mapped_column(
        ForeignKey("photo_processing_sessions.id")
    )
    attempt: Mapped[int] = mapped_column(server_default="1")
    counted_by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    product_state_id: Mapped[int | None] = mapped_column(
        ForeignKey("product_states.product_state_id")
    )
    packaging_catalog_id: Mapped[int | None] = mapped_column(ForeignKey("packaging_catalog.id"))
    interval_low: Mapped[int | None]
    interval_high: Mapped[int | None]
    posted_at: Mapped[datetime | None]
    posted_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    voided_at: Mapped[datetime | None]
    voided_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    void_reason: Mapped[str | None]
    plants: Mapped[int | None]
    posted_attempt: Mapped[int | None]
    waits_for: Mapped[str | None]
    wait_message: Mapped[str | None]
    pending_void: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    note: Mapped[str | None]

    containers: Mapped[list[ContainerCount]] = relationship(
        order_by="ContainerCount.container_index, ContainerCount.id",
        primaryjoin="and_(Count.id == ContainerCount.count_id, "
        "Count.attempt == ContainerCount.attempt)",
        viewonly=True,
    )


class ContainerCount(Changed, Base):
    """One container of a count: machine's answer, human's correction, what it changed."""

    __tablename__ = "container_counts"

    id: Mapped[int] = mapped_column(primary_key=True)
    count_id: Mapped[int] = mapped_column(ForeignKey("counts.id"))
    processing_session_id: Mapped[int | None] = mapped_column(
        ForeignKey("photo_processing_sessions.id")
    )
    attempt: Mapped[int] = mapped_column(server_default="1")
    image_id: Mapped[UUID | None] = mapped_column(ForeignKey("s3_images.image_id"))
    container_index: Mapped[int | None]
    bin_id: Mapped[int | None] = mapped_column(ForeignKey("storage_bins.bin_id"))
    container_type: Mapped[BinCategory | None] = mapped_column(pg_enum(BinCategory, "bin_category"))
    segment: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    seen: Mapped[bool] = mapped_column(server_default="true")
    machine_detected: Mapped[int | None]
    machine_estimated: Mapped[int | None]
    machine_empty: Mapped[int | None]
    unknown_reason: Mapped[str | None]
    residual_share: Mapped[float | None]
    interval_low: Mapped[int | None]
    interval_high: Mapped[int | None]
    confidence: Mapped[float | None]
    human_corrected: Mapped[int | None]
    corrected_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    corrected_at: Mapped[datetime | None]
    model_versions: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    ledger_before: Mapped[int | None]
    difference: Mapped[int | None]
    stock_movement_id: Mapped[int | None] = mapped_column(ForeignKey("stock_movements.id"))

    bin: Mapped[StorageBin | None] = relationship()

    @property
    def answer(self) -> int | None:
        """The answer now: a person's correction, else what the machine knows.

        What it knows is the detected and, where known, the estimated; ``machine_estimated``
        tells whether that is all. A bin that was expected and not seen holds none.
        """
        if self.human_corrected is not None:
            return self.human_corrected
        if not self.seen:
            return 0
        if self.machine_detected is None:
            return None
        return self.machine_detected + (self.machine_estimated or 0)


class CountCorrection(Created, Base):
    """One change of a container's answer by a person."""

    __tablename__ = "count_corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    container_count_id: Mapped[int] = mapped_column(ForeignKey("container_counts.id"))
    answer_before: Mapped[int | None]
    answer_after: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str | None]


class Classification(Created, Base):
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


class Detection(Created, Base):
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


class Estimation(Created, Base):
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
    calculation_method: Mapped[CalculationMethod] = mapped_column(
        pg_enum(CalculationMethod, "calculation_method")
    )
    estimation_confidence: Mapped[float]
    used_density_parameters: Mapped[bool] = mapped_column(server_default="false")
    bands: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
