"""The tables of places and bins, each described once."""

from __future__ import annotations

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from demeter.core.permissions import Permission
from demeter.core.registers.description import Register, RowReference
from demeter.locations import schemas
from demeter.locations.errors import BinHoldsPlants, BinStatusFinal, PlaceOutside
from demeter.locations.models import (
    BinStatus,
    LocationRelationship,
    StorageArea,
    StorageBin,
    StorageBinType,
    StorageLocation,
    Warehouse,
)
from demeter.locations.shapes import ShapeField

OUTSIDE = {"ck_geometry_contained": PlaceOutside}


def keep_retired(session: Session, storage_bin: StorageBin) -> None:
    """Active and maintenance change into each other; retired is final, and empty.

    Raises:
        BinStatusFinal: it is retired and would be used again; both states are named.
        BinHoldsPlants: plants stand in it.
    """
    history = inspect(storage_bin).attrs.status.load_history()
    before = history.deleted[0] if history.deleted else None
    if before is BinStatus.RETIRED:
        raise BinStatusFinal(
            f"bin {storage_bin.code} is {before} and cannot become {storage_bin.status}",
            bin_code=storage_bin.code,
        )
    if storage_bin.status is BinStatus.RETIRED and storage_bin.bin_id is not None:
        plants = session.scalar(text(_PLANTS), {"bin": storage_bin.bin_id})
        if plants:
            raise BinHoldsPlants(f"bin {storage_bin.code} holds {plants} plants", plants=plants)


def set_bin_use(storage_bin: StorageBin, active: bool) -> None:
    """Retire a bin, or end its maintenance."""
    storage_bin.status = BinStatus.ACTIVE if active else BinStatus.RETIRED


_PLANTS = """
SELECT coalesce(sum(quantity_current), 0) FROM stock_batches WHERE current_storage_bin_id = :bin
"""

WAREHOUSES = Register(
    name="warehouses",
    room="places",
    model=Warehouse,
    create=schemas.WarehouseCreate,
    fields={"shape": ShapeField()},
    filters=("warehouse_type",),
    columns=("code", "name", "warehouse_type", "area_m2"),
    extra={"area_m2": float | None},
    writes=Permission.DECIDE,
    refusals=OUTSIDE,
)
AREAS = Register(
    name="areas",
    room="places",
    model=StorageArea,
    create=schemas.AreaCreate,
    fields={
        "warehouse_code": RowReference("warehouse_id", Warehouse.code),
        "shape": ShapeField(),
    },
    filters=("warehouse_code",),
    columns=("code", "name", "warehouse_code", "position", "area_m2"),
    extra={"area_m2": float | None},
    writes=Permission.DECIDE,
    refusals=OUTSIDE,
)
LOCATIONS = Register(
    name="locations",
    room="places",
    model=StorageLocation,
    create=schemas.LocationCreate,
    fields={
        "area_code": RowReference("storage_area_id", StorageArea.code),
        "shape": ShapeField(),
    },
    search=("code", "name", "qr_code", "description"),
    filters=("area_code", "qr_code"),
    columns=("code", "name", "area_code", "walk_order", "area_m2"),
    extra={"area_m2": float | None},
    writes=Permission.DECIDE,
    refusals=OUTSIDE,
)
BIN_TYPES = Register(
    name="bin-types",
    room="places",
    model=StorageBinType,
    create=schemas.BinTypeCreate,
    filters=("category",),
    columns=("code", "name", "category", "capacity"),
)
BINS = Register(
    name="bins",
    room="places",
    model=StorageBin,
    create=schemas.BinCreate,
    fields={
        "location_code": RowReference("storage_location_id", StorageLocation.code),
        "bin_type_code": RowReference("storage_bin_type_id", StorageBinType.code),
    },
    search=("code", "label", "location_code"),
    filters=("location_code", "status"),
    columns=("code", "location_code", "bin_type_code", "label", "status"),
    writes=Permission.DECIDE,
    rules=(keep_retired,),
    switch=set_bin_use,
    refusals={"ck_storage_bins_status": BinStatusFinal},
)
RELATIONSHIPS = Register(
    name="relationships",
    room="places",
    model=LocationRelationship,
    create=schemas.RelationshipCreate,
    key=None,
    fields={
        "parent_code": RowReference("parent_location_id", StorageLocation.code),
        "child_code": RowReference("child_location_id", StorageLocation.code),
    },
    search=("parent_code", "child_code"),
    filters=("parent_code", "child_code", "relationship_type"),
    columns=("parent_code", "relationship_type", "child_code"),
    writes=Permission.DECIDE,
)

PLACES = (WAREHOUSES, AREAS, LOCATIONS, BINS, BIN_TYPES, RELATIONSHIPS)
