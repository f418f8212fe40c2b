"""Which places plants may go to."""

from __future__ import annotations

from demeter.locations.errors import BinRetired, PlaceInactive
from demeter.locations.models import BinStatus, StorageBin, StorageLocation


def require_active(location: StorageLocation) -> None:
    """Refuse a location that is out of use.

    Raises:
        PlaceInactive: naming it.
    """
    if not location.active:
        raise PlaceInactive(f"location {location.code} is not in use", location_code=location.code)


def require_usable(storage_bin: StorageBin) -> None:
    """Refuse a retired bin.

    Raises:
        BinRetired: naming it.
    """
    if storage_bin.status is BinStatus.RETIRED:
        raise BinRetired(f"bin {storage_bin.code} is retired", bin_code=storage_bin.code)
