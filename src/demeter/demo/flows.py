"""A made-up nursery's months: what is planted, dies, is carried, sold and counted on two beds.

Pure simulation on a seeded generator: it knows no database and hands each row to a ``Book``.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

JUST_BEFORE = timedelta(microseconds=1)
TARGET = 520  # in mid-month; sold down to 465 at its end: 600,000 on 1,290 beds
SHARE_SOLD = (0.02, 0.14)  # of a bin and month, and nobody records it


@dataclass(frozen=True, slots=True)
class Month:
    """A period that will be closed; ``ends`` is its boundary."""

    period_id: int
    ends: datetime


@dataclass(slots=True)
class BedLot:
    """A lot's plants, and the net of its counts in the present month."""

    id: int
    code: str
    bin_id: int
    state_id: int
    opened_at: datetime
    plants: int = 0
    first: int = 0
    net_foto: int = 0


@dataclass(slots=True)
class ClosingCount:
    """The count that closed the last month."""

    id: int
    at: datetime
    plants: int


@dataclass(slots=True)
class Bed:
    """A location with its bins and lots, and what moved in the present month."""

    location_id: int
    product_id: int
    bins: list[tuple[int, str]]
    lots: list[BedLot] = field(default_factory=list)
    flows: Counter[str] = field(default_factory=Counter)
    last: ClosingCount | None = None

    @property
    def plants(self) -> int:
        """All plants of the bed."""
        return sum(lot.plants for lot in self.lots)


class Book:
    """Numbers rows and passes each to ``write(table, values)``."""

    def __init__(self, write: Callable[..., None], first_ids: dict[str, int], user_id: int) -> None:
        self._write = write
        self.next_ids = dict(first_ids)
        self.user_id = user_id

    def number(self, table: str) -> int:
        """The next id of a table."""
        number = self.next_ids[table]
        self.next_ids[table] = number + 1
        return number

    def row(self, table: str, *values: object) -> None:
        """One row of a table, in the order of its columns."""
        self._write(table, values)


