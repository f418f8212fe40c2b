"""What people send about counts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from demeter.core.fields import MOST, Code
from demeter.core.schemas import Input
from demeter.stock.schemas import Report
from demeter.vision.values import ContainerType


class BinCount(Input):
    """A person's number for one bin."""

    bin_code: Code
    plants: Annotated[int, Field(ge=0, le=MOST)]


class HandCountCreate(Report):
    """A count by hand of a location: all its plants, or bin by bin."""

    location_code: Code
    plants: Annotated[int, Field(ge=0, le=MOST)] | None = None
    bins: list[BinCount] = Field(default=[], max_length=1000)
    product_code: Code | None = None
    state: Code | None = None
    packaging_sku: Code | None = None
    category: ContainerType = ContainerType.SEGMENT


class ContainerCorrect(Input):
    """The number of one container, by its id in the count."""

    container_id: Annotated[int, Field(ge=1, lt=2**62)]
    plants: Annotated[int, Field(ge=0, le=MOST)]


class CountCorrect(Report):
    """What a count should have said."""

    containers: list[ContainerCorrect] = Field(min_length=1, max_length=1000)


class CountMove(Report):
    """The photos show another location."""

    location_code: Code
