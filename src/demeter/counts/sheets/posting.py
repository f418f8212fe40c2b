"""A count sheet into the ledger: all of its locations, or none; shown before it is posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core.notices import Notice
from demeter.core.tabular.remarks import Remark, RemarkRead, remark_read
from demeter.core.tabular.tables import TableFile
from demeter.counts import service
from demeter.counts.hand_counts import HandCount
from demeter.counts.queries import is_first_count
from demeter.counts.sheets import reading
from demeter.counts.sheets.location_rows import LocationCount
from demeter.locations import lock
from demeter.stock import lookup
from demeter.stock.changes import LedgerChange
from demeter.stock.ledger import LedgerCommand
from demeter.stock.on_hand import StockFilter, total_stock


class SheetLine(BaseModel):
    """What the sheet does to one location: booked at its moment, counted, and the difference.

    Where nobody counted the location before and nothing is booked, both are not known.
    ``warnings`` are those of its rows; what is odd about the file as a whole is with the first.
    """

    model_config = ConfigDict(frozen=True)

    location_code: str
    booked: int | None
    counted: int
    difference: int | None
    effect: LedgerChange
    warnings: tuple[RemarkRead, ...] = ()


def post(session: Session, file: TableFile, key: UUID, user: User) -> list[SheetLine]:
    """Post every count of a filled sheet, in the order of its locations' codes.

    ``key`` is the sheet's own: the same sheet again has the same answer and no second effect.

    Raises:
        SheetInvalid: cells are wrong; nothing is posted.
    """
    sheet = reading.read(session, file)
    counts = sorted(sheet.counts, key=lambda count: count.location_code)
    ids = {
        count.location_code: lookup.location(session, count.location_code).location_id
        for count in counts
    }
    lock.lock_locations(session, ids.values())
    lines = [_line(session, count, ids[count.location_code], key, user) for count in counts]
    return _with_warnings(lines, counts, sheet.warnings)


def _line(
    session: Session, count: LocationCount, location_id: int, key: UUID, user: User
) -> SheetLine:
    command = LedgerCommand(
        uuid5(key, count.location_code),
        user.id,
        count.counted_at,
        count.note,
        default_reason=Notice("count_by_sheet"),
    )
    hand_count = HandCount(
        location_id=location_id,
        plants=count.plants,
        product_id=_product(session, count.product_code),
        packaging_catalog_id=_packaging(session, count.packaging_sku),
    )
    if count.bins:
        bins = tuple(
            (lookup.storage_bin(session, code).bin_id, plants) for code, plants in count.bins
        )
        hand_count = replace(hand_count, by_bin=bins)
    effect = service.count_by_hand(session, command, user, hand_count)
    total = count.plants if count.plants is not None else sum(plants for _, plants in count.bins)
    booked = _booked_before(session, count.location_code, effect, total)
    return SheetLine(
        location_code=count.location_code,
        booked=booked,
        counted=total,
        difference=None if booked is None else total - booked,
        effect=effect,
    )


def _with_warnings(
    lines: Sequence[SheetLine], counts: Sequence[LocationCount], warnings: Sequence[Remark]
) -> list[SheetLine]:
    """Each warning with the location whose row it is of, the rest with the first."""
    positions = {row: n for n, count in enumerate(counts) for row in count.rows}
    by_line: dict[int, list[RemarkRead]] = {}
    for warning in warnings:
        by_line.setdefault(positions.get(warning.row or 0, 0), []).append(remark_read(warning))
    return [
        line.model_copy(update={"warnings": tuple(by_line.get(n, ()))})
        for n, line in enumerate(lines)
    ]


def _booked_before(session: Session, code: str, effect: LedgerChange, total: int) -> int | None:
    """What the ledger held at the count's moment before it: the count less what it wrote."""
    if effect.waits_for is not None:
        return total_stock(session, StockFilter(location=code)).plants
    own = [m.quantity for m in effect.movements if m.count_id == effect.count_id]
    booked = total - sum(own)
    is_first = effect.count_id is not None and is_first_count(session, effect.count_id)
    return None if booked == 0 and is_first else booked


def _product(session: Session, code: str | None) -> int | None:
    return lookup.product(session, code).id if code else None


def _packaging(session: Session, sku: str | None) -> int | None:
    return lookup.packaging(session, sku).id if sku else None
