"""What people send about counts."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from demeter.core.fields import MOST, Code
from demeter.stock.schemas import Report
from demeter.vision.values import ContainerType


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
    category: ContainerType = ContainerType.SEGMENT


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
