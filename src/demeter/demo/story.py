"""Three months of the demonstration's nursery before its photos: what people noted down.

Everything goes through the doors that people use, dated back: counts by hand, plantings,
deaths, sales, a transplant, a month that is closed and one that is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.identity import MachineOwner, acting_as, acting_user
from demeter.catalog.models import Product
from demeter.catalog.queries import active_config
from demeter.catalog.service import Growing, set_location_config
from demeter.core.site import day_at_site, start_of_day
from demeter.counts.commands import count_by_hand
from demeter.counts.models import Count
from demeter.counts.schemas import HandCountCreate
from demeter.locations.models import StorageLocation
from demeter.periods import closing, service
from demeter.photos.location_guess import by_code
from demeter.stock.commands import report
from demeter.stock.schemas import MovementCreate

LUIS, ROSA, JUAN = "demo-luis", "demo-rosa", "demo-juan"
MOVEMENT: TypeAdapter[MovementCreate] = TypeAdapter(MovementCreate)

# Plants that were counted by hand: when the nursery begins, and at the end of the two months
# that are over. Who is not named at an end was not counted then.
FIRST = {
    "DEMO-N1": 150,
    "DEMO-N2": 210,
    "DEMO-N3": 131,
    "DEMO-N4": 84,
    "DEMO-S1": 20,
    "DEMO-S2": 262,
    "DEMO-S3": 96,
    "DEMO-C2": 118,
    "DEMO-T1": 72,
    "DEMO-T2": 72,
    "DEMO-T3": 50,
    "DEMO-T4": 128,
}
AFTER_ONE = FIRST | {
    "DEMO-N1": 146,
    "DEMO-N2": 240,
    "DEMO-N3": 128,
    "DEMO-S1": 19,
    "DEMO-C2": 106,
    "DEMO-T3": 49,
}
AFTER_TWO = {
    "DEMO-N2": 214,  # four more than the ledger has: an exception of the open month
    "DEMO-N3": 125,
    "DEMO-S1": 19,
    "DEMO-S2": 258,
    "DEMO-S3": 126,
    "DEMO-C2": 91,
    "DEMO-T1": 72,
    "DEMO-T2": 70,
    "DEMO-T3": 49,
    "DEMO-T4": 128,
}


@dataclass(frozen=True, slots=True)
class Months:
    """The first moments of the two months that are over and of the present one, and now."""

    first: datetime
    second: datetime
    present: datetime
    now: datetime

    def end_of_second(self) -> datetime:
        """When what closes the second month is counted and photographed."""
        return self.present - timedelta(hours=14)

    def lately(self, days: float) -> datetime:
        """Up to three days ago; where the month is younger, by the share of it that is over."""
        span = min(self.now - self.present, timedelta(days=3))
        return self.now - span * (days / 3)


def months_until(now: datetime) -> Months:
    """The months of the story, at the site."""
    this_month = day_at_site(now).replace(day=1)
    second, first = _month_before(this_month), _month_before(_month_before(this_month))
    starts = [start_of_day(day) for day in (first, second, this_month)]
    return Months(starts[0], starts[1], starts[2], now)


def _month_before(day: date) -> date:
    return (day - timedelta(days=1)).replace(day=1)


def is_told(session: Session) -> bool:
    """Whether the nursery has its past already."""
    query = select(Count.id).join(
        StorageLocation, StorageLocation.location_id == Count.storage_location_id
    )
    return session.scalar(query.where(StorageLocation.code.in_(FIRST)).limit(1)) is not None


def tell(session: Session, months: Months) -> None:
    """Write the past, oldest first."""
    with acting_as(MachineOwner()):
        _first_month(session, months)
        _close_first(session, months)
        _second_month(session, months)
        _present_month(session, months)


def _first_month(session: Session, months: Months) -> None:
    begin = months.first + timedelta(hours=32)
    _count_all(session, FIRST, begin, JUAN, months)
    days = [begin + timedelta(days=n) for n in range(28)]
    _note(session, "muerte", 4, days[6], ROSA, location_code="DEMO-N1", reason="pudrición")
    _note(session, "plantar", 30, days[9], JUAN, location_code="DEMO-N2")
    _note(session, "muerte", 3, days[14], ROSA, location_code="DEMO-N3", reason="helada")
    _note(session, "muerte", 1, days[15], ROSA, location_code="DEMO-S1", reason="rota")
    _note(session, "muerte", 1, days[20], JUAN, location_code="DEMO-T3", reason="seca")
    _count_all(session, AFTER_ONE, months.second - timedelta(hours=15), ROSA, months)


def _close_first(session: Session, months: Months) -> None:
    """C2 was counted 12 short and nobody noted a sale: closing writes it."""
    luis = acting_user(session, LUIS)
    period = service.open_period(session, luis, day_at_site(months.first).strftime("%Y-%m"))
    closing.close(session, period.code, luis)


def _second_month(session: Session, months: Months) -> None:
    begin = months.second + timedelta(hours=34)
    days = [begin + timedelta(days=n) for n in range(26)]
    _note(
        session,
        "transplante",
        30,
        days[3],
        LUIS,
        location_code="DEMO-N2",
        to_location_code="DEMO-S3",
        reason="al mesón sur",
    )
    _note(
        session,
        "ventas",
        15,
        days[8],
        LUIS,
        location_code="DEMO-C2",
        unit_price="1720.50",
        reason="remito 2214",
    )
    _note(session, "muerte", 3, days[10], ROSA, location_code="DEMO-N3", reason="pudrición")
    _note(session, "muerte", 2, days[12], JUAN, location_code="DEMO-T2", reason="hongos")
    _note(session, "ventas", 12, days[16], LUIS, location_code="DEMO-N1", reason="remito 2231")
    _note(session, "muerte", 4, days[19], ROSA, location_code="DEMO-S2", reason="sin agua")
    _count_all(session, AFTER_TWO, months.end_of_second(), JUAN, months)
    second = day_at_site(months.second).strftime("%Y-%m")
    service.open_period(session, acting_user(session, LUIS), second)


def _present_month(session: Session, months: Months) -> None:
    _note(session, "plantar", 24, months.lately(2.5), JUAN, location_code="DEMO-C2", new_lot=True)
    _note(session, "muerte", 2, months.lately(1.6), ROSA, location_code="DEMO-N4", reason="plaga")
    _note(session, "sembrar", 72, months.lately(1), JUAN, location_code="DEMO-T1")
    _count_all(session, {"DEMO-T1": 144, "DEMO-T4": 127}, months.lately(0.3), ROSA, months)
    # Somebody decided what shall grow on S3 while Sedum still stands there.
    south = by_code(session, "DEMO-S3")
    config = active_config(session, south.location_id)
    assert config is not None
    sown = session.scalars(select(Product.id).where(Product.code == "DEMO-HAWORTHIA")).one()
    set_location_config(session, south, Growing(sown, config.expected_product_state_id, None))


def _count_all(
    session: Session, plants: dict[str, int], at: datetime, by: str, months: Months
) -> None:
    """One walk through the nursery: a bed every four minutes, or as fast as one has to."""
    pace = min(timedelta(minutes=4), (months.now - at) / len(plants))
    for number, (code, counted) in enumerate(plants.items()):
        moment = at + pace * number
        request = HandCountCreate(
            movement_id=_key("count", code, moment),
            occurred_at=cast("Any", moment.isoformat()),
            user=by,
            location_code=code,
            plants=counted,
        )
        with acting_as(MachineOwner()):
            count_by_hand(session, request)


def _note(
    session: Session, movement_type: str, plants: int, at: datetime, by: str, **said: Any
) -> None:
    """What somebody reports of a bed."""
    request = MOVEMENT.validate_python(
        {
            "movement_type": movement_type,
            "movement_id": _key(movement_type, said["location_code"], at),
            "occurred_at": at.isoformat(),
            "user": by,
            "quantity": plants,
            **said,
        }
    )
    with acting_as(MachineOwner()):
        report(session, request)


def _key(act: str, place: str, at: datetime) -> UUID:
    return uuid5(NAMESPACE_URL, f"demeter:demo:{act}:{place}:{at.isoformat()}")
