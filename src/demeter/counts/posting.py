"""How a count becomes movements: pure rules on frozen values, no database.

A count is a stocktake at its moment (SPEC §3.5 step 5): for each lot the difference is
counted minus ledger as of that moment. Running the rules again on the stock that they
made gives no rows, so a correction or a repeat writes only the net difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from demeter.core.notices import Notice
from demeter.stock.errors import StockWouldBeNegative


@dataclass(frozen=True, slots=True)
class PostingLot:
    """A batch as posting sees it, oldest first by ``age_rank``.

    ``as_of`` is its stock at the count's moment, ``today`` its stock now. ``fits`` says
    that it is of the config's product, state and packaging, so that increases may go to
    it; ``counts`` that it is of the config's product, so that it is part of the counted.
    ``product_id`` keeps transfers among lots of one product.
    """

    batch_id: int
    bin_id: int
    age_rank: int
    as_of: int
    today: int
    fits: bool
    counts: bool
    product_id: int = 0


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A change of one lot; ``batch_id`` is ``None`` for the lot to be opened in the bin."""

    bin_id: int
    batch_id: int | None
    quantity: int


@dataclass(frozen=True, slots=True)
class LotTransfer:
    """An ``ajuste`` pair inside the location: plants that stand in another lot than booked."""

    giver_batch_id: int | None
    giver_bin_id: int
    taker_batch_id: int | None
    taker_bin_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class PostingPlan:
    """What posting writes, in an order in which nothing is negative on the way.

    First ``increases``, then ``transfers``, then ``decreases``. ``before`` is the ledger
    of each bin as of the count.
    """

    increases: tuple[PlanRow, ...]
    transfers: tuple[LotTransfer, ...]
    decreases: tuple[PlanRow, ...]
    before: Mapping[int, int]

    @property
    def rows(self) -> tuple[PlanRow, ...]:
        """The rows that belong to the count."""
        return self.increases + self.decreases

    def difference(self, bin_id: int) -> int:
        """What the count changes in a bin."""
        return sum(row.quantity for row in self.rows if row.bin_id == bin_id)


def plan_posting(
    lots: Sequence[PostingLot], counted: Mapping[int, int], *, is_latest: bool
) -> PostingPlan:
    """The rows that make the location's stock at a count's moment equal the count.

    ``counted`` gives the plants of each bin seen; bins not in it go to zero. With
    ``is_latest`` false a later count stands, today's stock does not change, and no
    transfer between lots is needed.

    Raises:
        StockWouldBeNegative: less than nothing would stand at the location today.
    """
    by_bin: dict[int, list[PostingLot]] = {bin_id: [] for bin_id in counted}
    for lot in sorted(lots, key=lambda item: item.age_rank):
        by_bin.setdefault(lot.bin_id, []).append(lot)
    rows = [
        row
        for bin_id in sorted(by_bin)
        for row in bin_rows(bin_id, by_bin[bin_id], counted.get(bin_id, 0))
    ]
    return PostingPlan(
        increases=tuple(row for row in rows if row.quantity > 0),
        transfers=cover_shortages(lots, rows) if is_latest else (),
        decreases=tuple(row for row in rows if row.quantity < 0),
        before={b: sum(lot.as_of for lot in bin_lots) for b, bin_lots in by_bin.items()},
    )


def bin_rows(bin_id: int, lots: Sequence[PostingLot], counted: int) -> list[PlanRow]:
    """The rows of one bin: other products go to zero, the config's product to ``counted``."""
    rows = [
        PlanRow(bin_id, lot.batch_id, -lot.as_of)
        for lot in lots
        if lot.as_of != 0 and (not lot.counts or lot.as_of < 0)
    ]
    lots_held = [lot for lot in lots if lot.counts and lot.as_of > 0]
    difference = counted - sum(lot.as_of for lot in lots_held)
    if difference > 0:
        return _merge_rows([*rows, PlanRow(bin_id, _lot_for_increase(lots), difference)])
    for lot in lots_held:  # the oldest lot is taken from first
        quantity = min(lot.as_of, -difference)
        if quantity:
            rows.append(PlanRow(bin_id, lot.batch_id, -quantity))
            difference += quantity
    return rows


