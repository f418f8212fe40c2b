"""Bins of a location that photos made, and the types that bins get by default."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from demeter.locations.models import BinStatus, StorageBin, StorageBinType, StorageLocation
from demeter.vision.values import ContainerType


def photo_bins(session: Session, location: StorageLocation) -> list[StorageBin]:
    """The location's active bins that came from photos, by id."""
    return list(
        session.scalars(
            select(StorageBin)
            .where(
                StorageBin.storage_location_id == location.location_id,
                StorageBin.status == BinStatus.ACTIVE,
                StorageBin.position_metadata["segmentation_mask"].is_not(None),
            )
            .order_by(StorageBin.bin_id)
        )
    )


def default_bin_type(session: Session, category: ContainerType) -> StorageBinType:
    """The type for bins from photos: the category's plain type, made if there is none.

    Two workers that need it at the same moment get the same row.
    """
    bin_type = _plain_type(session, category)
    if bin_type is not None:
        return bin_type
    title = category.value.replace("_", " ").title()
    session.execute(
        insert(StorageBinType)
        .values(
            code=f"ML_{category.value.upper()}_DEFAULT",
            name=f"ML-Detected {title}",
            category=category,
            is_grid=False,
            description=f"Made for {title.lower()} containers found in photos",
        )
        .on_conflict_do_nothing(index_elements=["code"])
    )
    new_type = _plain_type(session, category)
    if new_type is None:
        raise ValueError(f"bin type ML_{category.value.upper()}_DEFAULT is of another category")
    return new_type


def _plain_type(session: Session, category: ContainerType) -> StorageBinType | None:
    default = StorageBinType.code == f"ML_{category.value.upper()}_DEFAULT"
    return session.scalars(
        select(StorageBinType)
        .where(StorageBinType.category == category, StorageBinType.is_grid.is_(False))
        .order_by(default.desc(), StorageBinType.bin_type_id)
        .limit(1)
    ).first()
