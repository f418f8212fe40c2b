"""What a report or a decision does to beds: their plants before and after, before it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core import db
from demeter.stock.changes import LedgerChange


@dataclass(frozen=True, slots=True)
class BedChange:
    """A bed's plants before and after."""

    code: str
    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class BedsPreview:
    """What would be written, and the beds it would change; none of it is kept."""

    change: LedgerChange
    beds: list[BedChange]


def preview_beds(
    session: Session,
    act: Callable[[], LedgerChange],
    named: Callable[[], Iterable[str]],
) -> BedsPreview:
    """What ``act`` does to the beds ``named`` afterwards, by code, and to all that it touches."""

    def tried() -> tuple[LedgerChange, dict[str, tuple[str, int]]]:
        change = act()
        codes = dict.fromkeys((*named(), *(each.location_code for each in change.movements)))
        return change, _plants(session, codes)

    change, after = db.preview(session, tried)
    before = _plants(session, after)
    return BedsPreview(
        change,
        [BedChange(code, name, before[code][1], plants) for code, (name, plants) in after.items()],
    )


def _plants(session: Session, codes: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Names and plants of beds, in the order given."""
    wanted = list(codes)
    rows = {row.code: (row.name, row.plants) for row in session.execute(_NOW, {"codes": wanted})}
    return {code: rows[code] for code in wanted}


_NOW = text("""
SELECT l.code, l.name, coalesce(sum(b.quantity_current), 0)::int AS plants
FROM storage_locations l
LEFT JOIN storage_bins s ON s.storage_location_id = l.location_id
LEFT JOIN stock_batches b ON b.current_storage_bin_id = s.bin_id
WHERE l.code = ANY(:codes)
GROUP BY l.location_id
""")
