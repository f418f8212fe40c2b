"""Batches, movements, counts; detections and estimations, the evidence beneath them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demeter.catalog.models import Product
from demeter.core.db import Base, ChangedRow, CreatedRow, pg_enum
from demeter.locations.models import StorageBin


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


class StockBatch(ChangedRow, Base):
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


class LedgerRequest(CreatedRow, Base):
    """One thing a person said about stock, under the caller's key, and how it was answered."""

    __tablename__ = "stock_facts"

    movement_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class StockMovement(CreatedRow, Base):
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
    reason_notice: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
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
