"""How a reported movement becomes rows: pure rules on frozen values, no database.

A movement that happened at or before a posted count of its location is written with its opposite
as a `foto` row at that count, to which the opposite belongs: the count stands (SPEC §4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from demeter.core.notices import Notice
from demeter.stock.errors import TooFewPlants
from demeter.stock.models import MovementType


@dataclass(frozen=True, slots=True)
class PostedCount:
    """The first posted count of a location at or after a moment."""

    count_id: int
    captured_at: datetime


@dataclass(frozen=True, slots=True)
class StandingLot:
    """A lot with its stock at a movement's moment (``as_of``) and now (``today``)."""

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
    why: Notice
    transfer_id: UUID | None = None
    reverses: int | None = None
    count_id: int | None = None
    closing_id: int | None = None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """How many plants come out of which lot."""

    lot: StandingLot
    quantity: int


def withdraw_today(lots: Sequence[StandingLot], quantity: int) -> list[Withdrawal]:
    """Out of today's stock, oldest lot first.

    Raises:
        TooFewPlants: all lots together hold less.
    """
    available = sum(lot.today for lot in lots)
    if available < quantity:
        raise TooFewPlants(
            f"{available} plants are available, {quantity} were asked for",
            available=available,
            asked=quantity,
            lots=[lot.batch_code for lot in lots if lot.today],
        )
    return _withdraw([(lot, lot.today) for lot in lots], quantity)


def withdraw_as_of(lots: Sequence[StandingLot], quantity: int) -> list[Withdrawal]:
    """Out of what stood at a past moment, oldest lot first; the rest from the youngest.

    Nothing is refused: the count that follows cancels it, and history may come out negative.

    Raises:
        TooFewPlants: there is no lot at all to take from.
    """
    if not lots:
        raise TooFewPlants(
            f"0 plants are available, {quantity} were asked for",
            available=0,
            asked=quantity,
            lots=[],
        )
    withdrawals = _withdraw([(lot, max(lot.as_of, 0)) for lot in lots], quantity)
    shortage = quantity - sum(part.quantity for part in withdrawals)
    if not shortage:
        return withdrawals
    last = withdrawals[-1].lot if withdrawals else lots[-1]
    return [
        *(part for part in withdrawals if part.lot is not last),
        Withdrawal(last, shortage + sum(part.quantity for part in withdrawals if part.lot is last)),
    ]


def _withdraw(stocks: Iterable[tuple[StandingLot, int]], remaining: int) -> list[Withdrawal]:
    withdrawals = []
    for lot, spare in stocks:
        quantity = min(spare, remaining)
        if quantity > 0:
            withdrawals.append(Withdrawal(lot, quantity))
            remaining -= quantity
    return withdrawals


def changes_with_opposites(
    changes: Sequence[Change], counts_after: Mapping[int, PostedCount | None]
) -> list[Change]:
    """The changes and, where a count of their location follows, their opposites at it.

    Rows that bring plants come first, so that no lot is negative on the way.
    """
    rows: list[Change] = []
    for change in changes:
        rows.append(change)
        count = counts_after[change.location_id]
        if count is not None:
            rows.append(_opposite(change, count))
    return sorted(rows, key=lambda row: row.quantity < 0)


def _opposite(change: Change, count: PostedCount) -> Change:
    return replace(
        change,
        movement_type=MovementType.FOTO,
        quantity=-change.quantity,
        occurred_at=count.captured_at,
        why=Notice(
            "seen_by_count",
            {"count_id": count.count_id, "counted_at": count.captured_at.isoformat()},
        ),
        transfer_id=None,
        reverses=None,
        count_id=count.count_id,
    )


def require_enough_plants(changes: Sequence[Change], lots: Iterable[StandingLot]) -> None:
    """Refuse changes after which a lot would hold less than nothing.

    Raises:
        TooFewPlants: naming the lot, what it holds and what is asked of it.
    """
    totals: dict[int, int] = {}
    for change in changes:
        totals[change.batch_id] = totals.get(change.batch_id, 0) + change.quantity
    for lot in lots:
        withdrawn = -totals.get(lot.batch_id, 0)
        if withdrawn > lot.today:
            raise TooFewPlants(
                f"{lot.batch_code} has {lot.today} plants, {withdrawn} were asked for",
                available=lot.today,
                asked=withdrawn,
                lots=[lot.batch_code],
            )
