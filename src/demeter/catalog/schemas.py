"""What people say grows at a location, by the codes they know, and what they read of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from demeter.catalog.models import SampleType
from demeter.core.fields import Code, UserName
from demeter.core.registers.fields import (
    Centimetres,
    Day,
    Key,
    Line,
    Litres,
    LongKey,
    Measure,
    Millimetres,
    Prose,
    Rank,
    Share,
    UpperKey,
)
from demeter.core.schemas import Input, Output
from demeter.vision.values import CountUnit

AttributeName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]
AttributeText = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
AttributeNumber = Annotated[float, Field(allow_inf_nan=False)]
AttributeTexts = Annotated[list[AttributeText], Field(max_length=200)]
Attributes = dict[AttributeName, AttributeText | bool | AttributeNumber | AttributeTexts | None]

SizeCode = Annotated[
    str, Field(min_length=1, max_length=10, pattern=r"^[A-Z0-9]+$", examples=["XL"])
]
HexCode = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$", examples=["#B5651D"])]

PRODUCT_EXAMPLE: JsonDict = {
    "code": "ECHEVERIA-01",
    "name": "Echeveria elegans",
    "category_code": "SUCCULENT",
    "family_code": "CRASSULACEAE",
}


class CategoryCreate(Input):
    """A category of plants, such as cacti."""

    code: Key
    name: Line
    description: Prose | None = None


class FamilyCreate(Input):
    """A botanical family within a category."""

    code: Key
    name: Line
    category_code: Key
    scientific_name: Line | None = None
    description: Prose | None = None


class ProductCreate(Input):
    """A kind of plant that the nursery grows."""

    model_config = ConfigDict(json_schema_extra=JsonDict(examples=[PRODUCT_EXAMPLE]))

    code: LongKey
    name: Line
    category_code: Key
    family_code: Key | None = None
    scientific_name: Line | None = None
    current_height_mm: Millimetres | None = None
    custom_attributes: Attributes = Field(default_factory=dict)


class StateCreate(Input):
    """A stage of a plant's life."""

    name: UpperKey
    description: Prose | None = None
    is_sellable: bool = False
    sort_order: Rank = 0


class SizeCreate(Input):
    """A range of heights: the lower bound belongs to it, the upper does not."""

    code: SizeCode
    name: Line
    min_height_cm: Centimetres
    max_height_cm: Centimetres | None = None


class SampleImageCreate(Input):
    """A photo that shows how a product looks."""

    product_code: LongKey
    image_id: UUID
    sample_type: SampleType
    state: UpperKey | None = None
    size_code: SizeCode | None = None
    location_code: Key | None = None
    captured_on: Day | None = Field(default=None, description="absent: today, at the site")
    captured_by: UserName | None = Field(default=None, description="absent: who acts")
    notes: Prose | None = None


class PackagingTypeCreate(Input):
    """A type of packaging, such as a pot or a tray."""

    code: Key
    name: Line
    description: Prose | None = None


class PackagingMaterialCreate(Input):
    """What packaging is made of."""

    code: Key
    name: Line
    description: Prose | None = None


class PackagingColorCreate(Input):
    """A colour of packaging."""

    name: Key
    hex_code: HexCode | None = None


class PackagingCreate(Input):
    """A pot or tray."""

    sku: Key
    name: Line
    type_code: Key | None = None
    material_code: Key | None = None
    color: Key | None = None
    volume_liters: Litres | None = None
    diameter_cm: Centimetres | None = None
    height_cm: Centimetres | None = None


class DensityCreate(Input):
    """How close plants of a product stand in a kind of container."""

    bin_type_code: Key
    product_code: LongKey
    packaging_sku: Key | None = None
    avg_area_per_plant_cm2: Measure | None = None
    plants_per_m2: Measure | None = None
    overlap_adjustment_factor: Share = Decimal("0.85")
    avg_diameter_cm: Measure | None = None


class LocationConfigCreate(Input):
    """What grows at a location from now on."""

    product_code: Code
    state: Code
    packaging_sku: Code | None = None
    count_unit: CountUnit | None = Field(
        default=None, description="null: by category; absent: as it was for this product"
    )
    framed_whole: bool | None = Field(default=None, description="null: as it was")
    user: UserName | None = None

    @property
    def names_unit(self) -> bool:
        """Whether it says what is counted, be it "by category"."""
        return "count_unit" in self.model_fields_set


class LocationConfigsCreate(LocationConfigCreate):
    """What grows at many locations from now on."""

    location_codes: Annotated[list[Code], Field(min_length=1, max_length=2000)]


class LocationConfigRead(Output):
    """What grows at a location; nothing is said where ``product_code`` is null."""

    location_code: str
    name: str
    warehouse_code: str
    warehouse_name: str
    area_code: str
    area_name: str
    product_code: str | None
    product_name: str | None
    state: str | None
    packaging_sku: str | None
    count_unit: CountUnit | None
    framed_whole: bool
    waiting: int = Field(description="counts that wait to know what grows there")


class LocationConfigsRead(Output):
    """The locations as they are configured now."""

    items: list[LocationConfigRead]
    retried: int = Field(description="counts that waited for this, and are tried again")
