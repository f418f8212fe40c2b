"""What people report: planted, sown, died, sold, adjusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from demeter.core.settings import settings
from demeter.locations import lock
from demeter.stock import request_keys
from demeter.stock.batches import Kind, find, open_kind, standing_count, standing_lots
from demeter.stock.bin_choice import Place, choose_bin
from demeter.stock.changes import Effect
from demeter.stock.errors import Ambiguous, ReasonMissing, WrongSign
from demeter.stock.late_movements import Change, StandingLot, Taken, take_then, take_today
from demeter.stock.ledger import Told, write_changes
from demeter.stock.models import MovementType, StockBatch


@dataclass(frozen=True, slots=True)
class Source:
    """What plants come out of: a location, or a bin or lot of it; ``None`` leaves open."""

    location_id: int
    bin_id: int | None = None
    batch_id: int | None = None
    product_id: int | None = None
    product_state_id: int | None = None
    packaging_catalog_id: int | None = None

    def holds(self, lot: StandingLot) -> bool:
        """Whether a lot is meant."""
        return (
            self.bin_id in (None, lot.bin_id)
            and self.batch_id in (None, lot.batch_id)
            and self.product_id in (None, lot.product_id)
            and self.product_state_id in (None, lot.product_state_id)
            and self.packaging_catalog_id in (None, lot.packaging_catalog_id)
        )


def plant(
    session: Session, told: Told, into: Place, kind: Kind, quantity: int, *, new_lot: bool = False
) -> Effect:
    """Plants were planted (`plantar`)."""
    return _bring_in(session, told, MovementType.PLANTAR, into, kind, quantity, new_lot=new_lot)


def sow(
    session: Session, told: Told, into: Place, kind: Kind, quantity: int, *, new_lot: bool = False
) -> Effect:
    """Seeds were sown (`sembrar`)."""
    return _bring_in(session, told, MovementType.SEMBRAR, into, kind, quantity, new_lot=new_lot)


def die(session: Session, told: Told, source: Source, quantity: int) -> Effect:
    """Plants died (`muerte`); their containers are empty now."""
    return _take_out(session, told, MovementType.MUERTE, source, quantity)


def sell(
    session: Session, told: Told, source: Source, quantity: int, unit_price: Decimal | None = None
) -> Effect:
    """Plants were sold (`ventas`)."""
    return _take_out(session, told, MovementType.VENTAS, source, quantity, unit_price)


def adjust(session: Session, told: Told, source: Source, quantity: int) -> Effect:
    """A correction that no count explains (`ajuste`), with its reason; signed.

    Raises:
        ReasonMissing: no reason is given.
        Ambiguous: plants are added and the lot is not named.
    """
    if not (told.reason or "").strip():
        raise ReasonMissing("an adjustment says its reason")
    if quantity < 0:
        return _take_out(session, told, MovementType.AJUSTE, source, -quantity)
    return _once(
        session, told, "ajuste", source, quantity, lambda: _add(session, told, source, quantity)
    )


def require_positive(quantity: int) -> None:
    """Refuse what is not a number of plants.

    Raises:
        WrongSign: it is 0 or less.
    """
    if quantity <= 0:
        raise WrongSign(f"the quantity is {quantity}, it must be greater than 0", quantity=quantity)


def pick(
    session: Session, source: Source, lots: Sequence[StandingLot], at: datetime, quantity: int
) -> list[Taken]:
    """Which lots plants come out of: of today, or of then where a count follows.

    Raises:
        TooFewPlants: they hold less.
        Ambiguous: plants of several products could be meant.
    """
    meant = [lot for lot in lots if source.holds(lot)]
    is_late = standing_count(session, source.location_id, at) is not None
    holding = {lot.product_id for lot in meant if (lot.as_of if is_late else lot.today) > 0}
    if len(holding) > 1:
        raise Ambiguous(
            f"{len(holding)} products stand here", products=sorted(holding), field="product_code"
        )
    meant = [lot for lot in meant if not holding or lot.product_id in holding]
    return take_then(meant, quantity) if is_late else take_today(meant, quantity)


def _bring_in(
    session: Session,
    told: Told,
    movement_type: MovementType,
    into: Place,
    kind: Kind,
    quantity: int,
    *,
    new_lot: bool,
) -> Effect:
    require_positive(quantity)

    def act() -> Effect:
        at = request_keys.moment_of(told.at)
        locations = lock.lock(session, [into.location_id])
        lots = standing_lots(session, into.location_id, at)
        chosen = choose_bin(session, locations[into.location_id], into, lots, kind)
        found = None if new_lot else find(lots, chosen.bin_id, kind)
        batch_id = found.batch_id if found else _opened(session, chosen.bin_id, kind, at).id
        change = Change(
            batch_id, into.location_id, movement_type, quantity, at, why=movement_type.value
        )
        lots = standing_lots(session, into.location_id, at)
        return write_changes(session, told, movement_type.value, [change], locations, lots)

    request = told.request(into=asdict(into), kind=asdict(kind), quantity=quantity, new_lot=new_lot)
    return request_keys.once(
        session, told.movement_id, movement_type.value, request, told.user_id, act
    )


def _opened(session: Session, bin_id: int, kind: Kind, at: datetime) -> StockBatch:
    lot = open_kind(session, bin_id, kind)
    lot.planting_date = at.astimezone(ZoneInfo(settings().time_zone)).date()
    session.flush()
    return lot


def _take_out(
    session: Session,
    told: Told,
    movement_type: MovementType,
    source: Source,
    quantity: int,
    unit_price: Decimal | None = None,
) -> Effect:
    require_positive(quantity)

    def act() -> Effect:
        at = request_keys.moment_of(told.at)
        locations = lock.lock(session, [source.location_id])
        lots = standing_lots(session, source.location_id, at)
        changes = [
            Change(
                part.lot.batch_id,
                source.location_id,
                movement_type,
                -part.quantity,
                at,
                why=movement_type.value,
            )
            for part in pick(session, source, lots, at, quantity)
        ]
        return write_changes(
            session, told, movement_type.value, changes, locations, lots, unit_price
        )

    return _once(session, told, movement_type.value, source, -quantity, act, unit_price)


def _add(session: Session, told: Told, source: Source, quantity: int) -> Effect:
    at = request_keys.moment_of(told.at)
    locations = lock.lock(session, [source.location_id])
    lots = standing_lots(session, source.location_id, at)
    meant = [lot for lot in lots if source.holds(lot)]
    if len({(lot.bin_id, lot.kind) for lot in meant}) != 1:
        raise Ambiguous(
            f"{len(meant)} lots could be meant; plants are added to one lot, by its code",
            lots=[lot.batch_code for lot in meant],
            field="batch_code",
        )
    change = Change(
        meant[-1].batch_id, source.location_id, MovementType.AJUSTE, quantity, at, why="ajuste"
    )
    return write_changes(session, told, "ajuste", [change], locations, lots)


def _once(
    session: Session,
    told: Told,
    kind: str,
    source: Source,
    quantity: int,
    act: Callable[[], Effect],
    unit_price: Decimal | None = None,
) -> Effect:
    price = None if unit_price is None else str(unit_price)
    request = told.request(source=asdict(source), quantity=quantity, unit_price=price)
    movement_id: UUID = told.movement_id
    return request_keys.once(session, movement_id, kind, request, told.user_id, act)
