"""Warehouse > area > location > bin."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import Computed, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demeter.core.db import Base, ChangedRow, CreatedRow, pg_enum
from demeter.vision.values import ContainerType


class WarehouseType(StrEnum):
    """How a warehouse, or an area of it, is covered."""

    GREENHOUSE = "greenhouse"
    SHADEHOUSE = "shadehouse"
    OPEN_FIELD = "open_field"
    TUNNEL = "tunnel"


class AreaPosition(StrEnum):
    """On which side of its warehouse an area lies, or in its centre."""

    NORTH = "N"
    SOUTH = "S"
    EAST = "E"
    WEST = "W"
    CENTRE = "C"


class RelationshipType(StrEnum):
    """How two locations lie to each other."""

    CONTAINS = "contains"
    ADJACENT_TO = "adjacent_to"


class LocationType(StrEnum):
    """What plants stand on there."""

    GROWING_BED = "growing_bed"
    BENCH = "bench"
    RACK = "rack"
    FLOOR = "floor"


class BinStatus(StrEnum):
    """Active and maintenance change into each other; retired is final."""

    ACTIVE = "active"
    MAINTENANCE = "maintenance"
    RETIRED = "retired"


def _shape(kind: str) -> Geometry:
    return Geometry(kind, srid=4326, spatial_index=False)


class MappedPlace(ChangedRow):
    """A place on the map; ``centroid`` and ``area_m2`` are PostGIS's own."""

    code: Mapped[str]
    name: Mapped[str]
    centroid: Mapped[Any] = mapped_column(_shape("POINT"), Computed("ST_Centroid"))
    area_m2: Mapped[float | None] = mapped_column(Computed("ST_Area"))
    active: Mapped[bool] = mapped_column(server_default="true")


class Warehouse(MappedPlace, Base):
    """A greenhouse (*nave*)."""

    __tablename__ = "warehouses"
    is_audited = True

    warehouse_id: Mapped[int] = mapped_column(primary_key=True)
    warehouse_type: Mapped[WarehouseType] = mapped_column(pg_enum(WarehouseType, "warehouse_type"))
    geojson_coordinates: Mapped[Any | None] = mapped_column(_shape("POLYGON"), nullable=True)


class StorageArea(MappedPlace, Base):
    """A bed (*cantero*) or other part of a warehouse."""

    __tablename__ = "storage_areas"
    is_audited = True

    storage_area_id: Mapped[int] = mapped_column(primary_key=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.warehouse_id"))
    area_type: Mapped[WarehouseType] = mapped_column(pg_enum(WarehouseType, "warehouse_type"))
    position: Mapped[AreaPosition | None] = mapped_column(pg_enum(AreaPosition, "area_position"))
    geojson_coordinates: Mapped[Any | None] = mapped_column(_shape("POLYGON"), nullable=True)

    warehouse: Mapped[Warehouse] = relationship()


class StorageLocation(MappedPlace, Base):
    """A bed section (*claro*): the unit of a count."""

    __tablename__ = "storage_locations"
    is_audited = True

    location_id: Mapped[int] = mapped_column(primary_key=True)
    storage_area_id: Mapped[int] = mapped_column(ForeignKey("storage_areas.storage_area_id"))
    qr_code: Mapped[str | None]
    location_type: Mapped[LocationType] = mapped_column(pg_enum(LocationType, "location_type"))
    description: Mapped[str | None]
    geojson_coordinates: Mapped[Any | None] = mapped_column(_shape("GEOMETRY"), nullable=True)
    framed_whole: Mapped[bool] = mapped_column(server_default="false")
    walk_order: Mapped[int | None]
    photo_session_id: Mapped[int | None] = mapped_column(ForeignKey("photo_processing_sessions.id"))

    area: Mapped[StorageArea] = relationship()


class StorageBinType(ChangedRow, Base):
    """A kind of bin; a photo alone never names a grid."""

    __tablename__ = "storage_bin_types"
    is_audited = True

    bin_type_id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    category: Mapped[ContainerType] = mapped_column(pg_enum(ContainerType, "bin_category"))
    is_grid: Mapped[bool] = mapped_column(server_default="false")
    rows: Mapped[int | None]
    columns: Mapped[int | None]
    capacity: Mapped[int | None]
    length_cm: Mapped[float | None]
    width_cm: Mapped[float | None]
    height_cm: Mapped[float | None]
    description: Mapped[str | None]


class StorageBin(ChangedRow, Base):
    """One container or container group in a location."""

    __tablename__ = "storage_bins"

    bin_id: Mapped[int] = mapped_column(primary_key=True)
    storage_location_id: Mapped[int] = mapped_column(ForeignKey("storage_locations.location_id"))
    storage_bin_type_id: Mapped[int | None] = mapped_column(
        ForeignKey("storage_bin_types.bin_type_id")
    )
    code: Mapped[str]
    label: Mapped[str | None]
    description: Mapped[str | None]
    position_metadata: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    status: Mapped[BinStatus] = mapped_column(
        pg_enum(BinStatus, "bin_status"), server_default="active"
    )

    bin_type: Mapped[StorageBinType | None] = relationship()
    location: Mapped[StorageLocation] = relationship()


class LocationRelationship(CreatedRow, Base):
    """One location holds another, or they touch."""

    __tablename__ = "location_relationships"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_location_id: Mapped[int] = mapped_column(ForeignKey("storage_locations.location_id"))
    child_location_id: Mapped[int] = mapped_column(ForeignKey("storage_locations.location_id"))
    relationship_type: Mapped[RelationshipType] = mapped_column(
        pg_enum(RelationshipType, "relationship_type")
    )
