"""What people report: planted, sown, died, sold, adjusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from demeter.core.moments import moment_of
from demeter.core.notices import Notice
from demeter.core.site import day_at_site
from demeter.locations import lock
from demeter.stock import request_keys
from demeter.stock.batches import LotKind, open_lot, standing_lots, youngest_lot
from demeter.stock.bin_choice import Destination, choose_bin
from demeter.stock.changes import LedgerChange
from demeter.stock.errors import Ambiguous, ReasonMissing, WrongSign
from demeter.stock.late_movements import (
    Change,
    StandingLot,
    Withdrawal,
    withdraw_as_of,
    withdraw_today,
)
from demeter.stock.later_counts import next_posted_count
from demeter.stock.ledger import LedgerCommand, write_changes
from demeter.stock.models import MovementType, StockBatch


@dataclass(frozen=True, slots=True)
class WithdrawalSource:
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
    session: Session,
    command: LedgerCommand,
    into: Destination,
    kind: LotKind,
    quantity: int,
    *,
    new_lot: bool = False,
) -> LedgerChange:
    """Plants were planted (`plantar`)."""
    return _bring_in(session, command, MovementType.PLANTAR, into, kind, quantity, new_lot=new_lot)


def sow(
    session: Session,
    command: LedgerCommand,
    into: Destination,
    kind: LotKind,
    quantity: int,
    *,
    new_lot: bool = False,
) -> LedgerChange:
    """Seeds were sown (`sembrar`)."""
    return _bring_in(session, command, MovementType.SEMBRAR, into, kind, quantity, new_lot=new_lot)


def die(
    session: Session, command: LedgerCommand, source: WithdrawalSource, quantity: int
) -> LedgerChange:
    """Plants died (`muerte`); their containers are empty now."""
    return _take_out(session, command, MovementType.MUERTE, source, quantity)


def sell(
    session: Session,
    command: LedgerCommand,
    source: WithdrawalSource,
    quantity: int,
    unit_price: Decimal | None = None,
) -> LedgerChange:
    """Plants were sold (`ventas`)."""
    return _take_out(session, command, MovementType.VENTAS, source, quantity, unit_price)


def adjust(
    session: Session, command: LedgerCommand, source: WithdrawalSource, quantity: int
) -> LedgerChange:
    """A correction that no count explains (`ajuste`), with its reason; signed.

    Raises:
        ReasonMissing: no reason is given.
        Ambiguous: plants are added and the lot is not named.
    """
    if not (command.reason or "").strip():
        raise ReasonMissing("an adjustment says its reason")
    if quantity < 0:
        return _take_out(session, command, MovementType.AJUSTE, source, -quantity)
    return _answer_once(
        session,
        command,
        "ajuste",
        source,
        quantity,
        lambda: _add_to_lot(session, command, source, quantity),
    )


def require_positive(quantity: int) -> None:
    """Refuse what is not a number of plants.

    Raises:
        WrongSign: it is 0 or less.
    """
    if quantity <= 0:
        raise WrongSign(f"the quantity is {quantity}, it must be greater than 0", quantity=quantity)


def choose_withdrawals(
    session: Session,
    source: WithdrawalSource,
    lots: Sequence[StandingLot],
    at: datetime,
    quantity: int,
) -> list[Withdrawal]:
    """Which lots plants come out of: of today, or of then where a count follows.

    Raises:
        TooFewPlants: they hold less.
        Ambiguous: plants of several products could be meant.
    """
    candidates = [lot for lot in lots if source.holds(lot)]
    is_late = next_posted_count(session, source.location_id, at) is not None
    products = {lot.product_id for lot in candidates if (lot.as_of if is_late else lot.today) > 0}
    if len(products) > 1:
        raise Ambiguous(
            f"{len(products)} products stand here", products=sorted(products), field="product_code"
        )
    candidates = [lot for lot in candidates if not products or lot.product_id in products]
    return withdraw_as_of(candidates, quantity) if is_late else withdraw_today(candidates, quantity)


def _bring_in(
    session: Session,
    command: LedgerCommand,
    movement_type: MovementType,
    into: Destination,
    kind: LotKind,
    quantity: int,
    *,
    new_lot: bool,
) -> LedgerChange:
    require_positive(quantity)

    def act() -> LedgerChange:
        at = moment_of(command.at)
        locations = lock.lock_locations(session, [into.location_id])
        lots = standing_lots(session, into.location_id, at)
        storage_bin = choose_bin(session, locations[into.location_id], into, lots, kind)
        lot = None if new_lot else youngest_lot(lots, storage_bin.bin_id, kind)
        batch_id = (
            lot.batch_id if lot else _open_planted_lot(session, storage_bin.bin_id, kind, at).id
        )
        change = Change(
            batch_id, into.location_id, movement_type, quantity, at, why=_why(movement_type)
        )
        lots = standing_lots(session, into.location_id, at)
        return write_changes(session, command, movement_type.value, [change], locations, lots)

    request = command.request(
        into=asdict(into), kind=asdict(kind), quantity=quantity, new_lot=new_lot
    )
    return request_keys.answer_once(
        session, command.movement_id, movement_type.value, request, command.user_id, act
    )


def _why(movement_type: MovementType) -> Notice:
    return Notice("reported", {"movement_type": movement_type.value})


def _open_planted_lot(session: Session, bin_id: int, kind: LotKind, at: datetime) -> StockBatch:
    lot = open_lot(session, bin_id, kind)
    lot.planting_date = day_at_site(at)
    session.flush()
    return lot


def _take_out(
    session: Session,
    command: LedgerCommand,
    movement_type: MovementType,
    source: WithdrawalSource,
    quantity: int,
    unit_price: Decimal | None = None,
) -> LedgerChange:
    require_positive(quantity)

    def act() -> LedgerChange:
        at = moment_of(command.at)
        locations = lock.lock_locations(session, [source.location_id])
        lots = standing_lots(session, source.location_id, at)
        changes = [
            Change(
                part.lot.batch_id,
                source.location_id,
                movement_type,
                -part.quantity,
                at,
                why=_why(movement_type),
            )
            for part in choose_withdrawals(session, source, lots, at, quantity)
        ]
        return write_changes(
            session, command, movement_type.value, changes, locations, lots, unit_price
        )

    return _answer_once(session, command, movement_type.value, source, -quantity, act, unit_price)


def _add_to_lot(
    session: Session, command: LedgerCommand, source: WithdrawalSource, quantity: int
) -> LedgerChange:
    at = moment_of(command.at)
    locations = lock.lock_locations(session, [source.location_id])
    lots = standing_lots(session, source.location_id, at)
    candidates = [lot for lot in lots if source.holds(lot)]
    if len({(lot.bin_id, lot.kind) for lot in candidates}) != 1:
        raise Ambiguous(
            f"{len(candidates)} lots could be meant; plants are added to one lot, by its code",
            lots=[lot.batch_code for lot in candidates],
            field="batch_code",
        )
    change = Change(
        candidates[-1].batch_id,
        source.location_id,
        MovementType.AJUSTE,
        quantity,
        at,
        why=_why(MovementType.AJUSTE),
    )
    return write_changes(session, command, "ajuste", [change], locations, lots)


def _answer_once(
    session: Session,
    command: LedgerCommand,
    kind: str,
    source: WithdrawalSource,
    quantity: int,
    act: Callable[[], LedgerChange],
    unit_price: Decimal | None = None,
) -> LedgerChange:
    price = None if unit_price is None else str(unit_price)
    request = command.request(source=asdict(source), quantity=quantity, unit_price=price)
    movement_id: UUID = command.movement_id
    return request_keys.answer_once(session, movement_id, kind, request, command.user_id, act)
