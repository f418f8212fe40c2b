"""A count sheet into the ledger: all of its locations, or none; shown before it is posted."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.counts import service
from demeter.counts.hand_counts import HandCount
from demeter.counts.sheets import reading
from demeter.counts.sheets.reading import Counted
from demeter.locations import lock
from demeter.stock import lookup
from demeter.stock.changes import LedgerChange
from demeter.stock.ledger import LedgerCommand
from demeter.stock.on_hand import StockFilter, stock_by


class SheetLine(BaseModel):
    """What the sheet does to one location: booked at its moment, counted, and the difference."""

    model_config = ConfigDict(frozen=True)

    location_code: str
    booked: int
    counted: int
    difference: int
    effect: LedgerChange


def post(session: Session, content: bytes, key: UUID, user: User) -> list[SheetLine]:
    """Post every count of a filled sheet, in the order of its locations' codes.

    ``key`` is the sheet's own: the same sheet again has the same answer and no second effect.

    Raises:
        SheetInvalid: cells are wrong; nothing is posted.
    """
    counted = sorted(reading.read(session, content), key=lambda one: one.location_code)
    ids = {one.location_code: lookup.location(session, one.location_code).location_id
           for one in counted}  # fmt: skip
    told = {
        one.location_code: LedgerCommand(
            uuid5(key, one.location_code), user.id, one.counted_at, one.note or "count sheet"
        )
        for one in counted
    }
    lock.lock_locations(session, ids.values())
    return [_line(session, one, ids[one.location_code], told[one.location_code], user)
            for one in counted]  # fmt: skip


def _line(
    session: Session, one: Counted, location_id: int, told: LedgerCommand, user: User
) -> SheetLine:
    said = HandCount(
        location_id=location_id,
        plants=one.plants,
        product_id=_product(session, one.product_code),
        packaging_catalog_id=_packaging(session, one.packaging_sku),
    )
    if one.bins:
        bins = tuple(
            (lookup.storage_bin(session, code).bin_id, plants) for code, plants in one.bins
        )
        said = replace(said, by_bin=bins)
    effect = service.count_by_hand(session, told, user, said)
    total = one.plants if one.plants is not None else sum(plants for _, plants in one.bins)
    booked = _booked_before(session, one.location_code, effect, total)
    return SheetLine(
        location_code=one.location_code,
        booked=booked,
        counted=total,
        difference=total - booked,
        effect=effect,
    )


def _booked_before(session: Session, code: str, effect: LedgerChange, total: int) -> int:
    """What the ledger held at the count's moment before it: the count less what it wrote."""
    if effect.waits_for is not None:
        return sum(row.plants for row in stock_by(session, [], StockFilter(location=code)))
    own = [m.quantity for m in effect.movements if m.count_id == effect.count_id]
    return total - sum(own)


def _product(session: Session, code: str | None) -> int | None:
    return lookup.product(session, code).id if code else None


def _packaging(session: Session, sku: str | None) -> int | None:
    return lookup.packaging(session, sku).id if sku else None
