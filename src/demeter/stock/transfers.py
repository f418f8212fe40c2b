"""Plants that go elsewhere or become something else: none is made, none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from demeter.core.moments import moment_of
from demeter.core.notices import Notice
from demeter.core.site import day_at_site
from demeter.locations import lock
from demeter.stock import count_units, request_keys
from demeter.stock.batches import LotKind, open_lot, standing_lots, youngest_lot
from demeter.stock.bin_choice import Destination, choose_bin
from demeter.stock.changes import LedgerChange
from demeter.stock.errors import SamePlace
from demeter.stock.late_movements import Change, StandingLot, Withdrawal
from demeter.stock.ledger import LedgerCommand, write_changes
from demeter.stock.models import MovementType, StockBatch
from demeter.stock.movements import WithdrawalSource, choose_withdrawals, require_positive


@dataclass(frozen=True, slots=True)
class Conversion:
    """What plants become on the way; ``None`` leaves it as it is."""

    product_state_id: int | None = None
    product_size_id: int | None = None
    packaging_catalog_id: int | None = None

    def of(self, lot: StandingLot) -> LotKind:
        """The kind of lot that plants of a lot go to."""
        return LotKind(
            lot.product_id,
            self.product_state_id or lot.product_state_id,
            self.product_size_id or lot.product_size_id,
            self.packaging_catalog_id or lot.packaging_catalog_id,
        )


NO_CONVERSION = Conversion()


def transplant(
    session: Session,
    command: LedgerCommand,
    source: WithdrawalSource,
    to: Destination,
    quantity: int,
    conversion: Conversion = NO_CONVERSION,
) -> LedgerChange:
    """Plants go to another location: two `transplante` rows of one transfer for each lot.

    Raises:
        SamePlace: from and to are one location; that is a `move`.
        UnitsDiffer: one is counted in plants, the other in occupied places.
    """
    require_positive(quantity)
    if source.location_id == to.location_id:
        raise SamePlace(
            f"location {to.location_id} is where the plants are; moves within it are `move`s",
            location_id=to.location_id,
        )

    def act() -> LedgerChange:
        at = moment_of(command.at)
        locations = lock.lock_locations(session, [source.location_id, to.location_id])
        count_units.require_same_unit(session, locations)
        lots = standing_lots(session, source.location_id, at)
        lots_there = standing_lots(session, to.location_id, at)
        changes: list[Change] = []
        for part in choose_withdrawals(session, source, lots, at, quantity):
            kind = conversion.of(part.lot)
            storage_bin = choose_bin(session, locations[to.location_id], to, lots_there, kind)
            target = _open_or_find_lot(session, lots_there, storage_bin.bin_id, kind, at)
            changes += _both_sides(
                command, part, to.location_id, target, MovementType.TRANSPLANTE, at
            )
        lots += standing_lots(session, to.location_id, at)
        return write_changes(session, command, "transplante", changes, locations, lots)

    request = command.request(
        source=asdict(source), to=asdict(to), quantity=quantity, becoming=asdict(conversion)
    )
    return request_keys.answer_once(
        session, command.movement_id, "transplante", request, command.user_id, act
    )


def move(
    session: Session,
    command: LedgerCommand,
    source: WithdrawalSource,
    quantity: int,
    *,
    to_bin_id: int | None = None,
    to_batch_id: int | None = None,
    conversion: Conversion = NO_CONVERSION,
    new_lot: bool = False,
) -> LedgerChange:
    """Within one location, as `ajuste` pairs.

    From bin to bin, a split (``new_lot``), a merge (``to_batch_id``), or a change of state,
    size or packaging.

    Raises:
        SamePlace: nothing would change.
    """
    require_positive(quantity)

    def act() -> LedgerChange:
        at = moment_of(command.at)
        locations = lock.lock_locations(session, [source.location_id])
        lots = standing_lots(session, source.location_id, at)
        changes: list[Change] = []
        split: int | None = None
        for part in choose_withdrawals(session, source, lots, at, quantity):
            kind = conversion.of(part.lot)
            bin_id = to_bin_id or part.lot.bin_id
            if to_batch_id is not None:
                target = _lot_to_merge_into(lots, to_batch_id, part.lot)
            elif new_lot:
                split = split or open_lot(session, bin_id, kind).id
                target = split
            else:
                target = _open_or_find_lot(session, lots, bin_id, kind, at)
                lots = standing_lots(session, source.location_id, at)
            _require_other_lot(part.lot, target)
            changes += _both_sides(
                command, part, source.location_id, target, MovementType.AJUSTE, at
            )
        lots = standing_lots(session, source.location_id, at)
        return write_changes(session, command, "move", changes, locations, lots)

    request = command.request(
        source=asdict(source),
        quantity=quantity,
        to_bin_id=to_bin_id,
        to_batch_id=to_batch_id,
        becoming=asdict(conversion),
        new_lot=new_lot,
    )
    return request_keys.answer_once(
        session, command.movement_id, "move", request, command.user_id, act
    )


def _open_or_find_lot(
    session: Session, lots: Sequence[StandingLot], bin_id: int, kind: LotKind, at: datetime
) -> int:
    lot = youngest_lot(lots, bin_id, kind)
    if lot is not None:
        return lot.batch_id
    new_lot = open_lot(session, bin_id, kind)
    _note_transplant_date(session, new_lot, at)
    return new_lot.id


def _note_transplant_date(session: Session, lot: StockBatch, at: datetime) -> None:
    lot.transplant_date = day_at_site(at)
    session.flush()


def _lot_to_merge_into(lots: Sequence[StandingLot], batch_id: int, giver: StandingLot) -> int:
    """The lot to merge into: of the same location and product.

    Raises:
        SamePlace: it is not such a lot.
    """
    for lot in lots:
        if lot.batch_id == batch_id and lot.product_id == giver.product_id:
            return batch_id
    raise SamePlace(
        f"lot {batch_id} is not a lot of the same product at this location", batch_id=batch_id
    )


def _require_other_lot(giver: StandingLot, target_id: int) -> None:
    if giver.batch_id == target_id:
        raise SamePlace(
            f"the plants of {giver.batch_code} would stay in {giver.batch_code}",
            batch_code=giver.batch_code,
        )


def _both_sides(
    command: LedgerCommand,
    part: Withdrawal,
    to_location_id: int,
    target_id: int,
    movement_type: MovementType,
    at: datetime,
) -> list[Change]:
    transfer_id: UUID = uuid5(command.movement_id, f"transfer of {part.lot.batch_id}")
    is_transplant = movement_type is MovementType.TRANSPLANTE
    why = Notice("to_another_location") if is_transplant else Notice("within_location")
    return [
        Change(
            part.lot.batch_id,
            part.lot.location_id,
            movement_type,
            -part.quantity,
            at,
            why=why,
            transfer_id=transfer_id,
        ),
        Change(
            target_id,
            to_location_id,
            movement_type,
            part.quantity,
            at,
            why=why,
            transfer_id=transfer_id,
        ),
    ]
