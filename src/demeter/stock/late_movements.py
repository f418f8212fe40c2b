"""How a fact becomes movements: pure rules on frozen values, no database.

A fact that happened at or before a posted count of its location is written with its opposite
as a `foto` row at that count, to which the opposite belongs: the count stands (SPEC §4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from demeter.stock.errors import TooFewPlants
from demeter.stock.models import MovementType


@dataclass(frozen=True, slots=True)
class StandingCount:
    """The first posted count of a location at or after a moment."""

    count_id: int
    captured_at: datetime


@dataclass(frozen=True, slots=True)
class StandingLot:
    """A lot with its stock at a fact's moment (``as_of``) and now (``today``)."""

    batch_id: int
    batch_code: str
    bin_id: int
    bin_code: str
    retired: bool
    location_id: int
    product_id: int
    product_state_id: int
    product_size_id: int | None
    packaging_catalog_id: int | None
    as_of: int
    today: int

    @property
    def kind(self) -> tuple[int, int, int | None, int | None]:
        """What it is of: product, state, size, packaging."""
        return (
            self.product_id,
            self.product_state_id,
            self.product_size_id,
            self.packaging_catalog_id,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One movement to be written; ``why`` is for the person who is shown it before."""

    batch_id: int
    location_id: int
    movement_type: MovementType
    quantity: int
    occurred_at: datetime
    why: str
    transfer_id: UUID | None = None
    reverses: int | None = None
    count_id: int | None = None
    closing_id: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """How many plants come out of which lot."""

    lot: StandingLot
    quantity: int


def take_today(lots: Sequence[StandingLot], asked: int) -> list[Taken]:
    """Out of today's stock, oldest lot first.

    Raises:
        TooFewPlants: all lots together hold less than ``asked``.
    """
    available = sum(lot.today for lot in lots)
    if available < asked:
        raise TooFewPlants(
            f"{available} plants are available, {asked} were asked for",
            available=available,
            asked=asked,
            lots=[lot.batch_code for lot in lots if lot.today],
        )
    return _take([(lot, lot.today) for lot in lots], asked)


def take_then(lots: Sequence[StandingLot], asked: int) -> list[Taken]:
    """Out of what stood at a past moment, oldest lot first; the rest from the youngest.

    Nothing is refused: the count that follows cancels it, and history may come out negative.

    Raises:
        TooFewPlants: there is no lot at all to take from.
    """
    if not lots:
        raise TooFewPlants(
            f"0 plants are available, {asked} were asked for", available=0, asked=asked, lots=[]
        )
    taken = _take([(lot, max(lot.as_of, 0)) for lot in lots], asked)
    rest = asked - sum(part.quantity for part in taken)
    if not rest:
        return taken
    last = taken[-1].lot if taken else lots[-1]
    return [
        *(part for part in taken if part.lot is not last),
        Taken(last, rest + sum(part.quantity for part in taken if part.lot is last)),
    ]


def _take(held: Iterable[tuple[StandingLot, int]], asked: int) -> list[Taken]:
    taken = []
    for lot, spare in held:
        quantity = min(spare, asked)
        if quantity > 0:
            taken.append(Taken(lot, quantity))
            asked -= quantity
    return taken


def with_opposites(
    changes: Sequence[Change], standing: Mapping[int, StandingCount | None]
) -> list[Change]:
    """The changes and, where a count of their location follows, their opposites at it.

    Rows that bring plants come first, so that no lot is negative on the way.
    """
    rows: list[Change] = []
    for change in changes:
        rows.append(change)
        count = standing[change.location_id]
        if count is not None:
            rows.append(_opposite(change, count))
    return sorted(rows, key=lambda row: row.quantity < 0)


def _opposite(change: Change, count: StandingCount) -> Change:
    return replace(
        change,
        movement_type=MovementType.FOTO,
        quantity=-change.quantity,
        occurred_at=count.captured_at,
        why=f"count {count.count_id} of {count.captured_at:%Y-%m-%d %H:%M} UTC saw this already",
        transfer_id=None,
        reverses=None,
        count_id=count.count_id,
    )


def require_enough(changes: Sequence[Change], lots: Iterable[StandingLot]) -> None:
    """Refuse changes after which a lot would hold less than nothing.

    Raises:
        TooFewPlants: naming the lot, what it holds and what is asked of it.
    """
    totals: dict[int, int] = {}
    for change in changes:
        totals[change.batch_id] = totals.get(change.batch_id, 0) + change.quantity
    for lot in lots:
        asked = -totals.get(lot.batch_id, 0)
        if asked > lot.today:
            raise TooFewPlants(
                f"{lot.batch_code} has {lot.today} plants, {asked} were asked for",
                available=lot.today,
                asked=asked,
                lots=[lot.batch_code],
            )
