"""What people say grows at a location, by the codes they know, and what they read of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from demeter.core.fields import Code, UserName
from demeter.core.registers.fields import Key, Line, LongKey, Millimetres, Prose
from demeter.core.schemas import Input, Output

AttributeName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]
AttributeText = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
AttributeNumber = Annotated[float, Field(allow_inf_nan=False)]
Attributes = dict[AttributeName, AttributeText | bool | AttributeNumber | None]

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


class LocationConfigCreate(Input):
    """What grows at a location from now on."""

    product_code: Code
    state: Code
    packaging_sku: Code | None = None
    framed_whole: bool | None = None
    user: UserName | None = None


class LocationConfigRead(Output):
    """What grows at a location; nothing is said where ``product_code`` is null."""

    location_code: str
    name: str
    warehouse_code: str
    area_code: str
    product_code: str | None
    state: str | None
    packaging_sku: str | None
    framed_whole: bool
    waiting: int
