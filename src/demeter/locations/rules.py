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


def require_usable(found: StorageBin) -> None:
    """Refuse a retired bin.

    Raises:
        BinRetired: naming it.
    """
    if found.status is BinStatus.RETIRED:
        raise BinRetired(f"bin {found.code} is retired", bin_code=found.code)
