"""Plants that go elsewhere or become something else: none is made, none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from demeter.core.settings import settings
from demeter.locations import lock
from demeter.stock import request_keys
from demeter.stock.batches import Kind, find, open_kind, standing_lots
from demeter.stock.bin_choice import Place, choose_bin
from demeter.stock.changes import Effect
from demeter.stock.errors import SamePlace
from demeter.stock.late_movements import Change, StandingLot, Taken
from demeter.stock.ledger import Told, write_changes
from demeter.stock.models import MovementType, StockBatch
from demeter.stock.movements import Source, pick, require_positive

GERMINATING = "GERMINATING"


@dataclass(frozen=True, slots=True)
class Becoming:
    """What plants become on the way; ``None`` leaves it as it is."""

    product_state_id: int | None = None
    product_size_id: int | None = None
    packaging_catalog_id: int | None = None

    def of(self, lot: StandingLot) -> Kind:
        """The kind of lot that plants of a lot go to."""
        return Kind(
            lot.product_id,
            self.product_state_id or lot.product_state_id,
            self.product_size_id or lot.product_size_id,
            self.packaging_catalog_id or lot.packaging_catalog_id,
        )


AS_IT_IS = Becoming()


def transplant(
    session: Session,
    told: Told,
    source: Source,
    to: Place,
    quantity: int,
    becoming: Becoming = AS_IT_IS,
) -> Effect:
    """Plants go to another location: two `transplante` rows of one transfer for each lot.

    Raises:
        SamePlace: from and to are one location; that is a `move`.
    """
    require_positive(quantity)
    if source.location_id == to.location_id:
        raise SamePlace(
            f"location {to.location_id} is where the plants are; moves within it are `move`s",
            location_id=to.location_id,
        )

    def act() -> Effect:
        at = request_keys.moment_of(told.at)
        locations = lock.lock(session, [source.location_id, to.location_id])
        lots = standing_lots(session, source.location_id, at)
        there = standing_lots(session, to.location_id, at)
        changes: list[Change] = []
        for part in pick(session, source, lots, at, quantity):
            kind = becoming.of(part.lot)
            chosen = choose_bin(session, locations[to.location_id], to, there, kind)
            target = _target(session, there, chosen.bin_id, kind, at)
            changes += _pair(told, part, to.location_id, target, MovementType.TRANSPLANTE, at)
        lots += standing_lots(session, to.location_id, at)
        return write_changes(session, told, "transplante", changes, locations, lots)

    request = told.request(
        source=asdict(source), to=asdict(to), quantity=quantity, becoming=asdict(becoming)
    )
    return request_keys.once(session, told.movement_id, "transplante", request, told.user_id, act)


def move(
    session: Session,
    told: Told,
    source: Source,
    quantity: int,
    *,
    to_bin_id: int | None = None,
    to_batch_id: int | None = None,
    becoming: Becoming = AS_IT_IS,
    new_lot: bool = False,
) -> Effect:
    """Within one location, as `ajuste` pairs.

    From bin to bin, a split (``new_lot``), a merge (``to_batch_id``), or a change of state,
    size or packaging.

    Raises:
        SamePlace: nothing would change.
    """
    require_positive(quantity)

    def act() -> Effect:
        at = request_keys.moment_of(told.at)
        locations = lock.lock(session, [source.location_id])
        lots = standing_lots(session, source.location_id, at)
        changes: list[Change] = []
        split: int | None = None
        for part in pick(session, source, lots, at, quantity):
            kind = becoming.of(part.lot)
            bin_id = to_bin_id or part.lot.bin_id
            if to_batch_id is not None:
                target = _named(lots, to_batch_id, part.lot)
            elif new_lot:
                split = split or open_kind(session, bin_id, kind).id
                target = split
            else:
                target = _target(session, lots, bin_id, kind, at)
                lots = standing_lots(session, source.location_id, at)
            _require_other(part.lot, target)
            changes += _pair(told, part, source.location_id, target, MovementType.AJUSTE, at)
        lots = standing_lots(session, source.location_id, at)
        return write_changes(session, told, "move", changes, locations, lots)

    request = told.request(
        source=asdict(source),
        quantity=quantity,
        to_bin_id=to_bin_id,
        to_batch_id=to_batch_id,
        becoming=asdict(becoming),
        new_lot=new_lot,
    )
    return request_keys.once(session, told.movement_id, "move", request, told.user_id, act)


def _target(
    session: Session, lots: Sequence[StandingLot], bin_id: int, kind: Kind, at: datetime
) -> int:
    found = find(lots, bin_id, kind)
    if found is not None:
        return found.batch_id
    opened = open_kind(session, bin_id, kind)
    _date(session, opened, at)
    return opened.id


def _date(session: Session, opened: StockBatch, at: datetime) -> None:
    opened.transplant_date = at.astimezone(ZoneInfo(settings().time_zone)).date()
    session.flush()


def _named(lots: Sequence[StandingLot], batch_id: int, giver: StandingLot) -> int:
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


def _require_other(giver: StandingLot, target_id: int) -> None:
    if giver.batch_id == target_id:
        raise SamePlace(
            f"the plants of {giver.batch_code} would stay in {giver.batch_code}",
            batch_code=giver.batch_code,
        )


def _pair(
    told: Told,
    part: Taken,
    to_location_id: int,
    target_id: int,
    movement_type: MovementType,
    at: datetime,
) -> list[Change]:
    transfer: UUID = uuid5(told.movement_id, f"transfer of {part.lot.batch_id}")
    why = "to another place" if movement_type is MovementType.TRANSPLANTE else "within the location"
    return [
        Change(
            part.lot.batch_id,
            part.lot.location_id,
            movement_type,
            -part.quantity,
            at,
            why=why,
            transfer_id=transfer,
        ),
        Change(
            target_id,
            to_location_id,
            movement_type,
            part.quantity,
            at,
            why=why,
            transfer_id=transfer,
        ),
    ]
