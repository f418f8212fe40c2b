"""Counts and what they say of each container; corrections and blind recounts of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demeter.core.db import Base, ChangedRow, CreatedRow, pg_enum
from demeter.locations.models import StorageBin
from demeter.stock.models import SourceType
from demeter.vision.values import ContainerType


class BlindRecount(CreatedRow, Base):
    """A person's number for a session, given before the machine's was shown."""

    __tablename__ = "blind_recounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("photo_processing_sessions.id"))
    attempt: Mapped[int]
    count_id: Mapped[int] = mapped_column(ForeignKey("counts.id"))
    plants: Mapped[int]
    containers: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")
    machine_plants: Mapped[int | None]
    difference: Mapped[int | None] = mapped_column(Computed("plants - machine_plants"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    note: Mapped[str | None]


class Count(ChangedRow, Base):
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
    unit: Mapped[str | None]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    product_state_id: Mapped[int | None] = mapped_column(
        ForeignKey("product_states.product_state_id")
    )
    packaging_catalog_id: Mapped[int | None] = mapped_column(ForeignKey("packaging_catalog.id"))
    interval_low: Mapped[int | None]
    interval_high: Mapped[int | None]
    posted_at: Mapped[datetime | None]
    posted_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    blind_until: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    voided_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    void_reason: Mapped[str | None]
    plants: Mapped[int | None]
    posted_attempt: Mapped[int | None]
    waits_for: Mapped[str | None]
    wait_message: Mapped[str | None]
    wait_notices: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    pending_void: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    note: Mapped[str | None]

    containers: Mapped[list[ContainerCount]] = relationship(
        order_by="ContainerCount.container_index, ContainerCount.id",
        primaryjoin="and_(Count.id == ContainerCount.count_id, "
        "Count.attempt == ContainerCount.attempt)",
        viewonly=True,
    )


class ContainerCount(ChangedRow, Base):
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
    container_type: Mapped[ContainerType | None] = mapped_column(
        pg_enum(ContainerType, "bin_category")
    )
    segment: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    seen: Mapped[bool] = mapped_column(server_default="true")
    machine_detected: Mapped[int | None]
    machine_estimated: Mapped[int | None]
    machine_empty: Mapped[int | None]
    unknown_reason: Mapped[str | None]
    unknown_notice: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
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

    @property
    def whole_answer(self) -> int | None:
        """The answer now, ``None`` where a part of it is not known."""
        is_partial = self.seen and self.human_corrected is None and self.machine_estimated is None
        return None if is_partial else self.answer


class CountCorrection(CreatedRow, Base):
    """One change of a container's answer by a person."""

    __tablename__ = "count_corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    container_count_id: Mapped[int] = mapped_column(ForeignKey("container_counts.id"))
    answer_before: Mapped[int | None]
    answer_after: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str | None]
