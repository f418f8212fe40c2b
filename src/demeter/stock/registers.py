"""Lots and movements as they stand in the ledger: read here, written by what people report."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from demeter.accounts.models import User
from demeter.catalog.models import Packaging, Product, ProductSize, ProductState
from demeter.core.registers.description import Register, RowReference
from demeter.core.schemas import Output
from demeter.locations.models import StorageBin
from demeter.stock.models import MovementType, SourceType, StockBatch, StockMovement


class LotRow(Output):
    """A lot in a bin, with its dates and state."""

    batch_code: str
    bin_code: str | None
    product_code: str | None
    state: str | None
    size_code: str | None
    packaging_sku: str | None
    quantity_initial: int
    quantity_current: int
    quantity_empty_containers: int
    quality_score: Decimal | None
    planting_date: date | None
    germination_date: date | None
    transplant_date: date | None
    expected_ready_date: date | None
    notes: str | None


class LedgerRow(Output):
    """A movement of the ledger."""

    movement_id: UUID
    batch_code: str | None
    movement_type: MovementType
    quantity: int
    source_bin_code: str | None
    destination_bin_code: str | None
    transfer_id: UUID | None
    reverses_movement_id: int | None
    processing_session_id: int | None
    count_id: int | None
    source_type: SourceType
    unit_price: Decimal | None
    total_price: Decimal | None
    reason_description: str | None
    username: str | None
    occurred_at: datetime


LOTS = Register(
    name="lots",
    room="evidence",
    model=StockBatch,
    create=LotRow,
    key=None,
    fields={
        "bin_code": RowReference("current_storage_bin_id", StorageBin.code),
        "product_code": RowReference("product_id", Product.code),
        "state": RowReference("product_state_id", ProductState.name),
        "size_code": RowReference("product_size_id", ProductSize.code),
        "packaging_sku": RowReference("packaging_catalog_id", Packaging.sku),
    },
    search=("batch_code", "bin_code", "product_code"),
    filters=("bin_code", "product_code", "state"),
    columns=("batch_code", "product_code", "state", "quantity_current"),
    read_only=True,
)
MOVEMENTS = Register(
    name="movements",
    room="evidence",
    model=StockMovement,
    create=LedgerRow,
    key=None,
    fields={
        "batch_code": RowReference("batch_id", StockBatch.batch_code),
        "source_bin_code": RowReference("source_bin_id", StorageBin.code),
        "destination_bin_code": RowReference("destination_bin_id", StorageBin.code),
        "username": RowReference("user_id", User.username),
    },
    search=("batch_code", "reason_description"),
    filters=("batch_code", "movement_type", "processing_session_id", "count_id"),
    columns=("batch_code", "movement_type", "quantity", "occurred_at"),
    read_only=True,
)

EVIDENCE_OF_STOCK = (LOTS, MOVEMENTS)
