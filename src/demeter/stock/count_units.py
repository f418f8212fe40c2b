"""In which unit a location's stock stands: plants, or places that are occupied.

The ledger has one number a lot. It says plants or places as the last posted count said that has
a unit; before that, as is set with what grows there; where neither says, nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.locations.models import StorageLocation
from demeter.stock.errors import UnitsDiffer
from demeter.vision.values import CountUnit


def unit_of_stock(session: Session, location_id: int) -> CountUnit | None:
    """What the ledger's numbers of a location count; ``None`` where nothing says."""
    return last_counted_unit(session, location_id) or unit_of_setting(session, location_id)


def unit_to_count_in(session: Session, location_id: int) -> CountUnit | None:
    """What a person counts there who says nothing of it: as set, else as was counted last.

    ``None`` where nothing says: who counts a bench of pots by hand may mean either.
    """
    return unit_of_setting(session, location_id) or last_counted_unit(session, location_id)


def unit_of_setting(session: Session, location_id: int) -> CountUnit | None:
    """What is set to be counted there; ``None`` is by the kind of the containers."""
    return _unit(session, _SETTING, {"location": location_id})


def last_counted_unit(
    session: Session, location_id: int, *, but_count_id: int | None = None
) -> CountUnit | None:
    """The unit of the last posted count that stands and has one, other than one count."""
    return _unit(session, _LAST_COUNT, {"location": location_id, "but": but_count_id})


def require_same_unit(session: Session, locations: Mapping[int, StorageLocation]) -> None:
    """Refuse what goes between stock in plants and stock in places.

    Raises:
        UnitsDiffer: naming both locations with their units.
    """
    units = {
        location.code: unit
        for location_id, location in locations.items()
        if (unit := unit_of_stock(session, location_id)) is not None
    }
    if len(set(units.values())) > 1:
        codes_in_units = " and ".join(
            f"{code} in {unit.value}" for code, unit in sorted(units.items())
        )
        raise UnitsDiffer(
            f"plants do not go between units: {codes_in_units}",
            units={code: unit.value for code, unit in sorted(units.items())},
        )


def _unit(session: Session, query: str, values: Mapping[str, int | None]) -> CountUnit | None:
    unit = session.execute(text(query), dict(values)).scalar_one_or_none()
    return None if unit is None else CountUnit(unit)


_SETTING = """
SELECT count_unit FROM storage_location_config
WHERE storage_location_id = :location AND active
"""
_LAST_COUNT = """
SELECT unit FROM counts
WHERE storage_location_id = :location AND posted_at IS NOT NULL AND voided_at IS NULL
  AND unit IS NOT NULL AND id IS DISTINCT FROM CAST(:but AS integer)
ORDER BY captured_at DESC, id DESC LIMIT 1
"""
