"""What people send: movements, counts and what is done to them, by the codes they know."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from demeter.core.fields import Code, Plants, When, Words
from demeter.vision.values import ContainerType


class Report(BaseModel):
    """Who says so, under which key, when it happened and why."""

    model_config = ConfigDict(extra="forbid")

    movement_id: UUID = Field(description="your own key: the same again has the same answer")
    occurred_at: When = None
    user: Code | None = Field(default=None, description="the service user where nobody is named")
    reason: Words | None = None


class OutOf(Report):
    """Plants come out of a location, or of a bin or lot of it, oldest lot first."""

    quantity: Plants
    location_code: Code | None = None
    bin_code: Code | None = None
    batch_code: Code | None = None
    product_code: Code | None = None
    state: Code | None = None
    packaging_sku: Code | None = None


class Planting(Report):
    """Planted or sown; what is not said is as the location is configured."""

    movement_type: Literal["plantar", "sembrar"]
    quantity: Plants
    location_code: Code | None = None
    bin_code: Code | None = None
    category: ContainerType | None = None
    product_code: Code | None = None
    state: Code | None = None
    size: Code | None = None
    packaging_sku: Code | None = None
    new_lot: bool = False


class Death(OutOf):
    """Plants died."""

    movement_type: Literal["muerte"]


class Sale(OutOf):
    """Plants were sold."""

    movement_type: Literal["ventas"]
    unit_price: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=4)] | None = None


class Adjustment(OutOf):
    """A correction with a reason; the quantity is signed."""

    movement_type: Literal["ajuste"]


class Transplant(OutOf):
    """Plants go to another location; a bin there is named, found by category, or made."""

    movement_type: Literal["transplante"]
    to_location_code: Code | None = None
    to_bin_code: Code | None = None
    to_category: ContainerType | None = None
    to_state: Code | None = None
    to_size: Code | None = None
    to_packaging_sku: Code | None = None


class Move(OutOf):
    """Within one location: to another bin or lot, or into another state, size or packaging."""

    movement_type: Literal["move"]
    to_bin_code: Code | None = None
    to_batch_code: Code | None = None
    to_state: Code | None = None
    to_size: Code | None = None
    to_packaging_sku: Code | None = None
    new_lot: bool = False


Movement = Annotated[
    Planting | Death | Sale | Adjustment | Transplant | Move,
    Field(discriminator="movement_type"),
]
