"""What people send about counts, and what they read of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from demeter.core.fields import IS_NUMBER, Code, Plants
from demeter.core.notices import Notice
from demeter.core.pagination import Page
from demeter.core.schemas import Input, Output
from demeter.stock.models import SourceType
from demeter.stock.schemas import LedgerCommandCreate
from demeter.vision.values import ContainerType, CountUnit

CountId = Annotated[int, Field(ge=1, lt=2**53)]


class BinCount(Input):
    """A person's number for one bin."""

    bin_code: Code
    plants: Plants


class HandCountCreate(LedgerCommandCreate):
    """A count by hand of a location: all its plants, or bin by bin."""

    location_code: Code
    plants: Plants | None = None
    bins: list[BinCount] = Field(default=[], max_length=1000)
    product_code: Code | None = None
    state: Code | None = None
    packaging_sku: Code | None = None
    category: ContainerType = ContainerType.SEGMENT
    unit: CountUnit | None = Field(
        default=None, description="what was counted; as is set there, or as last, if not said"
    )


class ContainerCorrect(Input):
    """The number of one container, by its id in the count."""

    container_id: Annotated[int, Field(ge=1, lt=2**53), IS_NUMBER]
    plants: Plants


class CountCorrect(LedgerCommandCreate):
    """What a count should have said."""

    containers: list[ContainerCorrect] = Field(min_length=1, max_length=1000)


class CountMove(LedgerCommandCreate):
    """The photos show another location."""

    location_code: Code


class ContainerRead(Output):
    """One container of a count: the machine's answer, a person's, the answer now."""

    container_id: int
    bin_code: str | None
    seen: bool
    machine_detected: int | None
    machine_estimated: int | None
    human_corrected: int | None
    ledger_before: int | None
    difference: int | None


class CountRead(Output):
    """A count of a location; ``plants`` is what was posted, null until it is.

    ``counted`` is what its containers say now, posted or not: null where a part is not known
    or a person counts it blind first; ``counted_at_least`` is what is known of it.
    """

    count_id: int
    location_code: str
    captured_at: datetime
    source_type: SourceType
    counted_by: str
    unit: CountUnit | None = Field(
        description="what its numbers count: plants, or occupied places; null where a person "
        "counted and nothing says"
    )
    session_id: UUID | None
    product_code: str | None
    plants: int | None
    counted: int | None
    counted_at_least: int | None
    posted_at: datetime | None
    voided_at: datetime | None
    void_reason: str | None
    waits_for: str | None
    message: str | None
    reasons: list[Notice]
    containers: list[ContainerRead] = Field(default=[])


class CountPage(Page[CountRead]):
    """A page of counts, last kept first."""
