"""What people send: movements, counts and what is done to them, by the codes they know."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from demeter.locations.models import BinCategory

MOST = 10_000_000  # plants in one movement
YEARS = range(2000, 2200)
DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def parse_when(value: Any) -> datetime | date | None:
    """An ISO 8601 time or date; a date alone stays a date.

    Raises:
        ValueError: it is no such text.
    """
    if value is None or isinstance(value, datetime | date):
        return value
    if not isinstance(value, str):
        raise ValueError("a time such as 2026-03-01T10:30-03:00, or a date")  # noqa: TRY004  pydantic's
    parsed = date.fromisoformat(value) if DATE.match(value) else datetime.fromisoformat(value)
    if parsed.year not in YEARS:
        raise ValueError(f"the year {parsed.year} is not one of a nursery's")
    return parsed


When = Annotated[
    datetime | date | None,
    BeforeValidator(parse_when),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
                {"type": "null"},
            ],
            "description": "a date alone is the end of that day at the site; none is now",
            "examples": ["2026-03-01T10:30:00-03:00", "2026-03-01"],
        }
    ),
]
Code = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Words = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Plants = Annotated[int, Field(ge=-MOST, le=MOST)]


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
    category: BinCategory | None = None
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
    to_category: BinCategory | None = None
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


class BinCount(BaseModel):
    """A person's number for one bin."""

    model_config = ConfigDict(extra="forbid")

    bin_code: Code
    plants: Annotated[int, Field(ge=0, le=MOST)]


class ByHand(Report):
    """A count by hand of a location: all its plants, or bin by bin."""

    location_code: Code
    plants: Annotated[int, Field(ge=0, le=MOST)] | None = None
    bins: list[BinCount] = Field(default=[], max_length=1000)
    product_code: Code | None = None
    state: Code | None = None
    packaging_sku: Code | None = None
    category: BinCategory = BinCategory.SEGMENT


class Corrected(BaseModel):
    """The number of one container, by its id in the count."""

    model_config = ConfigDict(extra="forbid")

    container_id: Annotated[int, Field(ge=1, lt=2**62)]
    plants: Annotated[int, Field(ge=0, le=MOST)]


class Correction(Report):
    """What a count should have said."""

    containers: list[Corrected] = Field(min_length=1, max_length=1000)


class MoveCount(Report):
    """The photos show another location."""

    location_code: Code