def _lot_for_increase(lots: Iterable[PostingLot]) -> int | None:
    """The youngest lot of the config; ``None`` where one is to be opened."""
    return next((lot.batch_id for lot in reversed(list(lots)) if lot.fits), None)


def _merge_rows(rows: Sequence[PlanRow]) -> list[PlanRow]:
    totals: dict[tuple[int, int | None], int] = {}
    for row in rows:
        key = (row.bin_id, row.batch_id)
        totals[key] = totals.get(key, 0) + row.quantity
    return [PlanRow(bin_id, batch_id, q) for (bin_id, batch_id), q in totals.items() if q]


def cover_shortages(lots: Sequence[PostingLot], rows: Sequence[PlanRow]) -> tuple[LotTransfer, ...]:
    """Transfers into lots that would be short today from lots with plants to spare.

    Only between lots of one product: no plant becomes another.

    Raises:
        StockWouldBeNegative: all lots of a product together are short.
    """
    product_of = {lot.batch_id: 0 if lot.counts else lot.product_id for lot in lots}
    finals_by_product: dict[int, dict[tuple[int, int | None], int]] = {}
    for lot in lots:
        finals_by_product.setdefault(product_of[lot.batch_id], {})[lot.bin_id, lot.batch_id] = (
            lot.today
        )
    for row in rows:
        product_id = 0 if row.batch_id is None else product_of[row.batch_id]
        final = finals_by_product.setdefault(product_id, {})
        key = (row.bin_id, row.batch_id)
        final[key] = final.get(key, 0) + row.quantity
    for product_id, final in finals_by_product.items():
        total = sum(final.values())
        if total < 0:
            today = sum(lot.today for lot in lots if product_of[lot.batch_id] == product_id)
            raise StockWouldBeNegative(
                Notice("stock_would_be_negative", {"today": today, "would_leave": total}),
                today=today,
                would_leave=total,
            )
    return tuple(
        transfer
        for product_id in sorted(finals_by_product)
        for transfer in _transfers(finals_by_product[product_id])
    )


def _transfers(final: dict[tuple[int, int | None], int]) -> Iterable[LotTransfer]:
    def order(key: tuple[int, int | None]) -> tuple[int, bool, int]:
        return (key[0], key[1] is None, key[1] or 0)

    givers = [[key, final[key]] for key in sorted(final, key=order) if final[key] > 0]
    for taker in sorted(final, key=order):
        short = -min(final[taker], 0)
        while short:
            giver, spare = givers[0]
            quantity = min(short, spare)
            yield LotTransfer(giver[1], giver[0], taker[1], taker[0], quantity)
            short -= quantity
            givers[0][1] -= quantity
            if not givers[0][1]:
                givers.pop(0)


def spread_over_bins(lots: Sequence[PostingLot], total: int) -> dict[int, int]:
    """A count of a whole location over its bins: as booked, the difference where it fits best.

    More goes to the bin of the youngest fitting lot that holds plants, fewer comes out of the
    oldest lots first. Empty where there is nothing to book it in.
    """
    product_lots = [lot for lot in sorted(lots, key=lambda item: item.age_rank) if lot.counts]
    plants_by_bin: dict[int, int] = {}
    for lot in product_lots:
        if lot.as_of > 0:
            plants_by_bin[lot.bin_id] = plants_by_bin.get(lot.bin_id, 0) + lot.as_of
    difference = total - sum(plants_by_bin.values())
    if difference > 0 and product_lots:
        best = max(product_lots, key=lambda lot: (lot.as_of > 0, lot.fits, lot.age_rank))
        plants_by_bin[best.bin_id] = plants_by_bin.get(best.bin_id, 0) + difference
    for lot in product_lots:
        quantity = min(max(lot.as_of, 0), max(-difference, 0))
        if quantity:
            plants_by_bin[lot.bin_id] -= quantity
            difference += quantity
    return plants_by_bin


def is_implausible(
    before: int, counted: int, width: int | None, *, share: float, widths: float
) -> bool:
    """Whether a change is too large to post unseen (SPEC §3.5 step 6).

    More than ``share`` of what the ledger held, and more than ``widths`` times the width of
    the count's 90 % interval; with no interval the share alone decides. A ledger that
    held nothing makes no count implausible: the first count fills it.
    """
    change = abs(counted - before)
    if before == 0 or change <= share * before:
        return False
    return width is None or change > widths * width