class Pair:
    """Two beds of one product, between which plants are carried."""

    def __init__(self, book: Book, beds: tuple[Bed, Bed], states: list[int], seed: str) -> None:
        self._book, self._beds, self._states = book, beds, states
        self._rng = random.Random(seed)  # noqa: S311  a simulation

    def open(self, at: datetime) -> None:
        """The first count of each bed fills the ledger."""
        for bed in self._beds:
            plants = {b: self._rng.randint(80, 240) for b, _ in bed.bins}
            for bin_ref in bed.bins:
                self._open_lot(bed, bin_ref, self._states[0], at)
            self._count(bed, at, plants, "manual_init")
            for lot in bed.lots:
                lot.net_foto = 0

    def live(self, month: Month) -> None:
        """A month of both beds, to its count and its closing."""
        rng = self._rng
        ends = [month.ends - timedelta(minutes=rng.randint(60, 720)) for _ in self._beds]
        begins = max(bed.last.at for bed in self._beds if bed.last)
        span = (min(ends) - begins).total_seconds() / 60
        events = [
            (begins + timedelta(minutes=rng.uniform(1, span - 1)), bed_index, act)
            for bed_index, bed in enumerate(self._beds)
            for act in self._plans(bed)
        ]
        for at, bed_index, act in sorted(events, key=lambda event: event[0]):
            act(self._beds[bed_index], self._beds[1 - bed_index], at)
        for bed, at in zip(self._beds, ends, strict=True):
            self._close(bed, month, at)

    def _plans(self, bed: Bed) -> list[Callable[[Bed, Bed, datetime], None]]:
        rng = self._rng
        missing = max(0, TARGET + rng.randint(-40, 40) - bed.plants)
        plans: list[Callable[[Bed, Bed, datetime], None]] = [
            lambda b, _, at, n=missing // 2 + 1: self._plant(b, at, n)
        ] * (2 if missing > TARGET // 10 else 1)
        plans += [self._die] * rng.randint(1, 2)
        plans += [self._sell] * rng.choice((0, 0, 1, 1, 2))
        plans += [self._carry] * (rng.random() < 0.3)  # noqa: PLR2004  of ten months, three
        plans += [self._grow] * (rng.random() < 0.15)  # noqa: PLR2004
        return plans

    def _plant(self, bed: Bed, at: datetime, plants: int) -> None:
        into = self._rng.choice(bed.bins)
        lot = None if self._rng.random() < 0.12 else self._find_lot(bed, into[0], self._states[0])  # noqa: PLR2004
        lot = lot or self._open_lot(bed, into, self._states[0], at)
        kind, flow = self._rng.choice((("plantar", "planted"),) * 4 + (("sembrar", "sown"),))
        self._move(lot, kind, plants, at)
        bed.flows[flow] += plants

    def _die(self, bed: Bed, _: Bed, at: datetime) -> None:
        for lot, plants in self._take(bed, 0.001, 0.015):
            self._move(lot, "muerte", -plants, at)
            bed.flows["dead"] += plants

    def _sell(self, bed: Bed, _: Bed, at: datetime) -> None:
        for lot, plants in self._take(bed, 0.005, 0.03):
            self._move(lot, "ventas", -plants, at)
            bed.flows["recorded_sales"] += plants

    def _carry(self, bed: Bed, to: Bed, at: datetime) -> None:
        into = self._rng.choice(to.bins)
        for lot, plants in self._take(bed, 0.01, 0.05):
            target = self._find_lot(to, into[0], lot.state_id) or self._open_lot(
                to, into, lot.state_id, at
            )
            self._transfer(lot, target, "transplante", plants, at)
            bed.flows["moved_out"] += plants
            to.flows["moved_in"] += plants

    def _grow(self, bed: Bed, _: Bed, at: datetime) -> None:
        for lot, plants in self._take(bed, 0.05, 0.2):
            if lot.state_id == self._states[-1]:
                continue
            state = self._states[self._states.index(lot.state_id) + 1]
            own_bin = next(bin_ref for bin_ref in bed.bins if bin_ref[0] == lot.bin_id)
            target = self._find_lot(bed, lot.bin_id, state) or self._open_lot(
                bed, own_bin, state, at
            )
            self._transfer(lot, target, "ajuste", plants, at)

    def _close(self, bed: Bed, month: Month, at: datetime) -> None:
        """The month's count, and what closing writes for sales that nobody recorded."""
        opening = bed.last
        assert opening is not None
        plants = {
            bin_id: before - int(before * self._rng.uniform(*SHARE_SOLD))
            for bin_id, _ in bed.bins
            for before in [sum(lot.plants for lot in bed.lots if lot.bin_id == bin_id)]
        }
        count = self._count(bed, at, plants, "foto")
        shortfalls = [(lot, -lot.net_foto) for lot in bed.lots if lot.net_foto < 0]
        closing = self._closing(bed, month, opening, count, sum(n for _, n in shortfalls))
        for lot, n in shortfalls:
            self._row(lot, "foto", n, at - JUST_BEFORE, count_id=count.id, closing_id=closing)
        for lot, n in shortfalls:
            self._row(lot, "ventas", -n, at - JUST_BEFORE, closing_id=closing)
            lot.net_foto = 0
        bed.flows.clear()

    def _closing(
        self, bed: Bed, month: Month, opening: ClosingCount, count: ClosingCount, unrecorded: int
    ) -> int:
        number = self._book.number("period_closings")
        flows = bed.flows
        self._book.row(
            "period_closings", number, month.period_id, bed.location_id, bed.product_id,
            opening.id, count.id, opening.plants, count.plants, flows["planted"], flows["sown"],
            flows["moved_in"], flows["moved_out"], flows["dead"], 0, flows["recorded_sales"],
            flows["recorded_sales"] + unrecorded, self._book.user_id, month.ends,
        )  # fmt: skip
        return number

    def _count(self, bed: Bed, at: datetime, plants: dict[int, int], kind: str) -> ClosingCount:
        """A count by hand, bin by bin: the differences come out of the oldest lots first."""
        book, count = (
            self._book,
            ClosingCount(self._book.number("counts"), at, sum(plants.values())),
        )
        book.row(
            "counts", count.id, bed.location_id, at, "manual", book.user_id, bed.product_id,
            self._states[0], at, book.user_id, count.plants, 1, at,
        )  # fmt: skip
        for index, (bin_id, _) in enumerate(bed.bins, start=1):
            lots = [lot for lot in bed.lots if lot.bin_id == bin_id]
            before = sum(lot.plants for lot in lots)
            difference = left = plants[bin_id] - before
            first: int | None = None
            for lot in lots:
                change = left if left > 0 else -min(lot.plants, -left)
                if change:
                    movement_id = self._move(lot, kind, change, at, count_id=count.id)
                    first = first or movement_id
                    lot.net_foto += change
                    left -= change
            book.row(
                "container_counts", book.number("container_counts"), count.id, index, bin_id,
                plants[bin_id], book.user_id, at, before, difference, first, at,
            )  # fmt: skip
        bed.last = count
        return count

    def _take(self, bed: Bed, least: float, most: float) -> list[tuple[BedLot, int]]:
        """A share of the bed's plants, oldest lot first."""
        remaining, shares = max(1, int(bed.plants * self._rng.uniform(least, most))), []
        for lot in bed.lots:
            plants = min(lot.plants, remaining)
            if plants:
                shares.append((lot, plants))
                remaining -= plants
        return shares

    def _transfer(self, giver: BedLot, taker: BedLot, kind: str, plants: int, at: datetime) -> None:
        transfer = self._uuid()
        self._move(giver, kind, -plants, at, transfer_id=transfer)
        self._move(taker, kind, plants, at, transfer_id=transfer)

    def _move(self, lot: BedLot, kind: str, plants: int, at: datetime, **more: Any) -> int:
        lot.plants += plants
        lot.first = lot.first or plants
        return self._row(lot, kind, plants, at, **more)

    def _row(
        self,
        lot: BedLot,
        kind: str,
        plants: int,
        at: datetime,
        *,
        count_id: int | None = None,
        closing_id: int | None = None,
        transfer_id: object = None,
    ) -> int:
        number, inbound = self._book.number("stock_movements"), plants > 0
        self._book.row(
            "stock_movements", number, self._uuid(), lot.id, kind,
            None if inbound else lot.bin_id, lot.bin_id if inbound else None, plants, transfer_id,
            self._book.user_id, count_id, closing_id, "manual", inbound, at, at,
        )  # fmt: skip
        return number

    def _find_lot(self, bed: Bed, bin_id: int, state_id: int) -> BedLot | None:
        lots = (
            lot for lot in reversed(bed.lots) if (lot.bin_id, lot.state_id) == (bin_id, state_id)
        )
        return next(lots, None)

    def _open_lot(self, bed: Bed, into: tuple[int, str], state_id: int, at: datetime) -> BedLot:
        bin_id, bin_code = into
        number = sum(lot.bin_id == bin_id for lot in bed.lots) + 1
        lot = BedLot(
            self._book.number("stock_batches"), f"{bin_code}-L{number}", bin_id, state_id, at
        )
        bed.lots.append(lot)
        return lot

    def finish(self) -> None:
        """The lots, as they stand now."""
        for bed in self._beds:
            for lot in bed.lots:
                self._book.row(
                    "stock_batches", lot.id, lot.code, lot.bin_id, bed.product_id, lot.state_id,
                    max(lot.first, 0), lot.plants, lot.opened_at, lot.opened_at,
                )  # fmt: skip

    def _uuid(self) -> UUID:
        return UUID(int=self._rng.getrandbits(128), version=4)
