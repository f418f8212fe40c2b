"""What people send about stock, by the codes they know, and what they read of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from demeter.core.fields import Code, Note, PlantChange, Price, UserName, When
from demeter.core.notices import Notice
from demeter.core.pagination import Page
from demeter.core.schemas import Input, Output
from demeter.stock.models import MovementType, SourceType
from demeter.vision.values import ContainerType


class LedgerCommandCreate(Input):
    """Who says so, under which key, when it happened and why."""

    movement_id: UUID = Field(description="your own key: the same again has the same answer")
    occurred_at: When = None
    user: UserName | None = None
    reason: Note | None = None


class WithdrawalCreate(LedgerCommandCreate):
    """Plants come out of a location, or of a bin or lot of it, oldest lot first."""

    quantity: PlantChange
    location_code: Code | None = None
    bin_code: Code | None = None
    batch_code: Code | None = None
    product_code: Code | None = None
    state: Code | None = None
    packaging_sku: Code | None = None


class PlantingCreate(LedgerCommandCreate):
    """Planted or sown; what is not said is as the location is configured."""

    movement_type: Literal["plantar", "sembrar"]
    quantity: PlantChange
    location_code: Code | None = None
    bin_code: Code | None = None
    category: ContainerType | None = None
    product_code: Code | None = None
    state: Code | None = None
    size: Code | None = None
    packaging_sku: Code | None = None
    new_lot: bool = False


class DeathCreate(WithdrawalCreate):
    """Plants died."""

    movement_type: Literal["muerte"]


class SaleCreate(WithdrawalCreate):
    """Plants were sold."""

    movement_type: Literal["ventas"]
    unit_price: Price | None = None


class AdjustmentCreate(WithdrawalCreate):
    """A correction with a reason; the quantity is signed."""

    movement_type: Literal["ajuste"]


class TransplantCreate(WithdrawalCreate):
    """Plants go to another location; a bin there is named, found by category, or made."""

    movement_type: Literal["transplante"]
    to_location_code: Code | None = None
    to_bin_code: Code | None = None
    to_category: ContainerType | None = None
    to_state: Code | None = None
    to_size: Code | None = None
    to_packaging_sku: Code | None = None


class MoveCreate(WithdrawalCreate):
    """Within one location: to another bin or lot, or into another state, size or packaging."""

    movement_type: Literal["move"]
    to_bin_code: Code | None = None
    to_batch_code: Code | None = None
    to_state: Code | None = None
    to_size: Code | None = None
    to_packaging_sku: Code | None = None
    new_lot: bool = False


MovementCreate = Annotated[
    PlantingCreate | DeathCreate | SaleCreate | AdjustmentCreate | TransplantCreate | MoveCreate,
    Field(discriminator="movement_type"),
]


class MovementRead(Output):
    """A movement as it stands in the ledger."""

    movement_id: UUID
    movement_type: MovementType
    quantity: int
    occurred_at: datetime
    created_at: datetime
    batch_code: str
    lot_id: int
    bin_code: str
    location_code: str
    location_name: str
    warehouse_name: str
    product_code: str
    product_name: str
    user: str
    source_type: SourceType
    reason: str | None
    reason_notice: Notice | None = Field(description="null where a person gave the reason")
    count_id: int | None
    session_id: UUID | None
    transfer_id: UUID | None
    reverses_movement_id: UUID | None
    undone_by: UUID | None
    written_by_closing: bool


class MovementPage(Page[MovementRead]):
    """A page of movements, last written first."""


class Level(StrEnum):
    """What stock is added up by."""

    WAREHOUSE = "warehouse"
    AREA = "area"
    LOCATION = "location"
    BIN = "bin"
    LOT = "lot"
    PRODUCT = "product"
    STATE = "state"
    PACKAGING = "packaging"


class StockRead(Output):
    """Plants of one group; ``empty_containers`` is known of today only.

    ``plants`` is null where nobody has counted any of the group's locations and nothing is
    booked there: that is not known. ``never_counted`` is how many of its locations nobody
    has counted; what stands there beyond what is booked is in no number.
    """

    group: dict[Level, str | None]
    plants: int | None
    never_counted: int
    empty_containers: int | None


class InventoryRow(Output):
    """Plants of one product, place, packaging, state or lot, and what the number leaves out.

    ``detail`` is the one packaging of a product, or the one product of anything else; ``details``
    is how many there are. ``never_counted`` of the ``beds`` nobody has counted: what stands
    there is in no number. ``change_30_days`` is null where nothing moved.
    """

    code: str | None
    name: str | None
    detail: str | None
    details: int
    beds: int
    never_counted: int
    lots: int
    change_30_days: int | None
    last_counted_at: datetime | None
    plants: int | None
    lot_id: int | None


class InventoryRead(Output):
    """An inventory as of a moment; ``groups`` is how many rows there are in all."""

    at: datetime
    by: str
    total: InventoryRow
    groups: int
    rows: list[InventoryRow]


class LotEntryRead(Output):
    """One movement of a lot, with the stock after it."""

    movement_id: UUID
    movement_type: MovementType
    quantity: int
    stock_after: int
    occurred_at: datetime
    told_at: datetime
    by: str
    reason: str | None
    reason_notice: Notice | None
    transfer_id: UUID | None
    other_lot: str | None
    other_lot_id: int | None
    other_location_name: str | None
    reverses_movement_id: UUID | None
    count_id: int | None
    session_id: UUID | None
    undone_by: UUID | None
    written_by_closing: bool


class LotOriginRead(Output):
    """A lot that plants came from, and how its own life began."""

    lot_id: int
    batch_code: str
    location_code: str
    location_name: str
    steps_back: int
    began_as: MovementType | None
    began_at: datetime | None
    session_id: UUID | None
    image_id: UUID | None


class LotHistoryRead(Output):
    """One screen of data about a lot."""

    lot_id: int
    batch_code: str
    product_code: str
    product_name: str
    location_name: str
    area_name: str
    warehouse_name: str
    packaging_name: str | None
    photos: int = Field(description="photo sessions behind its movements")
    state: str
    size: str | None
    packaging_sku: str | None
    bin_code: str
    location_code: str
    quantity_current: int
    quantity_initial: int
    quantity_empty_containers: int
    planting_date: date | None
    germination_date: date | None
    transplant_date: date | None
    expected_ready_date: date | None
    notes: str | None
    entries: list[LotEntryRead]
    origins: list[LotOriginRead]
