"""Places and bins as they come in; what goes out follows from it."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from demeter.core.fields import IS_NUMBER
from demeter.core.registers.fields import Centimetres, Line, Many, Prose, UpperKey
from demeter.core.schemas import Input, Output
from demeter.locations.models import (
    AreaPosition,
    BinStatus,
    LocationType,
    RelationshipType,
    WarehouseType,
)
from demeter.locations.shapes import BedShape, PolygonShape
from demeter.vision.values import ContainerType

LocationCode = Annotated[
    str, Field(min_length=1, max_length=50, pattern=r"^[A-Z0-9_-]+$", examples=["NAVE1-NORTE-C07"])
]
BinCode = Annotated[
    str,
    Field(
        min_length=7,
        max_length=100,
        pattern=r"^[A-Z0-9_-]+-[A-Z0-9_-]+-[A-Z0-9_-]+-[A-Z0-9_-]+$",
        examples=["NAVE1-NORTE-C07-CAJON1"],
    ),
]
QrText = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Label = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
WalkOrder = Annotated[int, Field(ge=0, le=2_000_000_000), IS_NUMBER]

WAREHOUSE_EXAMPLE: JsonDict = {"code": "NAVE4", "name": "Nave 4"}


class WarehouseCreate(Input):
    """A greenhouse, shadehouse, tunnel or open field."""

    model_config = ConfigDict(json_schema_extra=JsonDict(examples=[WAREHOUSE_EXAMPLE]))

    code: UpperKey
    name: Line
    warehouse_type: WarehouseType = WarehouseType.GREENHOUSE
    shape: PolygonShape | None = Field(default=None, description="GeoJSON; null: not surveyed")


class AreaCreate(Input):
    """A part of a greenhouse, such as a bed (cantero)."""

    code: UpperKey
    name: Line
    warehouse_code: UpperKey
    area_type: WarehouseType = WarehouseType.GREENHOUSE
    position: AreaPosition | None = None
    shape: PolygonShape | None = Field(default=None, description="GeoJSON; null: not surveyed")


class LocationCreate(Input):
    """A section of a bed (claro): the unit of a count."""

    code: LocationCode
    name: Line
    area_code: UpperKey
    location_type: LocationType = LocationType.GROWING_BED
    qr_code: QrText | None = Field(default=None, description="null: its code is on its label")
    description: Prose | None = None
    framed_whole: bool = False
    walk_order: WalkOrder | None = None
    shape: BedShape | None = Field(default=None, description="GeoJSON; null: not surveyed")


class BinTypeCreate(Input):
    """A kind of bin."""

    code: UpperKey
    name: Label
    category: ContainerType
    is_grid: bool = False
    rows: Many | None = None
    columns: Many | None = None
    capacity: Many | None = None
    length_cm: Centimetres | None = None
    width_cm: Centimetres | None = None
    height_cm: Centimetres | None = None
    description: Prose | None = None


class BinCreate(Input):
    """A container or container group at a location."""

    code: BinCode
    location_code: LocationCode
    bin_type_code: UpperKey | None = None
    label: Label | None = None
    description: Prose | None = None
    status: BinStatus = BinStatus.ACTIVE


class RelationshipCreate(Input):
    """Two locations of which one contains the other, or which touch."""

    parent_code: LocationCode
    child_code: LocationCode
    relationship_type: RelationshipType


class BedNear(Output):
    """A bed at a point, with what is around it."""

    code: str
    name: str
    qr_code: str | None
    area_code: str
    warehouse_code: str
    walk_order: int | None
    area_m2: float | None
